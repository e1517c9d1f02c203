"""Differences between runs on the same test chains, for the page of a comparison."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from grubio.report import figures
from grubio.runs.numbers import gain_text, is_fraction
from grubio.runs.seed_groups import PairedTest
from grubio.text import plural
from grubio.view.svg import inline_svg


def difference_figure(pairs: Sequence[PairedTest]) -> Markup | None:
    """Draw the difference of each pair with its interval; None if there are no pairs."""
    if not pairs:
        return None
    dots = [figures.Dot(f"{pair.first} less {pair.second}", pair.difference) for pair in pairs]
    key = pairs[0].score_key
    text = "; ".join(f"{dot.label}: {gain_text(key, dot.score.value)}" for dot in dots)
    unit = "" if is_fraction(key) else " (percentage points)"
    figure = figures.difference_plot(dots, f"difference on the same chains{unit}")
    return inline_svg(figure, "differences", f"Differences. {text}")


def certainty(best: str, second: str, pairs: Sequence[PairedTest]) -> str | None:
    """Return one sentence on whether ``best`` is ahead of ``second``; None if not tested."""
    pair = next((one for one in pairs if {one.first, one.second} == {best, second}), None)
    if pair is None:
        return None
    low, high = pair.difference.low, pair.difference.high
    on = f"On the same {plural(pair.chains, 'chain')}"
    if low is None or high is None or low <= 0 <= high:
        return f"{on}, {best} and {second} cannot be told apart."
    if (low > 0) != (pair.first == best):
        # Groups are compared by the mean of their runs, not by the best one.
        return f"{on}, {second} is ahead."
    least, most = sorted((abs(low), abs(high)))
    ends = f"{100 * least:.1f} to {100 * most:.1f} points"
    if is_fraction(pair.score_key):
        ends = f"{least:.3f} to {most:.3f}"
    return f"{on}, {best} is ahead by {ends} (95\N{NO-BREAK SPACE}% interval)."
