"""The figures of the report and of the comparison. Each function draws one and returns it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from grubio.metrics.bootstrap import Floats, Score
from grubio.metrics.values import NORMAL_95
from grubio.runs.tables import CalibrationBin, DeviationGroup
from grubio.view.svg import ACCENT, CONTRAST, INK, MUTED, PAPER, drawing_style

_PERCENT = FuncFormatter(lambda fraction, _: f"{100 * fraction:.3g}")
# The first two follow the theme of the page; the others are from the palette of Okabe and Ito.
_LINE_COLOURS = (ACCENT, CONTRAST, "#009E73", "#CC79A7", MUTED, "#56B4E9", "#E69F00")
_DASHES, _MARKS = ("-", "--", ":", "-."), "osD^vPX"
_SHADES = LinearSegmentedColormap.from_list("shades", ["#cfe0f2", "#0b3d75"])
_ERROR_BARS: dict[str, Any] = {"capsize": 0, "elinewidth": 2.2}


@dataclass(frozen=True)
class Dot:
    """One row of a dot plot: a score with its interval.

    ``baseline`` is drawn as a hollow diamond in the same row; a row that is not ``strong`` is grey.
    """

    label: str
    score: Score
    baseline: Score | None = None
    strong: bool = True


def dot_plot(dots: Sequence[Dot], axis_label: str) -> Figure:
    """Draw one row per score from the top; in percent if the label contains ``%``."""
    with drawing_style():
        figure, axes = _figure(height=0.7 + 0.4 * len(dots))
        for y, dot in enumerate(dots):
            _horizontal(axes, y, dot.score, "o", ACCENT if dot.strong else MUTED, filled=True)
            if dot.baseline is not None:
                _horizontal(axes, y, dot.baseline, "D", CONTRAST, filled=False)
        axes.set_yticks(range(len(dots)), [_no_formula(dot.label) for dot in dots])
        axes.set_ylim(len(dots) - 0.4, -0.6)
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        axes.margins(x=0.08)
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.set_xlabel(axis_label)
        if "%" in axis_label or "percentage" in axis_label:
            axes.xaxis.set_major_formatter(_PERCENT)
    return figure


def difference_plot(dots: Sequence[Dot], axis_label: str) -> Figure:
    """Draw a :func:`dot_plot` of differences, with a line at none."""
    figure = dot_plot(dots, axis_label)
    with drawing_style():
        figure.axes[0].axvline(0.0, color=INK, lw=1.2, ls=":")
        width, height = figure.get_size_inches()
        figure.set_size_inches(width + 1.4, height)
    return figure


def loss_curves(history: Sequence[dict[str, float]]) -> Figure:
    """Draw training and validation loss against epochs."""
    epochs = [row["epoch"] for row in history]
    with drawing_style():
        figure, axes = _figure()
        train, valid = ([row[key] for row in history] for key in ("train_loss", "valid_loss"))
        axes.plot(epochs, train, "s--", color=CONTRAST, label="training", markersize=4.5)
        axes.plot(epochs, valid, "o-", color=ACCENT, label="validation")
        axes.set_ylabel("loss")
        _epoch_axis(axes)
        axes.legend()
    return figure


def score_curve(
    history: Sequence[dict[str, float]],
    best_epoch: float | None,
    name: str,
    *,
    in_percent: bool = True,
) -> Figure:
    """Draw the validation score against epochs; a ring marks the epoch of the kept weights."""
    with drawing_style():
        figure, axes = _figure()
        scores = [row["valid_score"] for row in history]
        epochs = [row["epoch"] for row in history]
        axes.plot(epochs, scores, "o-", color=ACCENT, label="validation")
        if best_epoch is not None:
            kept = int(np.argmin([abs(epoch - best_epoch) for epoch in epochs]))
            ring: dict[str, Any] = {"markerfacecolor": "none", "markeredgewidth": 1.6, "ms": 12}
            axes.plot(epochs[kept], scores[kept], "o", color=CONTRAST, label="kept", **ring)
        if in_percent:
            axes.yaxis.set_major_formatter(_PERCENT)
        axes.set_ylabel(f"{name} (%)" if in_percent else name)
        _epoch_axis(axes)
        axes.legend(loc="lower right")
    return figure


def reliability(sets: dict[str, list[CalibrationBin]]) -> Figure:
    """Draw accuracy against confidence, and below it the fraction of residues in each bin."""
    with drawing_style():
        figure = Figure(figsize=(4.6, 3.9), layout="constrained")
        axes, shares = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        axes.plot([0, 1], [0, 1], color=MUTED, lw=1, ls=":", label="perfect")
        looks = {"before": ("s--", CONTRAST, PAPER), "after": ("o-", ACCENT, ACCENT)}
        for name, (line, colour, fill) in looks.items():
            if bins := sets.get(name, []):
                points = [b.confidence for b in bins], [b.accuracy for b in bins]
                label = f"{name} calibration"
                axes.plot(*points, line, color=colour, markerfacecolor=fill, label=label)
        bins = sets.get("after") or next(iter(sets.values()), [])
        total = sum(b.count for b in bins) or 1
        places = [b.confidence for b in bins]
        shares.bar(places, [b.count / total for b in bins], width=0.03, color=MUTED)
        drawn = [min(b.confidence, b.accuracy) for bins in sets.values() for b in bins]
        start = max(0.0, np.floor(10 * min(drawn, default=0.0)) / 10)
        axes.set(xlim=(start, 1.02), ylim=(start, 1.02), ylabel="right (%)")
        shares.set(xlabel="confidence of the model (%)", ylabel="share (%)")
        for one in (axes, shares):
            one.xaxis.set_major_formatter(_PERCENT)
            one.yaxis.set_major_formatter(_PERCENT)
        shares.yaxis.set_major_locator(MaxNLocator(2))
        axes.legend(loc="upper left")
    return figure


def scores_by_group(
    groups: Mapping[str, Score], overall: Score, axis_label: str, score_label: str
) -> Figure:
    """Draw the score of each group with its interval; a line marks the overall score."""
    with drawing_style():
        figure, axes = _figure()
        if overall.value is not None:
            axes.axhline(overall.value, color=MUTED, ls=":", lw=1.4)
        for x, score in enumerate(groups.values()):
            if score.value is None:
                continue
            axes.errorbar(x, score.value, yerr=_errors(score), color=ACCENT, fmt="o", **_ERROR_BARS)
        axes.set_xticks(range(len(groups)), [_no_formula(name) for name in groups])
        if sum(map(len, groups)) > 40:
            axes.tick_params(axis="x", labelrotation=30)
        axes.set_xlim(-0.5, len(groups) - 0.5)
        axes.grid(axis="x", visible=False)
        axes.margins(y=0.12)
        if "%" in score_label:
            axes.yaxis.set_major_formatter(_PERCENT)
        axes.set_ylabel(score_label)
        axes.set_xlabel(axis_label)
    return figure


def score_histogram(
    scores: Sequence[float], name: str, noun: str, *, in_percent: bool = True
) -> Figure:
    """Draw the distribution of the scores of single chains; a line marks the median.

    Scores are shares from 0 to 1, or (not ``in_percent``) correlations from -1.
    """
    with drawing_style():
        figure, axes = _figure()
        least = 0.0 if in_percent else -1.0
        bins = np.linspace(least, 1, 41).tolist()
        axes.hist(scores, bins, color=ACCENT, edgecolor=PAPER, linewidth=0.6)
        axes.axvline(float(np.median(scores)), color=INK, lw=1.4, ls=":", label="median")
        axes.set_xlim(max(least, np.floor(10 * min(scores)) / 10), 1)
        if in_percent:
            axes.xaxis.set_major_formatter(_PERCENT)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.grid(axis="x", visible=False)
        axes.set_xlabel(f"{name} of a {noun}" + " (%)" * in_percent)
        axes.set_ylabel(f"{noun}s")
        axes.legend(loc="upper left")
    return figure


def value_scatter(observed: Floats, predicted: Floats, name: str) -> Figure:
    """Draw predicted against known values as hexagons, darker where there are more residues."""
    with drawing_style():
        figure, axes = _figure(height=3.9)
        ends = [float(min(observed.min(), predicted.min()))]
        ends.append(float(max(observed.max(), predicted.max())))
        axes.hexbin(observed, predicted, gridsize=36, bins="log", mincnt=1, cmap=_SHADES)
        axes.plot(ends, ends, color=MUTED, lw=1, ls=":", label="right")
        axes.set_xlabel(f"known {_no_formula(name)}")
        axes.set_ylabel(f"predicted {_no_formula(name)}")
        axes.legend(loc="upper left")
    return figure


def deviation_plot(groups: Sequence[DeviationGroup], name: str) -> Figure:
    """Draw the root mean square error of groups of residues against their predicted deviation."""
    with drawing_style():
        figure, axes = _figure(height=3.6)
        deviations, errors = [g.deviation for g in groups], [g.error for g in groups]
        most = 1.08 * max(*deviations, *errors)
        axes.plot([0, most], [0, most], color=MUTED, lw=1, ls=":", label="perfect")
        axes.plot(deviations, errors, "o-", color=ACCENT, label="residues of like deviation")
        axes.set(xlim=(0, most), ylim=(0, most))
        axes.set_xlabel(f"predicted standard deviation of {_no_formula(name)}")
        axes.set_ylabel("root mean square error")
        axes.legend(loc="upper left")
    return figure


def value_curve(columns: Sequence[Floats], name: str) -> Figure:
    """Draw known values, predictions and, if there are any, deviations along a sequence."""
    with drawing_style():
        figure, axes = _figure(width=9.2, height=2.4)
        observed, predicted, *deviations = columns
        places = np.arange(1, len(observed) + 1)
        for deviation in deviations:
            low, high = predicted - NORMAL_95 * deviation, predicted + NORMAL_95 * deviation
            axes.fill_between(places, low, high, color=ACCENT, alpha=0.2, lw=0)
        axes.plot(places, predicted, color=ACCENT, lw=1.6, label="predicted")
        axes.plot(places, observed, ".", color=CONTRAST, markersize=4, label="known")
        axes.set_xlabel("residue")
        axes.set_ylabel(_no_formula(name))
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return figure


def precision_recall(curves: Mapping[str, Sequence[tuple[float, float]]], colour: str) -> Figure:
    """Draw precision against recall; the first curve in ``colour``, the others dashed."""
    looks: list[dict[str, Any]] = [
        {"color": colour, "lw": 2.2},
        {"color": CONTRAST, "ls": "--"},
        {"color": MUTED, "ls": "-."},
        {"color": MUTED, "ls": ":"},
    ]
    with drawing_style():
        figure, axes = _figure()
        for (name, points), look in zip(curves.items(), looks, strict=False):
            recall, precision = zip(*points, strict=True)
            axes.plot(recall, precision, label=_no_formula(name), **look)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="recall (%)", ylabel="precision (%)")
        axes.xaxis.set_major_formatter(_PERCENT)
        axes.yaxis.set_major_formatter(_PERCENT)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure


def overlaid_curves(
    curves: Mapping[str, Sequence[tuple[float, float]]], label: str, *, in_percent: bool
) -> Figure:
    """Draw one curve over epochs per run, in different colours and dashes."""
    with drawing_style():
        figure, axes = _figure(height=3.0 + 0.11 * len(curves))
        for place, (name, points) in enumerate(curves.items()):
            epochs, values = zip(*points, strict=True)
            axes.plot(epochs, values, label=_no_formula(name), **_look(place))
        if in_percent:
            axes.yaxis.set_major_formatter(_PERCENT)
        axes.set_ylabel(label)
        _epoch_axis(axes)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure


def reach_curves(curves: Mapping[str, Sequence[tuple[int, float]]]) -> Figure:
    """Draw the norm of the gradient against the distance, one curve per run, both logarithmic."""
    with drawing_style():
        figure, axes = _figure(height=3.0 + 0.11 * len(curves))
        for place, (name, points) in enumerate(curves.items()):
            distances, norms = zip(*points, strict=True)
            axes.plot(distances, norms, label=_no_formula(name), **_look(place))
        axes.set(xscale="log", yscale="log")
        axes.set_xlabel("distance (residues)")
        axes.set_ylabel("norm of the gradient")
        ticks = sorted({distance for points in curves.values() for distance, _ in points})
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.minorticks_off()
        if len(curves) > 1:
            figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure


def gradient_curve(history: Sequence[dict[str, float]], limit: float | None) -> Figure:
    """Draw the mean norm of the gradient, and the share of clipped steps, against epochs."""
    epochs = [row["epoch"] for row in history]
    with drawing_style():
        figure = Figure(figsize=(4.6, 3.4), layout="constrained")
        axes, shares = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        axes.plot(epochs, [row["gradient_norm"] for row in history], "o-", color=ACCENT)
        if limit is not None:
            axes.axhline(limit, color=MUTED, ls=":", lw=1.4, label="clipped above")
            axes.legend()
        axes.set_ylabel("norm of the gradient")
        shares.plot(epochs, [row["clipped_share"] for row in history], "s--", color=CONTRAST)
        shares.yaxis.set_major_formatter(_PERCENT)
        shares.set_ylabel("clipped (%)")
        shares.set_ylim(bottom=0)
        _epoch_axis(shares)
    return figure


def comparison_plot(dots: Sequence[Dot], axis_label: str, baseline: str) -> Figure:
    """Draw a :func:`dot_plot` of runs, with a legend for the baseline."""
    figure = dot_plot(dots, axis_label)
    with drawing_style():
        axes = figure.axes[0]
        axes.plot([], [], "o", color=ACCENT, label="run, 95 % interval")
        if any(dot.baseline is not None and dot.baseline.known for dot in dots):
            look: dict[str, Any] = {"markerfacecolor": PAPER, "markeredgewidth": 1.6}
            axes.plot([], [], "D", color=CONTRAST, label=baseline, **look)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper right", ncols=2)
        width, height = figure.get_size_inches()
        figure.set_size_inches(width + 1.4, height + 0.3)
    return figure


def _figure(width: float = 4.6, height: float = 3.0) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _look(place: int) -> dict[str, Any]:
    """Return the look of one of many lines."""
    return {
        "color": _LINE_COLOURS[place % len(_LINE_COLOURS)],
        "ls": _DASHES[place // len(_LINE_COLOURS) % len(_DASHES)],
        "marker": _MARKS[place % len(_MARKS)],
        "markersize": 4.5,
    }


def _epoch_axis(axes: Axes) -> None:
    axes.set_xlabel("epoch (pass over the training data)")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.grid(axis="x", visible=False)


def _horizontal(
    axes: Axes, y: float, score: Score, marker: str, colour: str, *, filled: bool
) -> None:
    if score.value is None:
        return
    axes.errorbar(
        score.value,
        y,
        xerr=_errors(score),
        color=colour,
        fmt=marker,
        markersize=7,
        markerfacecolor=colour if filled else PAPER,
        markeredgewidth=1.6,
        **_ERROR_BARS,
    )


def _errors(score: Score) -> list[list[float]] | None:
    if score.value is None or score.low is None or score.high is None:
        return None
    # A bootstrap interval need not contain the value, and error bars cannot be negative.
    return [[max(score.value - score.low, 0.0)], [max(score.high - score.value, 0.0)]]


def _no_formula(text: str) -> str:
    # Names come from users, and Matplotlib reads text between dollar signs as a formula.
    return text.replace("$", r"\$")
