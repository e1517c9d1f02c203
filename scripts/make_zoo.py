"""Copy the models of a finished study into the zoo, with the scores on their test split.

snakemake --cores all --configfile config/protein_ss.yaml
python scripts/make_zoo.py results protein-ss protein-ss-fast protein-ss-profile
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from grubio.metrics.bootstrap import Score
from grubio.model.bundle import CARD_FILE, METADATA_FILE, WEIGHTS_FILE, with_checksum
from grubio.model.training_sketch import SKETCH_FILE
from grubio.runs.metrics import Metrics, read_metrics

ZOO = Path(__file__).parents[1] / "grubio/zoo"

_DATA = """
## Origin

Made by the study `config/protein_ss.yaml`: `snakemake --cores all --configfile
config/protein_ss.yaml`, then `python scripts/make_zoo.py results {name}`.

Training chains are those of the PDB as collected for ProMod3 3.2.1 (Apache-2.0; PDB archive data
are CC0), with SS8 labels by DSSP, and those of NetSurfP-2.0 as published by FLIP (AFL-3.0;
Klausen et al., Proteins 87:520, 2019), with SS3 labels. {profiles}
{removed}

## Test

On the {chains:,} test chains of the study ({residues:,} residues), none of which has a homolog in
training, with 95 % bootstrap intervals over chains:

| score | value | interval |
| --- | ---: | ---: |
{rows}
MCC is that of SS3, the calibration error that of SS8. {tested} Figures on CB513 and TS115 are in
`{page}`.

## Licence and use

MIT, like grubio. {use} SS3 is SS8 with H, G, I read as H; E, B as E; the rest as C. Trained on
resolved residues of single chains; disordered regions, membrane proteins and designed sequences may
fare worse.
"""

_REMOVED = (
    "Every chain with an alignment (MMseqs2, `-s 7.5`) to one of the benchmark, validation or test "
    "chains of E < 0.01, or of at least 25 % identity at E up to 1, was removed (`removed.tsv` of "
    "the study)."
)
_REMOVED_WITH_HOMOLOGS = f"{_REMOVED} So was every protein and homolog with one of E < 0.1."
_ONE_SEQUENCE = {
    "profiles": "Most of what the model learned from are proteins without known labels (Swiss-Prot "
    "of January 2014, UniProt Consortium, CC BY 4.0; marker genes of MetaPhlAn 2, MIT). A model "
    "that reads profiles labelled them, one of each family, from alignments of at least eight "
    "sequences: `protein-ss-profile`, and for about half of them a smaller one that learned from "
    "the same chains. Profiles (HHblits, from ProMod3, or those of these alignments) and solvent "
    "accessibility were additional targets; they are used in training alone, and the model sees "
    "one sequence. That smaller one labelled in the first passes alone.",
    "removed": f"{_REMOVED} So was every protein with one of E < 0.1.",
    "use": "One sequence in, no alignment.",
    "tested": "One sequence was read.",
    "page": "docs/benchmarks.md",
}
_WITH_HOMOLOGS = {
    **_ONE_SEQUENCE,
    "profiles": f"{_ONE_SEQUENCE['profiles']} In the last but one, homologs of chains and proteins "
    "were among them, with the labels of what they are aligned with.",
    "removed": _REMOVED_WITH_HOMOLOGS,
}
_WITH_PROFILES = {
    "profiles": "Evolutionary profiles (HHblits, from ProMod3) were read beside the residues, and "
    "solvent accessibility was an additional target. A fifth to a third of the chains, other ones "
    "in each step, had the profile of their own sequence alone, and four fifths of the others that "
    "of an alignment of 1 to 1,000 homologs made up from it; chains of NetSurfP-2.0 have no "
    "profile. Three of the four networks started from those of `protein-ss`, which have learned "
    "from proteins without known labels too (Swiss-Prot of January 2014, UniProt Consortium, CC BY "
    "4.0; marker genes of MetaPhlAn 2, MIT), and from homologs of both; "
    "the fourth, from nothing, on a split of 23,277 training chains by an earlier version.",
    "removed": _REMOVED_WITH_HOMOLOGS,
    "use": "A sequence and its profile in: `grubio predict --model protein-ss-profile --database "
    "PROTEINS`. Homologs make the difference: `docs/profiles.md` shows Q3 by their number. A small "
    "database such as Swiss-Prot finds few for many proteins; UniRef50 or UniRef90 find more, and "
    "the curve suggests what to expect; it was not measured. A protein without homologs is "
    "labelled with the profile of its own sequence, about as well as by `protein-ss`.",
    "tested": "Profiles were those of HHblits, which are deep.",
    "page": "docs/profiles.md",
}
_TEXTS = {
    "protein-ss": _WITH_HOMOLOGS,
    "protein-ss-fast": _ONE_SEQUENCE,
    "protein-ss-profile": _WITH_PROFILES,
}

CARDS = dict.fromkeys(_TEXTS, _DATA)
"""Text of the card of each model: its origin, its test and its licence."""

_CHAINS = "chains of the PDB (ProMod3's collection, and the training set of NetSurfP-2.0)"
_LABELLED = f"{_CHAINS}, and proteins that a model which reads profiles has labelled"
_E_COLI = "Escherichia coli K-12 MG1655"

TRAINED_ON = {
    "protein-ss": f"{_CHAINS}, proteins that a model which reads profiles has labelled, and "
    "homologs of both",
    "protein-ss-fast": _LABELLED,
    "protein-ss-profile": f"{_CHAINS}; three of its networks started from protein-ss",
    "protein-topology": "topologies of TMbed's proteins, of homologs in Swiss-Prot, and of "
    "anchored proteins",
    "protein-disorder": "CheZOD scores of 1,174 proteins (ODiNPred, as published with SETH)",
    "ecoli-promoters": f"{_E_COLI}: sigma-70 promoters",
    "ecoli-genes": f"{_E_COLI}: coding sequences",
}
"""What each model learned from, in words."""

SCORES = {
    "q3": "Q3, %",
    "accuracy": "accuracy, %",
    "q8": "Q8, %",
    "sov": "SOV'99, %",
    "ece": "expected calibration error, %",
    "mcc": "MCC",
}
"""Titles of the scores on a card; a model has those that its classes have."""


def main() -> None:
    """Copy the runs that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("names", nargs="+", choices=CARDS)
    arguments = parser.parse_args()
    for name in arguments.names:
        run = arguments.results / name
        metrics = read_metrics(run)
        text = CARDS[name].format(
            **_TEXTS.get(name, {}),
            name=name,
            chains=metrics.counts.scored_chains,
            residues=metrics.counts.scored_residues,
            rows="".join(score_rows(metrics)),
        )
        copy_model(run, name, text)


