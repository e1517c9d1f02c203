"""The scores of a run as tables: of the whole test set, of each class, and what was confused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grubio.report.headline import baselines
from grubio.runs.folder import Run
from grubio.runs.numbers import Interval, interval_from
from grubio.sequences.scheme import LabelScheme

_SCORES = (
    (
        "site_average_precision",
        "Average precision of sites",
        "of the first class of sites, starts within 3 bases",
    ),
    ("base_mcc", "MCC of bases", "of the first class of varying width, on each strand"),
    ("q3", "Q3", "residues whose class of three is right"),
    ("accuracy", "Accuracy", "residues whose class is right"),
    ("q8", "Q8", "residues whose class of eight is right"),
    ("q3_chain_mean", "Q3, mean of chains", "every chain counts the same, however short"),
    ("accuracy_chain_mean", "Accuracy, mean of sequences", "every sequence counts the same"),
    ("sov", "SOV'99", "overlap of observed and predicted segments"),
    ("sov_refine", "SOV_refine", "overlap of segments, refined definition of 2018"),
    ("macro_f1", "Macro F1", "mean of the F1 of the classes; 1 is perfect"),
    ("mcc", "MCC", "correlation of observed and predicted; 0 is chance, 1 is perfect"),
    ("sov_ss8", "SOV'99, eight classes", "as above, for the classes of SS8"),
    ("macro_f1_ss8", "Macro F1, eight classes", "as above, for the classes of SS8"),
    ("mcc_ss8", "MCC, eight classes", "as above, for the classes of SS8"),
    ("ece", "ECE", "mean gap of confidence and accuracy; smaller is better"),
    ("ece_uncalibrated", "ECE before calibration", "the same before temperature scaling"),
)
CLASS_SCORES = (
    ("precision", "Precision"),
    ("recall", "Recall"),
    ("f1", "F1"),
    ("mcc", "MCC"),
    ("average_precision", "Average precision"),
)


@dataclass(frozen=True)
class ScoreRow:
    """One metric of the model beside those of the baselines."""

    key: str
    name: str
    meaning: str
    score: Interval
    baselines: list[Interval]


@dataclass(frozen=True)
class ClassRow:
    """A class of a scheme: its test residues and its scores, one for each of CLASS_SCORES."""

    letter: str
    name: str
    support: int
    scores: list[Interval]


@dataclass(frozen=True)
class ConfusionCell:
    """How many residues of a class were predicted as another one, and their share of the class."""

    count: int
    share: float


def score_rows(run: Run) -> list[ScoreRow]:
    """Return the metrics that the run has, the most telling first."""
    rows = []
    for key, name, meaning in _SCORES:
        score = run.score(key)
        if score.known:
            of_baselines = [run.baseline(baseline, key) for baseline, _ in baselines(run)]
            worded = meaning.replace("residue", run.unit_word)
            rows.append(ScoreRow(key, name, worded, score, of_baselines))
    return rows


def class_tables(run: Run) -> list[tuple[LabelScheme, list[ClassRow]]]:
    """Return the scores of the classes of each scheme, the coarsest scheme first."""
    tables = []
    for name, by_letter in (run.metrics.get("classes") or {}).items():
        scheme = run.scheme_named(name)
        rows = [
            ClassRow(
                letter,
                class_name,
                int(by_letter[letter].get("support") or 0),
                _of_class(by_letter[letter], f"classes.{name}.{letter}"),
            )
            for letter, class_name in zip(scheme.letters, scheme.class_names, strict=True)
            if letter in by_letter
        ]
        tables.append((scheme, rows))
    return sorted(tables, key=lambda table: table[0].size)


def confusions(run: Run) -> list[tuple[LabelScheme, list[list[ConfusionCell]]]]:
    """Return the confusion matrix ``[observed][predicted]`` of each scheme, the coarsest first."""
    matrices = []
    for name, counts in (run.confusion or {}).items():
        scheme = run.scheme_named(name)
        rows = []
        for observed in scheme.letters:
            row = [counts.get((observed, predicted), 0) for predicted in scheme.letters]
            total = sum(row) or 1
            rows.append([ConfusionCell(count, count / total) for count in row])
        matrices.append((scheme, rows))
    return sorted(matrices, key=lambda matrix: matrix[0].size)


def _of_class(scores: dict[str, Any], place: str) -> list[Interval]:
    return [interval_from(scores.get(key), f"{place}.{key}") for key, _ in CLASS_SCORES]
