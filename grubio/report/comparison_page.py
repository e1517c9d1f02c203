"""The HTML page of a comparison: which run is best, learning curves, and how the runs differ."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup
from matplotlib.figure import Figure

from grubio.metrics.bootstrap import Score
from grubio.report import figures
from grubio.report.comparison import Comparison
from grubio.report.facts import flattened
from grubio.report.run_differences import certainty, difference_figure
from grubio.report.run_figures import reach_figure
from grubio.report.templating import environment
from grubio.runs.files import REPORT_FILE
from grubio.runs.folder import Run
from grubio.runs.numbers import range_text, score_text
from grubio.runs.score_names import SCORES
from grubio.runs.seed_groups import PairedTest, RunGroup
from grubio.view.svg import inline_svg

_TEXT_COLUMNS = ("run", "dataset", "test_set")
# Titles of columns in their order on the page.
_NAMES = {
    **{key: name.title.removesuffix("'99") for key, name in SCORES.items()},
    "hidden_size": "Units",
    "layers": "Layers",
    "parameters": "Parameters",
    "seed": "Seed",
    "chains": "Trained on",
    "seconds": "Seconds",
    "dataset": "Dataset",
    "test_set": "Test set",
}


@dataclass(frozen=True)
class Column:
    """A column of the table of runs; each cell is a text and a range."""

    key: str
    title: str
    numeric: bool
    cells: list[tuple[str, str]]


@dataclass(frozen=True)
class Setting:
    """A setting in which runs differ, with the value of each run; empty where it has none."""

    name: str
    values: list[str]


def render_comparison(
    comparison: Comparison,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    figure: Figure,
    page: Path | None = None,
    groups: Sequence[RunGroup] = (),
    tests: Sequence[PairedTest] = (),
) -> str:
    """Return the comparison as one self-contained HTML page.

    Parameters
    ----------
    comparison
        The runs.
    header, rows
        The table of runs as text; the first column is the name of the run.
    figure
        Figure of the scores.
    page
        Path of the page, for links to the reports of the runs.
    groups, tests
        Groups of runs that differ only in their seed, and paired tests between groups.
    """
    described = "; ".join(
        f"{name}: {run.score_name} {score_text(run.score_key, value)}".replace(
            "\N{NO-BREAK SPACE}", " "
        )
        for run, name in zip(comparison.runs, comparison.names, strict=True)
        if (value := run.score(run.score_key).value) is not None
    )
    differing, shared = settings(comparison.runs)
    return (
        environment()
        .get_template("comparison.html.j2")
        .render(
            comparison=comparison,
            names=comparison.names,
            standing=standing(comparison, groups, tests),
            groups=[group for group in groups if len(group.runs) > 1],
            tests=tests,
            differences=difference_figure(tests),
            marks=comparison.marks,
            columns=columns(header, rows),
            links=[_link(run, page) for run in comparison.runs],
            figure=inline_svg(figure, "comparison", described),
            learning=learning_curves(comparison.runs, comparison.names),
            reach=reach_figure({group.name: group.reach for group in groups}),
            over_seeds=any(test.over_seeds for test in tests),
            settings=differing,
            shared=shared,
            genome=any(run.genome for run in comparison.runs),
            of_values=any(run.of_values for run in comparison.runs),
            several_scores=len({run.score_key for run in comparison.runs}) > 1,
        )
    )


def standing(
    comparison: Comparison, groups: Sequence[RunGroup] = (), tests: Sequence[PairedTest] = ()
) -> str:
    """Return one or two sentences: which run is best, and whether that may be chance."""
    runs = comparison.runs
    if comparison.notice or len({run.score_key for run in runs}) > 1:
        return "The runs cannot be put in one order: they were not all scored on the same task."
    scores = [run.score(run.score_key) for run in runs]
    ranked = sorted(
        (place for place, score in enumerate(scores) if score.known),
        key=lambda place: -(scores[place].value or 0.0),
    )
    if not ranked:
        return "No run has a score."
    key, names = runs[0].score_key, comparison.names
    best = ranked[0]
    value = f"{runs[0].score_name}, {score_text(key, scores[best].value)}"
    if len(runs) == 1:
        ends = range_text(key, scores[best])
        interval = f" (95\N{NO-BREAK SPACE}% interval {ends})" if ends else ""
        return f"{names[best]}: {value}{interval}. There is no other run to compare it with."
    if len(ranked) == 1:
        return f"Only {names[best]} has a score: {value}."
    second = ranked[1]
    text = f"{names[best]} has the highest {value}; next is {names[second]} with "
    text += f"{score_text(key, scores[second].value)}."
    group_of = {place: group.name for group in groups for place in group.runs}
    mine, theirs = group_of.get(best, names[best]), group_of.get(second, names[second])
    if mine == theirs:
        return f"{text} They differ in their seed alone."
    # The paired tests are of this score alone.
    tested = certainty(mine, theirs, tests) if key == runs[0].chain_key else None
    return f"{text} {tested or _of_intervals(scores[best], scores[second])}".rstrip()


def _of_intervals(best: Score, second: Score) -> str:
    if best.low is None or second.high is None:
        return ""
    if best.low > second.high:
        return "Their 95\N{NO-BREAK SPACE}% intervals do not overlap."
    return "Their 95\N{NO-BREAK SPACE}% intervals overlap: the order may be chance."


def learning_curves(runs: Sequence[Run], names: Sequence[str]) -> list[tuple[Markup, str]]:
    """Draw validation loss and score of all runs against epochs, each figure with a caption."""
    drawn = []
    plainly = any(run.of_values for run in runs)
    unit = "" if plainly else " (%)"
    for column, label, caption in (
        ("valid_loss", "validation loss", "Loss on the validation set; lower is better."),
        ("valid_score", f"validation score{unit}", "Score on the validation set."),
    ):
        curves = {
            name: points
            for run, name in zip(runs, names, strict=True)
            if (points := _curve(run, column))
        }
        if not curves:
            continue
        ends = "; ".join(f"{name} ends at {points[-1][1]:.3f}" for name, points in curves.items())
        in_percent = column == "valid_score" and not plainly
        figure = figures.overlaid_curves(curves, label, in_percent=in_percent)
        drawn.append((inline_svg(figure, column, f"{label} over epochs. {ends}"), caption))
    return drawn


def columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Column]:
    """Return the columns of the table after the first; a score and its interval become one.

    A score that no run has is left out.

    Examples
    --------
    >>> header = ["run", "seed", "q3", "q3_low", "q3_high"]
    >>> [column.title for column in columns(header, [["a", "1", "0.7", "0.69", "0.71"]])]
    ['Q3', 'Seed']
    """
    values = {key: [row[at] for row in rows] for at, key in enumerate(header)}
    ends = {f"{key}{end}" for key in header for end in ("_low", "_high")}
    keys = [key for key in header[1:] if key not in ends]
    known = list(_NAMES)
    keys.sort(key=lambda key: known.index(key) if key in known else len(known))
    found = []
    for key in keys:
        lows, highs = (values.get(f"{key}{end}", [""] * len(rows)) for end in ("_low", "_high"))
        if key in SCORES and not any(values[key]):
            continue
        cells = [_cell(key, *of_run) for of_run in zip(values[key], lows, highs, strict=True)]
        found.append(Column(key, _NAMES.get(key, key), key not in _TEXT_COLUMNS, cells))
    return found


def settings(runs: Sequence[Run]) -> tuple[list[Setting], int]:
    """Return the settings and data in which the runs differ, and the number that they share."""
    found = [dict(_settings_of(run)) for run in runs]
    names = list(dict.fromkeys(name for settings in found for name in settings))
    rows = [Setting(name, [settings.get(name, "") for settings in found]) for name in names]
    differing = [row for row in rows if len(set(row.values)) > 1]
    return differing, len(rows) - len(differing)


def _curve(run: Run, column: str) -> list[tuple[float, float]]:
    rows = run.history or []
    return [(row["epoch"], row[column]) for row in rows if not math.isnan(row[column])]


def _cell(key: str, value: str, low: str, high: str) -> tuple[str, str]:
    if key in SCORES:
        score = Score(*(float(text) if text else None for text in (value, low, high)))
        return (score_text(key, score.value) if score.known else "", range_text(key, score))
    return (f"{int(value):,}" if value.isdecimal() and key not in _TEXT_COLUMNS else value, "")


def _settings_of(run: Run) -> list[tuple[str, str]]:
    training = run.training
    sources = training.get("dataset_sources") or {}
    content: dict[str, Mapping[str, Any]] = {
        "model": {**run.network, "scheme": run.main.name if run.of_values else run.scheme.name},
        "training": training.get("settings") or {},
        "data": {
            **{f"sha256 of {name}": str(sources[name])[:8] for name in sorted(sources)},
            "training chains": training.get("chains"),
            "split": str(training.get("dataset_sha256") or "")[:8],
        },
        "software": {**(training.get("versions") or {}), "grubio": run.model.get("grubio_version")},
    }
    return flattened(content)


def _link(run: Run, page: Path | None) -> str | None:
    report = run.folder / REPORT_FILE
    if page is None or not report.is_file():
        return None
    relative = os.path.relpath(report.resolve(), page.resolve().parent)
    return Path(relative).as_posix()