def score_rows(metrics: Metrics) -> Iterator[str]:
    """Yield the rows of the table of scores: of the labels, then of further targets."""
    for key, title in SCORES.items():
        yield from _row(title, metrics.score(key))
    for name, scores in metrics.targets.items():
        for key, title in (("pearson", "correlation of"), ("mcc", "MCC of")):
            yield from _row(f"{title} {name.replace('_', ' ')}", scores.get(key, Score()))


def _row(title: str, score: Score) -> Iterator[str]:
    if score.value is None or score.low is None or score.high is None:
        return
    factor, digits = (100, 1) if title.endswith("%") else (1, 3)
    value, low, high = (
        f"{factor * part:.{digits}f}" for part in (score.value, score.low, score.high)
    )
    yield f"| {title} | {value} | {low} to {high} |\n"


def copy_model(run: Path, name: str, text: str) -> None:
    """Copy the model of a run into the zoo, say what it learned from, and append to its card."""
    folder = ZOO / name
    folder.mkdir(exist_ok=True)
    for file in (WEIGHTS_FILE, SKETCH_FILE):
        shutil.copyfile(run / "model" / file, folder / file)
    metadata = json.loads((run / "model" / METADATA_FILE).read_text(encoding="utf-8"))
    metadata["training"]["trained_on"] = TRAINED_ON[name]
    content = json.dumps(with_checksum(metadata), indent=2, sort_keys=True) + "\n"
    (folder / METADATA_FILE).write_text(content, encoding="utf-8")
    card = (run / "model" / CARD_FILE).read_text(encoding="utf-8")
    card = card.replace("# Model card", f"# {name}", 1)
    (folder / CARD_FILE).write_text(card + text, encoding="utf-8")


if __name__ == "__main__":
    main()
