"""The figures of a run, each with a text description."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup

from grubio.report import figures
from grubio.runs import numbers
from grubio.runs.folder import Run
from grubio.runs.metrics import Band
from grubio.runs.numbers import percent, score_text
from grubio.text import plural
from grubio.view.svg import inline_svg


def learning_figures(run: Run) -> list[Markup]:
    """Draw losses and validation score against epochs; none without a history."""
    if not run.history:
        return []
    best = run.training.get("best_epoch")
    name = "score" if run.genome else run.score_name
    scores = [row["valid_score"] for row in run.history if not math.isnan(row["valid_score"])]
    top = score_text(run.score_key, max(scores)) if scores else "no value"
    return [
        inline_svg(
            figures.loss_curves(run.history),
            "loss",
            f"Training and validation loss over {run.history[-1]['epoch']:g} epochs; validation "
            f"loss ends at {run.history[-1]['valid_loss']:.3f}",
        ),
        inline_svg(
            figures.score_curve(run.history, best, name, in_percent=not run.of_values),
            "score",
            f"Validation {name} over epochs; the best is {top}",
        ),
    ]


def gradient_figure(run: Run) -> Markup | None:
    """Draw the norm of the gradient over epochs; None if it was not measured."""
    history = [row for row in run.history or [] if _measured(row)]
    if not history:
        return None
    limit = (run.training.get("settings") or {}).get("gradient_clip")
    last = history[-1]
    return inline_svg(
        figures.gradient_curve(history, limit),
        "gradient",
        f"Mean norm of the gradient over epochs; it ends at {last['gradient_norm']:.3g}, with "
        f"{percent(last['clipped_share'])} of the steps clipped",
    )


def reach_figure(curves: Mapping[str, Mapping[int, float]]) -> Markup | None:
    """Draw the norm of the gradient by distance, of each run; None if there is none above zero."""
    drawn = {
        name: points
        for name, norms in curves.items()
        if (points := [(distance, norm) for distance, norm in norms.items() if norm > 0])
    }
    if not drawn:
        return None
    ends = "; ".join(
        f"{name}: {points[0][1]:.2g} at {plural(points[0][0], 'residue')}, "
        f"{points[-1][1]:.2g} at {plural(points[-1][0], 'residue')}"
        for name, points in drawn.items()
    )
    figure = figures.reach_curves(drawn)
    return inline_svg(figure, "reach", f"Norm of the gradient by distance. {ends}")


def _measured(row: Mapping[str, float | None]) -> bool:
    norm = row.get("gradient_norm")
    return norm is not None and math.isfinite(norm)


def calibration_figure(run: Run) -> Markup | None:
    """Draw accuracy against confidence; None if it was not measured."""
    if not run.calibration:
        return None
    before, after = run.score("ece_uncalibrated").value, run.score("ece").value
    return inline_svg(
        figures.reliability(run.calibration),
        "calibration",
        f"Accuracy against confidence; the mean gap is {percent(before)} before and "
        f"{percent(after)} after calibration",
    )


def group_figure(
    run: Run, bands: Sequence[Band], name: str, axis_label: str
) -> tuple[Markup, Sequence[Band]] | None:
    """Draw the headline score by group of chains, and return the groups; None if there are none.

    ``name`` is a unique id of the figure in the page.
    """
    if not bands:
        return None
    scores = {band.name: band.score(run.score_key) for band in bands}
    label = numbers.axis_label(run.score_key, run.score_name)
    figure = figures.scores_by_group(scores, run.score(run.score_key), axis_label, label)
    written = "; ".join(
        f"{group}: {score_text(run.score_key, score.value)}" for group, score in scores.items()
    )
    return inline_svg(figure, name, f"{run.score_name} by {axis_label}. {written}"), bands


def distribution_figure(run: Run) -> tuple[Markup, list[tuple[str, float]]] | None:
    """Draw a histogram of the scores of chains, and return their quantiles.

    None for a genome, and without scores of single chains.
    """
    scores = [chain.score for chain in run.chains or [] if chain.score is not None]
    if not scores or run.genome:
        return None
    figure = inline_svg(
        figures.score_histogram(
            scores, run.chain_score_name, run.chain_word, in_percent=not run.of_values
        ),
        "distribution",
        f"Histogram of the {run.chain_score_name} of "
        f"{plural(len(scores), f'test {run.chain_word}')}, from "
        f"{score_text(run.chain_key, min(scores))} to {score_text(run.chain_key, max(scores))}",
    )
    shares = (5, 25, 50, 75, 95)
    return figure, [
        (f"{share}\N{NO-BREAK SPACE}%", float(np.percentile(scores, share))) for share in shares
    ]
