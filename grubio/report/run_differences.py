"""Differences between runs on the same test chains, as the page of a comparison shows them.

They are computed elsewhere; what is needed of them is said by the two protocols.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from markupsafe import Markup

from grubio.report import figures
from grubio.report.numbers import Interval, plural, points
from grubio.report.svg import inline_svg


class Ends(Protocol):
    """A value with the bounds of its 95 % interval, as fractions."""

    @property
    def value(self) -> float | None:
        """The value."""

    @property
    def low(self) -> float | None:
        """Lower bound."""

    @property
    def high(self) -> float | None:
        """Upper bound."""


class SeedGroup(Protocol):
    """Runs that differ in their seed alone."""

    @property
    def name(self) -> str:
        """How the group is called."""

    @property
    def runs(self) -> Sequence[int]:
        """Places of its runs in the comparison."""

    @property
    def seeds(self) -> Sequence[str]:
        """Their seeds."""

    @property
    def score_key(self) -> str:
        """The headline score."""

    @property
    def mean(self) -> float:
        """Mean score of the runs."""

    @property
    def deviation(self) -> float | None:
        """Standard deviation over the runs."""


class PairedDifference(Protocol):
    """Two groups on the same test chains."""

    @property
    def first(self) -> str:
        """Name of the first."""

    @property
    def second(self) -> str:
        """Name of the second."""

    @property
    def chains(self) -> int:
        """How many test chains."""

    @property
    def difference(self) -> Ends:
        """Score of the first less that of the second."""

    @property
    def adjusted(self) -> float:
        """The p-value, corrected for the number of pairs."""


def difference_figure(pairs: Sequence[PairedDifference]) -> Markup | None:
    """Draw the differences of all pairs with their intervals; None if there are no pairs."""
    if not pairs:
        return None
    dots = [figures.Dot(f"{pair.first} less {pair.second}", _interval(pair)) for pair in pairs]
    text = "; ".join(f"{dot.label}: {points(dot.score.value)}" for dot in dots)
    figure = figures.difference_plot(dots, "difference on the same chains (percentage points)")
    return inline_svg(figure, "differences", f"Differences in percentage points. {text}")


def certainty(best: str, second: str, pairs: Sequence[PairedDifference]) -> str | None:
    """Return one sentence on whether ``best`` is ahead of ``second``; None if they are no pair."""
    for pair in pairs:
        if {pair.first, pair.second} == {best, second} and best != second:
            break
    else:
        return None
    low, high = pair.difference.low, pair.difference.high
    on = f"On the same {plural(pair.chains, 'chain')}"
    if low is None or high is None or low <= 0 <= high:
        return f"{on} the two cannot be told apart."
    if (low > 0) != (pair.first == best):
        # The scores of all residues and of single chains can disagree.
        return f"{on}, chain by chain, {second} is ahead."
    least, most = sorted((abs(low), abs(high)))
    ends = f"{100 * least:.1f} to {100 * most:.1f}"
    return f"{on} it is ahead by {ends} points (95\N{NO-BREAK SPACE}% interval)."


def _interval(pair: PairedDifference) -> Interval:
    return Interval(pair.difference.value, pair.difference.low, pair.difference.high)
