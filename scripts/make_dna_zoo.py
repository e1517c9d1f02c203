"""Copy the DNA model of a finished study into the zoo, with the scores on its test blocks.

snakemake --cores all --configfile config/ecoli_promoters.yaml
python scripts/make_dna_zoo.py results/ecoli-promoters
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from grubio.bundle import METADATA_FILE
from make_zoo import copy_model

NAME = "ecoli-promoters"
METHODS = {
    "model": "this model",
    "kmer_logistic": "k-mer logistic regression",
    "pwm": "position weight matrix",
    "prevalence": "prevalence",
}

CARD = """
## Origin

Made by the study `config/ecoli_promoters.yaml`. Genome: Escherichia coli K-12 MG1655, NCBI
NC_000913.3. Labels: sigma-70 transcription start sites and -35 boxes of RegulonDB (academic,
non-commercial use; Salgado et al., Nucleic Acids Research 2024); the -10 region is bases -12 to -7
before the start. Train, valid and test are blocks of 50,000 bases, both strands together, 500 bases
apart.

## Test

On {kilobases:.0f} kb of test blocks, both strands scanned, with 95 % bootstrap intervals over
blocks. A call is right if it starts within 3 bases of a known site on the same strand. Sites that
nobody has found yet count as wrong, so these are lower bounds. The matrix and the regression were
fitted to the same training blocks.

| class | method | average precision | precision at k | recall at 1 wrong call per kb |
| --- | --- | ---: | ---: | ---: |
{rows}
## Licence and use

MIT, like grubio. For sigma-70 promoters of E. coli and close relatives; other sigma factors and
other phyla were not looked at. At the default threshold there are {rate} wrong calls per kb of the
validation blocks.
"""


def main() -> None:
    """Copy the run that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    run = parser.parse_args().run
    metrics = json.loads((run / "metrics.json").read_text())
    metadata = json.loads((run / "model" / METADATA_FILE).read_text())
    rows = ""
    scheme = metadata["scheme"]
    for letter, class_name in zip(scheme["letters"], scheme["class_names"], strict=True):
        for method, title in METHODS.items() if letter in metrics["sites"] else ():
            scores = metrics["sites"][letter]["methods"][method]["genome"]["tolerance_3"]
            cells = [
                _interval(scores.get(key))
                for key in ("average_precision", "precision_at_k", "recall_at_1_per_kb")
            ]
            rows += f"| {class_name} | {title} | {' | '.join(cells)} |\n"
    told = CARD.format(
        rows=rows,
        kilobases=metrics["counts"]["residues"] / 2000,
        rate=metadata["training"]["settings"]["false_positives_per_kb"],
    )
    copy_model(run, NAME, told)


def _interval(score: dict[str, float | None] | None) -> str:
    if score is None or score["value"] is None or score["low"] is None or score["high"] is None:
        return "-"
    value, low, high = (100 * score[key] for key in ("value", "low", "high"))  # type: ignore[operator]
    return f"{value:.1f} % ({low:.1f}-{high:.1f})"


if __name__ == "__main__":
    main()
