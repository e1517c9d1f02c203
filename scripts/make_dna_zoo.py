"""Copy the DNA models of finished studies into the zoo, with the scores on their test blocks.

snakemake --cores all --configfile config/ecoli_promoters.yaml
snakemake --cores all --configfile config/ecoli_genes.yaml
python scripts/make_dna_zoo.py results ecoli-promoters ecoli-genes
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from grubio.model.bundle import METADATA_FILE
from make_zoo import copy_model

METHODS = {
    "model": "this model",
    "kmer_logistic": "k-mer logistic regression",
    "pwm": "position weight matrix",
    "prevalence": "prevalence",
}
SITE_SCORES = ("average_precision", "precision_at_k", "recall_at_1_per_kb")
BASE_SCORES = ("mcc", "sensitivity", "precision", "f1")

BLOCKS = """
Train, valid and test are blocks of 50,000 bases, both strands together, 500 bases apart."""

PROMOTERS = """
## Origin

Made by the study `config/ecoli_promoters.yaml`. Genome: Escherichia coli K-12 MG1655, NCBI
NC_000913.3. Labels: sigma-70 transcription start sites and -35 boxes of RegulonDB (academic,
non-commercial use; Salgado et al., Nucleic Acids Research 2024); the -10 region is bases -12 to -7
before the start.{blocks}

## Test

On {kilobases:.0f} kb of test blocks, both strands scanned, with 95 % bootstrap intervals over
blocks. A call is right if it starts within 3 bases of a known site on the same strand. Sites that
nobody has found yet count as wrong, so these are lower bounds. The matrix and the regression were
fitted to the same training blocks.

| class | method | average precision | precision at k | recall at 1 wrong call per kb |
| --- | --- | ---: | ---: | ---: |
{rows}
## Licence and use

The weights are MIT, like grubio; the labels that they were trained on are not part of it, and
RegulonDB gives them for academic, non-commercial use. For sigma-70 promoters of E. coli and close
relatives; other sigma factors and other phyla were not tested. At the default threshold there
are {rate} wrong calls per kb of the validation blocks.
"""

GENES = """
## Origin

Made by the study `config/ecoli_genes.yaml`. Genome and annotation: Escherichia coli K-12 MG1655,
NCBI GCF_000005845.2; a base is coding on its strand if it lies in a CDS there.{blocks}

## Test

On {kilobases:.0f} kb of test blocks, by base, on each strand, with 95 % bootstrap intervals over
blocks, without the gene rules. The regression was fitted to the same training blocks. The whole
genes that are called are measured in `docs/dna_benchmarks.md`, beside those of Pyrodigal: MCC 0.967
(Pyrodigal 0.968), 1.00 called per annotated gene, the stop codon exact for 95 %, start and stop for
91 %.

| class | method | MCC | sensitivity | precision | F1 |
| --- | --- | ---: | ---: | ---: | ---: |
{rows}
## Licence and use

MIT, like grubio. Genes of E. coli and close relatives, from start to stop codon. Codons and starts
are counted on the genome that is labelled, so other bacteria can be labelled too, with less help
from the network; that was not tested.
"""

Cells = Iterator[tuple[str, str, list[str]]]


def main() -> None:
    """Copy the runs that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("names", nargs="+", choices=CARDS)
    arguments = parser.parse_args()
    for name in arguments.names:
        run = arguments.results / name
        metrics = json.loads((run / "metrics.json").read_text())
        metadata = json.loads((run / "model" / METADATA_FILE).read_text())
        card, cells = CARDS[name]
        text = card.format(
            blocks=BLOCKS,
            rows="".join(
                f"| {class_name} | {method} | {' | '.join(values)} |\n"
                for class_name, method, values in cells(metrics)
            ),
            kilobases=metrics["counts"]["residues"] / 2000,
            rate=metadata["training"]["settings"]["false_positives_per_kb"],
        )
        copy_model(run, name, text)


def site_cells(metrics: Mapping[str, Any]) -> Cells:
    """Yield class, method and scores of the classes of sites."""
    for one in metrics["sites"].values():
        for method, title in METHODS.items():
            scores = one["methods"][method]["genome"]["tolerance_3"]
            yield one["name"], title, [_percent(scores.get(key)) for key in SITE_SCORES]


def base_cells(metrics: Mapping[str, Any]) -> Cells:
    """Yield class, method and scores of the classes of varying width."""
    for one in metrics["dense"].values():
        for method in ("model", "kmer_logistic"):
            scores = one["methods"][method]
            yield one["name"], METHODS[method], [_decimal(scores.get(key)) for key in BASE_SCORES]


CARDS: dict[str, tuple[str, Callable[[Mapping[str, Any]], Cells]]] = {
    "ecoli-promoters": (PROMOTERS, site_cells),
    "ecoli-genes": (GENES, base_cells),
}


def _percent(score: Mapping[str, float | None] | None) -> str:
    if score is None or None in score.values():
        return "-"
    value, low, high = (100 * score[key] for key in ("value", "low", "high"))  # type: ignore[operator]
    return f"{value:.1f} % ({low:.1f}-{high:.1f})"


def _decimal(score: Mapping[str, float | None] | None) -> str:
    if score is None or None in score.values():
        return "-"
    return f"{score['value']:.3f} ({score['low']:.3f}-{score['high']:.3f})"


if __name__ == "__main__":
    main()
