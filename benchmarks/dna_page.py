"""The page docs/dna_benchmarks.md, from ecoli_promoters.json and ecoli_genes.json.

python benchmarks/dna_page.py docs/dna_benchmarks.md
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from grubio.files import write_text_whole

HEAD = """# Benchmarks on DNA

Models trained on blocks of the genome of Escherichia coli K-12 MG1655 (NCBI NC_000913.3), scored on
blocks of 50,000 bases that they have not seen, 500 bases away from what they have. In brackets,
95 % bootstrap intervals over blocks. Choices were made on validation blocks; the test blocks were
read once for each model. `python benchmarks/dna_page.py docs/dna_benchmarks.md` makes this page from
[`ecoli_promoters.json`](../benchmarks/ecoli_promoters.json) and
[`ecoli_genes.json`](../benchmarks/ecoli_genes.json).

"""

PROMOTERS = """## Promoters

`ecoli-promoters` on {blocks} test blocks, {kilobases:.0f} kb, both strands. A call is right if it
starts within 3 bases of a known site of the class on the same strand. Sites that nobody has found
yet count as wrong: precision over the blocks is a lower bound. Near known sites means within 300
bases of one, where more of the sites are known. The position weight matrix and the logistic
regression on k-mers were fitted to the same training blocks. Precision at k: of as many calls as
there are sites. Recall at 0.1, at 1: where that many calls in 1,000 bases are wrong.

<!-- not run: needs the dataset of a study, whose sites are not part of the repository -->
```sh
grubio evaluate --model ecoli-promoters --dataset split.parquet --audit audit.tsv \\
    --output results/promoters
grubio motifs --model ecoli-promoters --dataset split.parquet --output results/promoters/motifs
python benchmarks/promoter_sites.py results/promoters
```

`split.parquet` and `audit.tsv` are those of `config/ecoli_promoters.yaml`.

"""

SITE_TABLE = """| class (sites) | method | average precision | precision at k | recall at 0.1 | recall at 1 |
| --- | --- | ---: | ---: | ---: | ---: |
"""

GENES = """## Genes

