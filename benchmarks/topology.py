r"""Scores of membrane topology and signal peptides by protein, beside TMbed's predictions.

The table of labelled proteins is TMbed's (see ``scripts/topology_table.py``); it holds TMbed's own
predictions by cross-validation. Those of grubio are out-of-fold: each protein is labelled by the
model of ``config/protein_topology.yaml`` that did not see its fold. ``labels.tsv`` has an id and
the labels in a line. Thresholds for signal peptides, helices and strands (``present`` of the
grammar) are those under which :data:`RATES` of the proteins without one are called so in the three
other folds, each labelled by the model that did not see it. Those of all four folds, which are for
the model that ships, are printed.

A signal peptide or a helix that is predicted where the label is unknown is a false positive if the
protein has none elsewhere; some of these are real.

    python benchmarks/topology.py predict topology.tsv.xz results labels.tsv \
        --not-scored not_scored.txt
    python benchmarks/topology.py score topology.tsv.xz --not-scored not_scored.txt \
        --name "four folds" --labels labels.tsv
    python benchmarks/topology.py calibration topology.tsv.xz labels.tsv
    python benchmarks/topology.py page docs/topology.md
"""

from __future__ import annotations

import argparse
import csv
import json
import lzma
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import ceil, sqrt
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grubio.inference.labelled_sequence import LabelledSequence

RESULTS = Path(__file__).with_name("topology.json")
PEER = "TMbed (ProtT5, 1.2 billion weights)"
LETTERS = str.maketrans("12HhBbSUio", "IOMMBBS?IO")
OVERLAP = 5
NEAR = 2
RATES = {"S": 0.02, "M": 0.007, "B": 0.005}
"""Share of the proteins without such a label that may be called so."""
STRANDS = 5
"""Least number of known strands of a barrel; others are parts, and pores of other kinds."""
TITLES = {
    "signal_recall": "signal-peptide proteins found",
    "signal_false": "false positives",
    "signal_false_known": "false positives, N-terminus annotated",
    "helix_recall": "membrane-helix proteins found",
    "helix_false": "false positives",
    "helices_right": "all helices right (number, each overlapping by 5)",
    "sides_right": "right way round, of those",
    "cleavage_exact": "cleavage exact, of those found",
    "cleavage_near": "cleavage within 2",
    "barrel_recall": "barrels found",
    "barrel_false": "false positives",
}
START, END = "<!-- scores -->", "<!-- /scores -->"


@dataclass(frozen=True)
class Protein:
    """What is known of a protein; ``?`` is an unknown label."""

    name: str
    sequence: str
    labels: str
    peer: str
    fold: int

    @property
    def n_terminus_is_annotated(self) -> bool:
        """Return whether it is known if there is a signal peptide."""
        return self.labels[0] != "?"


def read_proteins(path: Path) -> list[Protein]:
    """Return the proteins of the table, with the letters of the scheme ``topology``."""
    csv.field_size_limit(10**8)
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        return [
            Protein(
                row["id"],
                row["sequence"],
                row["labels"].translate(LETTERS),
                row["tmbed_prediction"].translate(LETTERS),
                int(row["fold"]),
            )
            for row in csv.DictReader(lines, delimiter="\t")
        ]


def runs(labels: str, letter: str) -> list[tuple[int, int]]:
    """Return start and end (exclusive) of the runs of a letter."""
    found, at = [], 0
    for own, residues in groupby(labels):
        size = len(list(residues))
        if own == letter:
            found.append((at, at + size))
        at += size
    return found


def helices_right(known: str, found: str) -> bool:
    """Return whether the helices are as many, and each overlaps by five residues."""
    theirs, ours = runs(known, "M"), runs(found, "M")
    return len(ours) == len(theirs) and all(
        min(b, d) - max(a, c) >= min(OVERLAP, d - c)
        for (a, b), (c, d) in zip(ours, theirs, strict=True)
    )


def sides_right(known: str, found: str) -> bool:
    """Return whether most residues with a known side are on it."""
    pairs = [(k, f) for k, f in zip(known, found, strict=True) if k in "IO" and f in "IO"]
    return 2 * sum(k == f for k, f in pairs) > len(pairs)


