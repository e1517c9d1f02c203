"""docs/scaling.md, made of the measured rates; benchmarks/performance_page.py writes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from grubio.prediction.cost import Size, cost_of

JOBS = 32
# UniProtKB/Swiss-Prot statistics; of UniRef50 and the genome, round numbers.
INPUTS = (
    ("Swiss-Prot", "protein-ss", Size(570_000, 206_000_000, 35_213)),
    ("Swiss-Prot", "protein-ss-fast", Size(570_000, 206_000_000, 35_213)),
    ("UniRef50, about", "protein-ss", Size(65_000_000, 19_000_000_000, 45_000)),
    ("UniRef50, about", "protein-ss-fast", Size(65_000_000, 19_000_000_000, 45_000)),
    ("a genome of 3 gigabases, both strands", "ecoli-promoters", Size(25, 3 * 10**9, 25 * 10**7)),
)


def scaling_page(found: Mapping[str, Any]) -> str:
    """Return docs/scaling.md."""
    one_core = next(run for run in found["throughput"] if run["threads"] == 1)
    speed = one_core["residues_per_second"]
    rates = {
        "protein-ss": speed["predictor"],
        "protein-ss-fast": speed["predictor, protein-ss-fast"],
    }
    if "genome_speed" in found:
        whole = found["genome_speed"]["contigs"][-1]
        rates["ecoli-promoters"] = whole["bases"] / whole["cpu_seconds"]
    return "\n".join(_scaling_lines(rates)) + "\n"


def _scaling_lines(rates: Mapping[str, float]) -> Iterator[str]:
    yield from (
        "# What a large prediction costs",
        "",
        "Ask on the machine that is to do it:",
        "",
        "```bash",
        "grubio plan uniprot_sprot.fasta.gz --model protein-ss --jobs 32",
        "```",
        "",
        "It reads the input once, labels a sample of it on one core for a few seconds, and prints "
        "records, residues, the rate, a number of shards, the time, the CPU-hours and the memory "
        "of a job. Writing the outputs is not in the rate; a table of every residue takes "
        "longer to write than FASTA.",
        "",
        "The table below is computed by the same function from the rates of one core in "
        f"[Performance](performance.md), for {JOBS} jobs of one core. It is an extrapolation from "
        "short runs. It is made by `python benchmarks/performance_page.py`.",
        "",
        "| input | residues | model | residues a second and core | shards | CPU-hours | hours |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: |",
    )
    for name, model, size in INPUTS:
        if model not in rates:
            continue
        plan = cost_of(size, rates[model], JOBS, cut_records=model == "ecoli-promoters")
        yield (
            f"| {name} | {size.residues:,} | `{model}` | {rates[model]:,.0f} | {plan.shards:,} "
            f"| {plan.cpu_hours:,.1f} | {plan.hours:,.1f} |"
        )
    yield from (
        "",
        "On one machine, with as many threads as it has cores:",
        "",
        "```bash",
        "grubio predict uniprot_sprot.fasta.gz --model protein-ss-fast --output sprot.parquet",
        "```",
        "",
        "On a cluster the workflow cuts the input into shards of equal residues; set `shards` in "
        "the configuration to the number that `grubio plan` suggests.",
    )