`config/ecoli_genes.yaml`: is a base coding on its strand? On {blocks} test blocks, by base, on both
strands. Pyrodigal ({version}, {mode}) finds whole genes, with start and stop codons,
and needs no labels: it fits itself to the genome that it reads, test blocks included. So do the
[genes](genomes.md#genes) of grubio, for codons and starts; its network was trained on other blocks.
The row *bases alone* is the network without genes.

<!-- not run: the genome is fetched by the study -->
```sh
snakemake --cores all --configfile config/ecoli_genes.yaml
grubio predict GCF_000005845.2_ASM584v2_genomic.fna.gz --model ecoli-genes --output called.gff3
python benchmarks/pyrodigal_genes.py --genome GCF_000005845.2_ASM584v2_genomic.fna.gz \\
    --dataset results/datasets/genes/split.parquet \\
    --annotation GCF_000005845.2_ASM584v2_genomic.gff.gz --genes called.gff3 \\
    --metrics results/ecoli-genes/metrics.json --output benchmarks/ecoli_genes.json
```

| predictor | MCC | sensitivity | precision | F1 |
| --- | ---: | ---: | ---: | ---: |
"""

METHODS = {
    "model": "grubio",
    "kmer_logistic": "k-mer logistic regression",
    "pwm": "position weight matrix",
    "prevalence": "prevalence",
}
REGIONS = {"genome": "Over the whole blocks", "near_known": "Near known sites"}
SITE_SCORES = ("average_precision", "precision_at_k", "recall_at_0.1_per_kb", "recall_at_1_per_kb")
BASE_SCORES = ("mcc", "sensitivity", "precision", "f1")


def page(promoters: Mapping[str, Any], genes: Mapping[str, Any]) -> str:
    """Return the page."""
    return "".join((HEAD, *_promoters(promoters), *_genes(genes)))


def _promoters(results: Mapping[str, Any]) -> Iterator[str]:
    classes = results["classes"]
    yield PROMOTERS.format(blocks=results["blocks"], kilobases=classes[0]["kilobases"]["genome"])
    for region, title in REGIONS.items():
        yield f"### {title}\n\n{SITE_TABLE}"
        for one in classes:
            for method, name in METHODS.items():
                scores = one["methods"][method][region]["tolerance_3"]
                cells = " | ".join(_percent(scores.get(key)) for key in SITE_SCORES)
                yield f"| {one['name']} ({one['count']}) | {name} | {cells} |\n"
        yield "\n"
    yield "### How near a call has to be\n\nAverage precision of grubio over the whole blocks.\n\n"
    yield "| class | exact | within 3 bases | within 10 bases | annotated strand scores higher |\n"
    yield "| --- | ---: | ---: | ---: | ---: |\n"
    for one in classes:
        model = one["methods"]["model"]
        near = [
            _percent(model["genome"][f"tolerance_{bases}"]["average_precision"])
            for bases in (0, 3, 10)
        ]
        yield f"| {one['name']} | {' | '.join(near)} | {_percent(model['strand_consistency'])} |\n"
    yield "\nThe best sites of the test blocks read, in upper case where at least half of them "
    yield "agree:\n\n"
    for name, consensus in results["consensus"].items():
        yield f"- {name}: `{consensus}`\n"
    yield "\n"


def _genes(results: Mapping[str, Any]) -> Iterator[str]:
    yield GENES.format(blocks=results["blocks"], version=results["pyrodigal"], mode=results["mode"])
    rows = {"Pyrodigal": results["strands"]["both"]}
    rows |= {"grubio, genes": results["grubio_strands"]["both"]}
    rows |= {"grubio, bases alone": results["methods"]["model"]}
    rows |= {METHODS["kmer_logistic"]: results["methods"]["kmer_logistic"]}
    for name in ("grubio, genes", "Pyrodigal", "grubio, bases alone", METHODS["kmer_logistic"]):
        cells = " | ".join(_decimal(rows[name].get(key)) for key in BASE_SCORES)
        yield f"| {name} | {cells} |\n"
    yield "\nGene by gene, of those that lie whole in a test block: how many are called for each that "
    yield "is annotated, and of those that are annotated in one piece, how many have the same stop "
    yield "codon, and the same start and stop codon.\n\n"
    yield "| predictor | called per annotated | stop exact | start exact |\n"
    yield "| --- | ---: | ---: | ---: |\n"
    for key, name in (("grubio", "grubio, genes"), ("pyrodigal", "Pyrodigal")):
        ends = results["genes"][key]
        cells = f"{ends['called_per_annotated']:.3f} ({ends['called']} of {ends['annotated']})"
        exact = f"{100 * ends['stop_exact']:.1f} % | {100 * ends['start_exact']:.1f} %"
        yield f"| {name} | {cells} | {exact} |\n"


def _percent(score: Mapping[str, float | None] | None) -> str:
    return _interval(score, 100, 1)


def _decimal(score: Mapping[str, float | None] | None) -> str:
    return _interval(score, 1, 3)


def _interval(score: Mapping[str, float | None] | None, factor: float, digits: int) -> str:
    if score is None or score["value"] is None or score["low"] is None or score["high"] is None:
        return "-"
    value, low, high = (
        f"{factor * end:.{digits}f}" for end in (score["value"], score["low"], score["high"])
    )
    return f"{value} ({low}-{high})" if factor == 1 else f"{value} % ({low}-{high})"


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    folder = Path(__file__).parent
    results = [
        json.loads((folder / f"ecoli_{name}.json").read_text()) for name in ("promoters", "genes")
    ]
    write_text_whole(parser.parse_args().output, page(*results))


if __name__ == "__main__":
    main()