def outcomes(protein: Protein, found: str) -> Iterator[tuple[str, bool]]:
    """Yield the scores that a protein counts for, and whether it is right (or a false positive)."""
    known = protein.labels
    if "S" in known:
        signal = found.startswith("S")
        yield "signal_recall", signal
        if signal:
            away = abs(found.count("S") - known.count("S"))
            yield "cleavage_exact", away == 0
            yield "cleavage_near", away <= NEAR
    else:
        yield "signal_false", found.startswith("S")
        if protein.n_terminus_is_annotated:
            yield "signal_false_known", found.startswith("S")
    if "M" in known:
        yield "helix_recall", "M" in found
        right = helices_right(known, found)
        yield "helices_right", right
        if right:
            yield "sides_right", sides_right(known, found)
    else:
        yield "helix_false", "M" in found
    if len(runs(known, "B")) >= STRANDS:
        yield "barrel_recall", "B" in found
    elif "B" not in known:
        yield "barrel_false", "B" in found


def wilson(right: int, total: int) -> list[float]:
    """Return a share and its 95 % interval (Wilson, JASA 22:209, 1927)."""
    share, z = right / total, 1.96
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2)
    return [round(share, 4), round(max(middle - half, 0), 4), round(min(middle + half, 1), 4)]


def scores(
    proteins: Iterable[Protein], found: Callable[[Protein], str | None]
) -> dict[str, list[float]]:
    """Return each score with its interval and the number of proteins that it is about."""
    counts: dict[str, list[int]] = {key: [0, 0] for key in TITLES}
    for protein in proteins:
        labels = found(protein)
        if labels is None:
            continue
        for key, right in outcomes(protein, labels):
            counts[key][0] += right
            counts[key][1] += 1
    return {key: [*wilson(*own), own[1]] for key, own in counts.items() if own[1]}


def read_labels(paths: Iterable[Path]) -> dict[str, str]:
    """Return labels by id; further columns are ignored."""
    rows = (line.rstrip("\n").split("\t") for path in paths for line in path.open())
    return {row[0]: row[1] for row in rows}


def predict(
    proteins: Iterable[Protein], left_out: Collection[str], results: Path, run: str, output: Path
) -> None:
    """Write the labels of each protein by the model that did not see its fold."""
    import grubio
    from grubio.inference.labelled_sequence import LabelledSequence

    folds: dict[int, list[Protein]] = {}
    for protein in proteins:
        folds.setdefault(protein.fold, []).append(protein)
    models = {
        fold: grubio.load(results / f"{run}-fold{fold + 1}" / "model", device="cpu")
        for fold in sorted(folds)
    }

    def labelled(fold: int, present: Mapping[str, float]) -> Iterator[LabelledSequence]:
        own = {protein.name: protein.sequence for protein in folds[fold]}
        rules = models[fold].scheme.grammar
        if rules is None:
            raise SystemExit(f"the model of fold {fold + 1} has no grammar")
        asked = rules.as_dict() | {"present": present}
        for found in models[fold].predict(own, on_invalid="mask", grammar=asked):
            assert isinstance(found, LabelledSequence)
            yield found

    reached: dict[int, list[tuple[Protein, dict[str, float]]]] = {}
    for fold, group in folds.items():
        pairs = zip(group, labelled(fold, {}), strict=True)
        reached[fold] = [(one, presence(x)) for one, x in pairs if one.name not in left_out]
    with open(output, "w", encoding="utf-8") as lines:
        for fold in models:
            others = [pair for other in folds if other != fold for pair in reached[other]]
            for found in labelled(fold, thresholds(others)):
                own = found.topology()
                if own is None:
                    raise SystemExit(f"the model of fold {fold + 1} has no classes of topology")
                cut = own.cleavage_probability or 0
                row = (found.id, found.labels, f"{own.signal_probability:.3f}", f"{cut:.3f}")
                print(*row, sep="\t", file=lines)
    print(thresholds([pair for pairs in reached.values() for pair in pairs]))


def presence(found: LabelledSequence) -> dict[str, float]:
    """Return the probabilities that thresholds are for: at residue 1, or the highest of any."""
    columns = dict(zip(found.scheme.letters, found.probabilities.T, strict=True))
    return {
        letter: float(columns[letter][: 1 if letter == "S" else None].max()) for letter in RATES
    }


def thresholds(pairs: Iterable[tuple[Protein, Mapping[str, float]]]) -> dict[str, float]:
    """Return the probability, in thousandths, that no more than :data:`RATES` reach."""
    pairs = list(pairs)
    chosen = {}
    for letter, rate in RATES.items():
        others = sorted(
            (own[letter] for one, own in pairs if letter not in one.labels), reverse=True
        )
        chosen[letter] = ceil(1000 * others[int(rate * len(others))] + 1e-6) / 1000
    return chosen


