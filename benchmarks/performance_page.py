"""docs/performance.md and docs/scaling.md, made of the results of the speed benchmarks.

python benchmarks/performance_page.py
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scaling_page import scaling_page

BENCHMARKS = Path(__file__).parent
DOCS = BENCHMARKS.parent / "docs"
LIMITS = ("fastest float32", "fastest bfloat16", "PyTorch float32")
FILES = (
    "throughput",
    "decoding",
    "startup",
    "training_speed",
    "scale",
    "genome_speed",
    "parallel_training",
    "precision",
    "precision_long",
)


def results() -> dict[str, Any]:
    """Return the results of the speed benchmarks that have been run, by name."""
    paths = {name: BENCHMARKS / f"{name}.json" for name in FILES}
    return {name: json.loads(path.read_text()) for name, path in paths.items() if path.exists()}


def performance_page(found: Mapping[str, Any]) -> str:
    """Return docs/performance.md."""
    start, learned = found["startup"], found["training_speed"]
    lines = [
        "# Performance",
        "",
        "This page is made by `python benchmarks/performance_page.py` from the JSON files that the "
        "scripts in `benchmarks/` write, on a machine of two cores. Seconds and rates are of that "
        "machine and vary by tens of percent from run to run: compare the rows of one table. It has no "
        "GPU: the tests of labelling and training on CUDA are skipped there, and run where there is "
        "a device (`pytest tests/model tests/training -k gpu`).",
        "",
        *_labelling_lines(found["throughput"]),
        *_decoding_lines(found.get("decoding", {})),
        "",
        "## Starting",
        "",
        f"`python benchmarks/startup.py`, medians of {start['runs']} runs:",
        "",
        "| command | seconds | CPU seconds | peak memory (MB) |",
        "| --- | ---: | ---: | ---: |",
        *(
            f"| `{name}` | {value:.2f} | {start['median_cpu_seconds'][name]:.2f} | "
            f"{start['peak_megabytes'][name]:.0f} |"
            for name, value in start["median_seconds"].items()
        ),
        "",
        "## Training",
        "",
        *_training_lines(learned),
    ]
    if "precision" in found:
        lines += _precision_lines(found["precision"], found.get("precision_long"))
    if "parallel_training" in found:
        lines += _parallel_lines(found["parallel_training"])
    if "scale" in found:
        lines += _scale_lines(found["scale"], _starting(found))
    if "genome_speed" in found:
        lines += _genome_lines(found["genome_speed"])
    return "\n".join(lines) + "\n"


def _labelling_lines(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    first = runs[0]
    lines = [
        "## Labelling",
        "",
        "`python benchmarks/throughput.py`: "
        f"{first['chains']:,} chains of the demonstration data, {first['residues']:,} residues. "
        "Two operations for each weight and residue are given as shares of three limits, all "
        "measured in the same run with the same threads: the fastest matrix product of any "
        "library here in float32 and in bfloat16, and PyTorch's own in float32. Padding does not "
        "count as work. `grubio doctor` prints the limits of your machine.",
    ]
    for run in runs:
        rates, shares = run["residues_per_second"], run["share_of_matrix_rate"]
        count = {1: "One thread", 2: "Two threads"}.get(run["threads"], f"{run['threads']} threads")
        lines += [
            "",
            f"{count}; {_limits(run['matrix_rates'])}:",
            "",
            f"| way | residues per second | {' | '.join(LIMITS)} | the predictor is faster by |",
            "| --- | ---: | ---: | ---: | ---: | ---: |",
        ]
        for name, rate in rates.items():
            share = _shares(shares.get(name, {}))
            ratio = f"{run['predictor_over'][name]:.3g}" if name in run["predictor_over"] else ""
            lines.append(f"| {name} | {rate:,.0f} | {share} | {ratio} |")
    return [
        *lines,
        "",
        "The ways are described at the top of the script. The predictor is "
        "`grubio/model/engines/packed_gru.py`, in numpy: rows without padding, one product per "
        "step for both directions of all sequences of a batch, gates in place. On a processor "
        "where PyTorch's float32 product is as fast as numpy's, an AMD EPYC of family 25 for one, "
        "it is as fast as the former engine in PyTorch (commit 6e37c33) on batches, and 2.8 times "
        "as fast one by one, measured in turns. Several threads compute several batches; of one "
        "sequence there is one batch, so a second thread does not help it. One thread had a core to "
        "itself; beside two threads two trainings ran, which slowed every way. Dynamic int8 "
        f"changed the label of {100 * first['labels_changed_by_int8']:.1f} % of residues; padded "
        f"batches were {100 * first['padding_of_padded_batches']:.0f} % padding. A second engine, "
        "such as ONNX Runtime, would give a second set of rounded answers, so there is one.",
        "",
        "A step of one sequence has two rows, the states of its two directions. Both are multiplied "
        "by the weights of both, and half of that is not used: numpy multiplies a row alone in "
        "another order, and an answer would depend on the batch.",
        "",
        "An answer is the same to the last bit whatever its neighbours, its batch, its order, its "
        "shard and the number of threads, on one machine. How numpy's library sums is tried when a "
        "model is loaded (`grubio/model/engines/product_shape.py`): with AVX-512 any shape is "
        "exact; with AVX2 alone, rows in multiples of 12 and sixteen columns to spare are, which "
        "costs some 8 %. `OPENBLAS_CORETYPE=Haswell` in the environment forces the kernels for AVX2 on "
        "any processor: with it, labelling reaches three quarters of its rate here, so unset it; `grubio "
        "doctor` names such variables.",
        "",
        "Labelling with products in bfloat16 is not offered. Rounding their factors changes 0.02 % "
        "of the labels of `protein-ss` and 0.08 % of those of `protein-ss-fast` (100 chains, 19,896 "
        "residues); but a step of 192 sequences takes 394 µs for each direction with PyTorch's "
        "bfloat16 product against 528 µs now, and with the inputs' products at twice the speed "
        "that makes less than 1.5 times the rate.",
    ]


def _decoding_lines(models: Mapping[str, Any]) -> list[str]:
    if not models:
        return []
    lines = [
        "",
        "## Grammars",
        "",
        "`python benchmarks/grammar.py cost MODEL SEQUENCES`: microseconds of CPU time for a residue, "
        "one thread, of the network, the posteriors under the [grammar](grammar.md) and the labels. "
        "Sequences per second are those of labelling all together; reading and writing files, and "
        "starting, are not in it. The sequences are 300 of TMbed's proteins, drawn at random, for "
        "`protein-topology`, and every sixteenth chain of the demonstration data for the others; one "
        "by one the first 30 of them.",
        "",
        "| model | weights | states | residues of a sequence | way | network | posteriors | labels "
        "| sequences per second |",
        "| --- | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    for name, found in models.items():
        length = found["residues"] / found["sequences"]
        for way, parts in found["cpu_microseconds_per_residue"].items():
            cells = " | ".join(f"{parts[key]:.1f}" for key in ("network", "posteriors", "labels"))
            rate = f"{found['sequences_per_second']:.0f}" if way == "together" else ""
            lines.append(
                f"| `{name}` | {found['parameters']:,} | {found['states']} | {length:.0f} | "
                f"{way.replace('_', ' ')} | {cells} | {rate} |"
            )
    return [
        *lines,
        "",
        "States that have one neighbour, such as those that count the residues of a helix, pass on "
        "what it has; the forward and the backward pass go through the same steps "
        "(`grubio/sequences/steps.py`).",
    ]


def _shares(found: Mapping[str, float]) -> str:
    return " | ".join(f"{100 * found[name]:.0f} %" if name in found else "" for name in LIMITS)


def _limits(rates: Sequence[Mapping[str, Any]]) -> str:
    named = [f"{one['library']} {one['precision']} {one['gflops']:.0f}" for one in rates]
    return f"large matrix products reached, in GFLOP/s, {', '.join(named)}"


def _gain_of_bfloat16(rates: Sequence[Mapping[str, Any]]) -> float:
    best = {one["precision"]: 0.0 for one in rates}
    for one in rates:
        best[one["precision"]] = max(best[one["precision"]], one["gflops"])
    return best["bfloat16"] / best["float32"]


def _training_lines(learned: Mapping[str, Any]) -> list[str]:
    lines = [
        f"`python benchmarks/training_speed.py --steps {learned['steps']}`: batches of "
        f"{learned['batch_residues']:,} residues, {learned['threads']} thread. `bf16` and `32` are "
        "grubio in the two precisions of [training](train.md#precision); `32` is the path of earlier "
        "versions.",
    ]
    for width, found in learned["widths"].items():
        lines += [
            "",
            f"Width {width}, {found['parameters']:,} weights:",
            "",
            f"| way | residues per second | {' | '.join(LIMITS)} | bf16 is faster by |",
            "| --- | ---: | ---: | ---: | ---: | ---: |",
        ]
        for name, rate in found["residues_per_second"].items():
            ratio = f"{found['bf16_over'][name]:.2f}" if name in found["bf16_over"] else ""
            share = _shares(found["share_of_matrix_rate"].get(name, {}))
            lines.append(f"| {name} | {rate:,.0f} | {share} | {ratio} |")
    padding, parts = learned["padding"], learned["shares_of_a_step"]
    return [
        *lines,
        "",
        f"Six operations count for each weight and residue; {_limits(learned['matrix_rates'])}. "
        f"{100 * padding['batches of like length']:.1f} % of what it computes is padding "
        f"({100 * padding['random batches']:.0f} % in random batches). Products in bfloat16 are "
        f"{_gain_of_bfloat16(learned['matrix_rates']):.1f} times as fast as in float32 on this "
        "processor, which is the most that a step can gain; it gains less, since gates, states and "
        "losses are float32.",
        "",
        f"Shares of the time of a step at width {next(iter(learned['widths']))}:",
        "",
        f"| precision | {' | '.join(parts['bf16'])} |",
        f"| --- |{' ---: |' * len(parts['bf16'])}",
        *(
            f"| {name} | {' | '.join(f'{100 * part:.1f} %' for part in found.values())} |"
            for name, found in parts.items()
        ),
    ]


def _precision_lines(found: Mapping[str, Any], longer: Mapping[str, Any] | None) -> list[str]:
    means, spread = found["mean_valid_score"], found["standard_deviation"]
    timed = [row for row in found["runs"] if row["residues_per_second"]]
    places = sorted({f"{row['processor']}, {row['jobs']} trainings at a time" for row in timed})
    return [
        "",
        f"`python benchmarks/precision.py`: the demonstration study (width {found['hidden_size']}, "
        f"{found['epochs']} epochs) in both precisions, {len(found['runs']) // 2} seeds. The mean "
        f"validation score is {means['32']:.4f} in float32 and {means['bf16']:.4f} in bfloat16; the "
        f"standard deviation over seeds is {spread['32']:.4f} and {spread['bf16']:.4f}. bfloat16 "
        f"trained {found['median_gain_in_speed']:.2f} times as fast "
        f"(median of {len(timed) // 2} seeds; {'; '.join(places)})."
        + (_longer_sentence(longer) if longer else ""),
    ]


def _longer_sentence(found: Mapping[str, Any]) -> str:
    means = found["mean_valid_score"]
    return (
        f" In one long run of {found['epochs']} epochs (`--seeds 1 --epochs {found['epochs']} "
        f"--results benchmarks/precision_long.json`) it is {means['32']:.4f} in float32 and "
        f"{means['bf16']:.4f} in bfloat16, a difference of {abs(found['mean_difference']):.4f}."
    )


def _parallel_lines(parallel: Mapping[str, Any]) -> list[str]:
    means = parallel["mean_valid_score"]
    return [
        "",
        f"`python benchmarks/parallel_training.py`: a small network, {parallel['residues']:,} "
        f"residues, {parallel['epochs']} epochs, {len(parallel['seeds'])} seeds. The mean "
        f"validation score is {means['1']:.4f} with one "
        f"process and {means['2']:.4f} with two of half the batch each; the standard deviation "
        f"of one process over seeds is {parallel['standard_deviation_of_one']:.4f}.",
        "",
        f"How much a second process of this machine gains, with one thread each, "
        f"{parallel['timed_chains']} chains:",
        "",
        "| network | way | residues per second | gain |",
        "| --- | --- | ---: | ---: |",
        *(
            f"| width {parallel['width'][name]} | {way} | {rate:,.0f} "
            f"| {rate / ways['one process']:.2f} |"
            for name, ways in parallel["median_residues_per_second"].items()
            for way, rate in ways.items()
        ),
    ]


def _scale_lines(scale: Mapping[str, Any], start: float) -> list[str]:
    lines = [
        "",
        "## Large inputs",
        "",
        "`python benchmarks/scale.py`. A tiny network (one layer of width 8) stands for the model, "
        "so that reading, checking, batching and writing are what is measured: proteins and short "
        "records with one thread, labels written as FASTA; contigs, both strands, with two "
        "threads, sites written as BED. Every protein and every short record "
        "came back once, in its place.",
        "",
        "| input | residues | seconds | CPU seconds | peak memory (MB) |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for kind in ("proteins", "short records"):
        lines += [_cost(f"{row['records']:,} {kind}", row) for row in scale[kind]]
    lines += [_cost("one contig", row) for row in scale["contigs"]]
    lines.append(_cost("one protein as long as titin, `protein-ss`", scale["titin"]))
    return [
        *lines,
        "",
        "![Seconds and peak memory by residues](performance.svg)",
        "",
        f"The figure leaves out the {start:.1f} seconds that the program takes to start. Beyond them "
        "time is linear in residues. Memory grows with the ids, which are kept to find repeats, and with the bases "
        "of the longest contig, whose text is held.",
    ]


def _starting(found: Mapping[str, Any]) -> float:
    return float(found["startup"]["median_cpu_seconds"]["grubio predict of one protein"])


def _genome_lines(genome: Mapping[str, Any]) -> list[str]:
    lines = [
        "",
        "## A bacterial genome",
        "",
        f"`python benchmarks/genome_speed.py GENOME --threads {genome['threads']}`: *E. coli* "
        f"K-12, both strands, with `{genome['model']}`, sites written as BED; and contigs that "
        "are shorter and longer.",
        "",
        "| bases | seconds | CPU seconds | peak memory (MB) |",
        "| ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row['bases']:,} | {row['seconds']:.0f} | {row['cpu_seconds']:.0f} "
        f"| {row['megabytes']:.0f} |"
        for row in genome["contigs"]
    ]
    return lines


def _cost(name: str, cost: Mapping[str, float]) -> str:
    return (
        f"| {name} | {cost['residues']:,} | {cost['seconds']:.1f} | {cost['cpu_seconds']:.1f} "
        f"| {cost['megabytes']:.0f} |"
    )


def draw(scale: Mapping[str, Any], start: float, path: Path) -> None:
    """Draw time after the seconds of starting, and memory, by residues; and a linear line."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "performance"
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
    for kind, colour, marker in (
        ("proteins", "#0072B2", "o"),
        ("short records", "#D55E00", "s"),
        ("contigs", "#009E73", "^"),
    ):
        residues = [row["residues"] for row in scale[kind]]
        for one, column in zip(axes, ("cpu_seconds", "megabytes"), strict=True):
            before = start if column == "cpu_seconds" else 0
            values = [row[column] - before for row in scale[kind]]
            if before:
                # Less than this is the noise of starting.
                values = [value if value > 0.2 else math.nan for value in values]
            one.plot(residues, values, marker=marker, color=colour, label=kind)
    shortest, longest = 10**5, max(row["residues"] for row in scale["short records"])
    last = scale["short records"][-1]["cpu_seconds"]
    axes[0].plot(
        [shortest, longest],
        [0.4 * last * shortest / longest, 0.4 * last],
        ":",
        color="#555555",
        label="linear",
    )
    axes[0].set_yscale("log")
    axes[0].set_ylabel("CPU seconds after starting")
    axes[0].legend(frameon=False)
    axes[1].axhline(1500, linestyle=":", color="#555555")
    axes[1].set_ylabel("peak memory (MB)")
    axes[1].set_ylim(bottom=0)
    for one in axes:
        one.set_xscale("log")
        one.set_xlabel("residues")
        one.grid(alpha=0.3)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Write the pages."""
    found = results()
    (DOCS / "performance.md").write_text(performance_page(found))
    (DOCS / "scaling.md").write_text(scaling_page(found))
    if "scale" in found:
        draw(found["scale"], _starting(found), DOCS / "performance.svg")


if __name__ == "__main__":
    main()
