"""The scores of a run as tables: of the test set, of each class, and confusion matrices."""

from __future__ import annotations

from dataclasses import dataclass

from grubio.metrics.bootstrap import Score
from grubio.report.headline import baselines
from grubio.runs.files import REPORT_FILE
from grubio.runs.folder import Run, baseline_name
from grubio.runs.score_names import SCORES
from grubio.sequences.scheme import LabelScheme

CLASS_SCORES = (
    ("precision", "Precision"),
    ("recall", "Recall"),
    ("f1", "F1"),
    ("mcc", "MCC"),
    ("average_precision", "Average precision"),
)


@dataclass(frozen=True)
class ScoreRow:
    """One metric of the model and of the baselines."""

    key: str
    name: str
    meaning: str
    score: Score
    baselines: list[Score]


@dataclass(frozen=True)
class ClassRow:
    """A class: its number of test residues, and its scores in the order of CLASS_SCORES."""

    letter: str
    name: str
    support: int
    scores: list[Score]


@dataclass(frozen=True)
class ConfusionCell:
    """Number of residues of one class predicted as another, and their fraction of the class."""

    count: int
    share: float


def score_rows(run: Run) -> list[ScoreRow]:
    """Return the metrics that the run has, the most informative first."""
    rows = []
    for key, (name, _, meaning) in SCORES.items():
        score = run.score(key)
        if score.known:
            of_baselines = [run.baseline(baseline, key) for baseline, _ in baselines(run)]
            worded = meaning.replace("residue", run.unit_word)
            rows.append(ScoreRow(key, name, worded, score, of_baselines))
    return rows


@dataclass(frozen=True)
class FoldRow:
    """One fold of a cross-validation: its name, the page of its run, and its scores."""

    name: str
    page: str
    records: int
    scores: list[Score]


@dataclass(frozen=True)
class FoldTable:
    """The folds of a cross-validation, and the mean and standard deviation over them."""

    keys: list[str]
    titles: list[str]
    rows: list[FoldRow]
    means: list[Score]
    deviations: list[Score]


def fold_rows(run: Run) -> FoldTable | None:
    """Return the scores of each fold; None for a run that is no cross-validation."""
    folds = run.metrics.folds
    if not folds:
        return None
    gain = f"gain_over_{run.main_baseline}"
    titles = {run.score_key: run.score_name}
    if any(fold.score(gain).known for fold in folds):
        titles[gain] = f"gain over the {baseline_name(run.main_baseline)}"
    spread = [run.metrics.spread(key) for key in titles]
    return FoldTable(
        list(titles),
        list(titles.values()),
        [
            FoldRow(
                fold.name,
                f"{fold.run}/{REPORT_FILE}",
                fold.records,
                [fold.score(key) for key in titles],
            )
            for fold in folds
        ],
        [Score(mean) for mean, _ in spread],
        [Score(deviation) for _, deviation in spread],
    )


def class_tables(run: Run) -> list[tuple[LabelScheme, list[ClassRow]]]:
    """Return the scores of the classes of each scheme, the coarsest scheme first."""
    tables = []
    for name, by_letter in run.metrics.classes.items():
        scheme = run.scheme_named(name)
        rows = [
            ClassRow(
                letter,
                class_name,
                by_letter[letter].support,
                [by_letter[letter].score(key) for key, _ in CLASS_SCORES],
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
        table = [
            [counts.get((one, other), 0) for other in scheme.letters] for one in scheme.letters
        ]
        rows = [[ConfusionCell(n, n / (sum(row) or 1)) for n in row] for row in table]
        matrices.append((scheme, rows))
    return sorted(matrices, key=lambda matrix: matrix[0].size)