def calibration(proteins: Iterable[Protein], paths: Iterable[Path]) -> str:
    """Return a table: how often signal peptides and cleavages are right, by their probability.

    Proteins whose first label is unknown do not count.
    """
    known = {one.name: one.labels for one in proteins if one.n_terminus_is_annotated}
    told: dict[str, list[tuple[float, bool]]] = {"signal peptide": [], "cleavage": []}
    for path in paths:
        for line in path.open():
            name, labels, signal, cut = line.rstrip("\n").split("\t")
            if name not in known:
                continue
            size = known[name].count("S")
            told["signal peptide"].append((float(signal), size > 0))
            if size and labels.startswith("S"):
                told["cleavage"].append((float(cut), labels.count("S") == size))
    rows = ["| of | probability | proteins | mean | right |", "| --- | --- | ---: | ---: | ---: |"]
    for what, limits in {
        "signal peptide": (0, 0.1, 0.5, 0.9, 1.01),
        "cleavage": (0, 0.1, 0.2, 1.01),
    }.items():
        for low, high in pairwise(limits):
            own = [pair for pair in told[what] if low <= pair[0] < high]
            if own:
                means = [100 * sum(pair[i] for pair in own) / len(own) for i in (0, 1)]
                rows.append(
                    f"| {what} | {low} to {min(high, 1)} | {len(own)} | "
                    f"{means[0]:.1f} % | {means[1]:.1f} % |"
                )
    return "\n".join(rows)


def table(results: Mapping[str, Mapping[str, list[float]]]) -> str:
    """Return the table of scores in Markdown: a column for each predictor."""
    rows = [f"| score | proteins | {' | '.join(results)} |"]
    rows.append("| --- | ---: |" + " ---: |" * len(results))
    for key, title in TITLES.items():
        cells = []
        counts = [int(own[key][3]) for own in results.values() if key in own]
        shown = str(max(counts)) if counts else ""
        for own in results.values():
            if key in own:
                value, low, high = (f"{100 * part:.1f}" for part in own[key][:3])
                fewer = int(own[key][3]) < max(counts)
                cells.append(f"{value} ({low}-{high})" + f" of {own[key][3]:.0f}" * fewer)
            else:
                cells.append("")
        rows.append(f"| {title}, % | {shown} | {' | '.join(cells)} |")
    return "\n".join(rows)


def main() -> None:
    """Run one of the steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)
    predicting = steps.add_parser("predict")
    predicting.add_argument("data", type=Path)
    predicting.add_argument("results", type=Path)
    predicting.add_argument("output", type=Path)
    predicting.add_argument("--run", default="topology")
    scoring = steps.add_parser("score")
    scoring.add_argument("data", type=Path)
    scoring.add_argument("--labels", type=Path, nargs="*")
    for step in (predicting, scoring):
        step.add_argument("--not-scored", type=Path, required=True)
    scoring.add_argument("--name", default="grubio")
    calibrating = steps.add_parser("calibration")
    calibrating.add_argument("data", type=Path)
    calibrating.add_argument("labels", type=Path, nargs="+")
    paging = steps.add_parser("page")
    paging.add_argument("page", type=Path)
    paging.add_argument("--names", nargs="*", help="of columns, or NAME=TITLE; all by default")
    given = parser.parse_args()
    if given.step == "predict":
        left_out = set(given.not_scored.read_text().split())
        predict(read_proteins(given.data), left_out, given.results, given.run, given.output)
    elif given.step == "score":
        left_out = set(given.not_scored.read_text().split())
        proteins = [one for one in read_proteins(given.data) if one.name not in left_out]
        results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        results[PEER] = scores(proteins, lambda one: one.peer)
        if given.labels:
            labels = read_labels(given.labels)
            results[given.name] = scores(proteins, lambda one: labels.get(one.name))
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        print(table(results))
    elif given.step == "calibration":
        print(calibration(read_proteins(given.data), given.labels))
    else:
        results = json.loads(RESULTS.read_text())
        shown_as = [name.partition("=")[::2] for name in given.names or results]
        text = given.page.read_text(encoding="utf-8")
        before, _, rest = text.partition(START)
        _, _, after = rest.partition(END)
        shown = table({title or name: results[name] for name, title in shown_as})
        given.page.write_text(f"{before}{START}\n{shown}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
