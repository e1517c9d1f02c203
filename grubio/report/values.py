"""The parts of a report about values: scatter, deviations, and the sequences as curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from markupsafe import Markup

from grubio.errors import GrubioError
from grubio.metrics.bootstrap import Score
from grubio.report import figures
from grubio.report.residue_drawing import typical, worst_and_best
from grubio.runs.folder import Run, baseline_name
from grubio.runs.metrics import Scores
from grubio.runs.numbers import percent, plain
from grubio.runs.score_names import SCORES
from grubio.runs.tables import CHAIN_SCORES, ChainScore
from grubio.text import plural
from grubio.view.svg import inline_svg

MOST_ROWS = 1000
"""A longer table of sequences has the lowest and the highest scores only."""


@dataclass(frozen=True)
class Curve:
    """A test sequence and its drawing."""

    chain: ChainScore
    group: str
    figure: Markup


@dataclass(frozen=True)
class ValueReport:
    """What a report of values has.

    Attributes
    ----------
    scatter
        Known against predicted values; None without the predictions of the test set.
    deviations
        Errors against predicted deviations; None if none are predicted.
    curves
        A typical sequence, the worst and the best.
    columns
        Key and name of each score of single sequences.
    rows
        Sequences of the table.
    total
        All test sequences.
    """

    scatter: Markup | None
    deviations: Markup | None
    curves: list[Curve]
    columns: list[tuple[str, str]]
    rows: list[ChainScore]
    total: int


@dataclass(frozen=True)
class TargetTable:
    """The scores of a target besides the main one: name, meaning, score and those of baselines."""

    name: str
    baselines: list[str]
    rows: list[tuple[str, str, str, Score, list[Score]]]


def value_report(run: Run) -> ValueReport | None:
    """Return the figures and tables of a run whose main target is a value; None for others.

    Raises
    ------
    GrubioError
        If the file of predictions is damaged or lacks a column.
    """
    if not run.of_values:
        return None
    chains = run.chains or []
    rows = chains
    if len(chains) > MOST_ROWS:
        worst, best = worst_and_best(chains, MOST_ROWS // 2)
        kept = {chain.id for chain in (*worst, *best)}
        rows = [chain for chain in chains if chain.id in kept]
    scatter, curves = None, []
    if run.predictions is not None:
        scatter = _scatter(run, run.predictions)
        curves = _curves(run, run.predictions, chains)
    return ValueReport(
        scatter,
        _deviations(run),
        curves,
        [
            (key, SCORES[key].title)
            for key in CHAIN_SCORES
            if any(chain.others.get(key) is not None for chain in chains)
        ],
        list(rows),
        len(chains),
    )


def target_tables(run: Run) -> list[TargetTable]:
    """Return the scores of the targets besides the main one."""
    tables = []
    for name, scores in run.metrics.targets.items():
        known = [key for key in ("window_ridge", "mean") if f"{key}_rmse" in scores]
        rows = [
            (key, title, meaning, scores[key], [_score(scores, f"{one}_{key}") for one in known])
            for key, (title, _, meaning) in SCORES.items()
            if _score(scores, key).known
        ]
        tables.append(TargetTable(name, [baseline_name(one) for one in known], rows))
    return tables


def _score(scores: Scores, key: str) -> Score:
    return scores.get(key, Score())


def _scatter(run: Run, predictions: Path) -> Markup | None:
    observed, predicted = _columns(predictions, ["observed", run.main.heading])
    known = np.isfinite(observed)
    if not known.any():
        return None
    rank = plain(run.score("spearman").value)
    figure = figures.value_scatter(observed[known], predicted[known], run.main.name)
    text = f"Known and predicted {run.main.name} of {plural(int(known.sum()), run.unit_word)}"
    return inline_svg(figure, "scatter", f"{text}; Spearman correlation {rank}")


def _deviations(run: Run) -> Markup | None:
    if not run.deviations:
        return None
    covered = percent(run.score("coverage").value)
    return inline_svg(
        figures.deviation_plot(run.deviations, run.main.name),
        "deviations",
        f"Errors against predicted standard deviations; {covered} of the values are in their 95 % "
        "interval",
    )


def _curves(run: Run, predictions: Path, chains: Sequence[ChainScore]) -> list[Curve]:
    worst, best = worst_and_best(chains, 1)
    drawn = []
    for group, chosen in (("typical", typical(chains)), ("worst", worst), ("best", best)):
        for chain in chosen:
            columns = _columns(predictions, ["observed", *run.main.columns], chain.id)
            figure = figures.value_curve(columns, run.main.name)
            text = f"Known and predicted {run.main.name} along {chain.id}"
            drawn.append(Curve(chain, group, inline_svg(figure, f"curve-{group}", text)))
    return drawn


def _columns(
    predictions: Path, names: Sequence[str], chain: str | None = None
) -> list[npt.NDArray[np.float64]]:
    filters = None if chain is None else [("id", "=", chain)]
    try:
        table = pq.read_table(predictions, columns=list(names), filters=filters)
        return [table.column(name).to_numpy().astype(np.float64) for name in names]
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        raise GrubioError(f"cannot be read: {error}", path=predictions) from error
