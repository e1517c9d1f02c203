"""Copy protein-topology and protein-disorder into the zoo, with their scores on the cards.

After the studies ``config/protein_topology.yaml`` and ``config/protein_disorder.yaml`` and the
scripts ``benchmarks/topology.py`` and ``benchmarks/disorder.py``:

    python scripts/make_topology_zoo.py results
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from make_zoo import copy_model

ROOT = Path(__file__).parents[1]

TOPOLOGY = """
## Origin

Made by the study `config/protein_topology.yaml`. Labels are those of TMbed's data
(github.com/BernhoferM/TMbed, Apache-2.0; Bernhofer and Rost, BMC Bioinformatics 23:326, 2022),
which come from OPM (membrane segments of structures), UniProtKB (CC BY 4.0; sides) and the
training set of SignalP 6.0 (Teufel et al., Nature Biotechnology 40:1023, 2022; signal peptides).
Homologs of these proteins in Swiss-Prot (January 2014, UniProt Consortium, CC BY 4.0, as in
Debian's metastudent-data) have the labels of what they are aligned with. Of proteins of Swiss-Prot
whose end holds them to a membrane or a cell wall, by annotations of the Gene Ontology (CC BY 4.0),
that end is outside, and not a helix. Its weights are the mean of those of two networks. One was
started from a member of `protein-ss`. The other was started from the mean of two networks of
topology, which had started from that member at two stages of its training, and had learned from no
anchored proteins. `protein-ss` learned secondary structure on chains of the PDB and on proteins of
Swiss-Prot, some of which are proteins here or their homologs: the scores below are without
homologs in these labels, but not in those. {recipe}

## Test

Out-of-fold over all four folds: every protein is labelled by a model that did not see its fold.
Percent of proteins, with 95 % intervals; definitions are in `benchmarks/topology.py`, the table
beside TMbed's is in `docs/topology.md`. The shipped model was trained in the same way on all four
folds, and has no score of its own.

| score | proteins | value | interval |
| --- | ---: | ---: | ---: |
{rows}
How often its probabilities are right is in `docs/topology.md`.

## Licence and use

The weights are MIT, like grubio: the data behind them may be used for that (Apache-2.0, CC BY
4.0), with the credit above. Labels of SignalP 6.0's set came through TMbed's repository; SignalP's
program and its predictions are not part of this. Where helices are close to each other, or a
protein has many, look at the probabilities; for barrels use a tool made for them.
"""

DISORDER = """
## Origin

Made by the study `config/protein_disorder.yaml`, started from an earlier `protein-ss-fast`.
CheZOD scores are those of the training set of SETH (github.com/DagmarIlz/SETH; Ilzhoefer,
Heinzinger and Rost, Frontiers in Bioinformatics 2:1019597, 2022), after ODiNPred (Dass, Mulder and
Nielsen, Scientific Reports 10:14780, 2020; CC BY 4.0), from chemical shifts of the
BMRB (CC0). {recipe}

## Test

Out-of-fold over five folds without homologs between them (MMseqs2), {proteins:,} proteins and
{residues:,} residues with a known score:

| score | value | interval over proteins |
| --- | ---: | ---: |
| Spearman's rho over residues | {rho:.3f} | {low:.3f} to {high:.3f} |
| Pearson's r | {pearson:.3f} | |
| mean absolute error | {error:.2f} | |
| area under the ROC curve of "below 8" | {auc:.3f} | |

Of the known scores 95.4 % lie within 1.96 predicted standard deviations.

Published on ODiNPred's 117 test proteins, which are others: SETH (ProtT5) 0.72, metapredict
version 2 0.65, version 3 0.63. The shipped model is trained on all five folds by the same recipe.

## Licence and use

The weights are MIT, like grubio: the data behind them may be used for that, with the credit
above. Scores are about proteins in solution; regions of at least 30 residues below 8 are listed
as disordered.
"""


def main() -> None:
    """Copy the models."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("models", nargs="*", default=["topology", "disorder"])
    parser.add_argument("--topology-recipe", default="")
    parser.add_argument(
        "--topology-scores", default="anchored proteins, width 192, four folds", metavar="NAME"
    )
    parser.add_argument("--disorder-recipe", default="")
    given = parser.parse_args()
    if "topology" in given.models:
        rows = _rows(_results("topology")[given.topology_scores])
        text = TOPOLOGY.format(rows="".join(rows), recipe=given.topology_recipe)
        copy_model(given.results / "protein-topology", "protein-topology", text)
    if "disorder" in given.models:
        _copy_disorder(given.results, given.disorder_recipe)


def _copy_disorder(results: Path, recipe: str) -> None:
    own = _results("disorder")["protein-disorder"]
    rho, low, high = own["spearman"]
    text = DISORDER.format(
        recipe=recipe,
        proteins=own["proteins"],
        residues=own["residues"],
        rho=rho,
        low=low,
        high=high,
        pearson=own["pearson"],
        error=own["mean_absolute_error"],
        auc=own["auc_below_8"],
    )
    copy_model(results / "protein-disorder", "protein-disorder", text)


def _results(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((ROOT / f"benchmarks/{name}.json").read_text())
    return found


def _rows(scores: Mapping[str, list[float]]) -> list[str]:
    titles = {
        "signal_recall": "signal-peptide proteins found",
        "signal_false": "signal peptide where none is annotated",
        "signal_false_known": "of those with an annotated N-terminus",
        "helix_recall": "membrane-helix proteins found",
        "helix_false": "membrane helix where none is annotated",
        "helices_right": "all helices right",
        "sides_right": "right way round, of those",
        "cleavage_exact": "cleavage exact, of those found",
        "cleavage_near": "cleavage within two residues",
        "barrel_recall": "barrels found",
        "barrel_false": "barrel where none is annotated",
    }
    return [
        f"| {title} | {scores[key][3]:.0f} | {100 * scores[key][0]:.1f} | "
        f"{100 * scores[key][1]:.1f} to {100 * scores[key][2]:.1f} |\n"
        for key, title in titles.items()
    ]


if __name__ == "__main__":
    main()
