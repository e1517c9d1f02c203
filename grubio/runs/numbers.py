"""Scores with their intervals, and how they are written for people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from grubio.errors import GrubioError

NO_VALUE = "n/a"
"""What stands where a score is not defined."""

_WRITTEN_AS_FRACTION = {"mcc", "f1"}


@dataclass(frozen=True)
class Interval:
    """A score and its 95 % interval, as fractions; None where it is not defined."""

    value: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return self.value is not None


def interval_from(content: object, name: str = "score") -> Interval:
    """Return the interval that a piece of ``metrics.json`` holds.

    Parameters
    ----------
    content
        ``{"value", "low", "high"}``, a bare number, or None.
    name
        What to call it in an error.

    Raises
    ------
    GrubioError
        If it is something else.

    Examples
    --------
    >>> interval_from({"value": 0.7, "low": 0.69, "high": 0.71}).high
    0.71
    >>> interval_from(None).known
    False
    """
    if isinstance(content, Mapping):
        return Interval(*(_number(content.get(key), name) for key in ("value", "low", "high")))
    return Interval(_number(content, name))


def percent(value: float | None, digits: int = 1) -> str:
    """Write a fraction in percent, with a space that does not break.

    Examples
    --------
    >>> percent(0.7234).replace(chr(160), " ")
    '72.3 %'
    """
    if value is None or math.isnan(value):
        return NO_VALUE
    return f"{100 * value + 0.0:.{digits}f}\N{NO-BREAK SPACE}%"


def points(value: float | None) -> str:
    """Write a difference of fractions as percentage points with its sign.

    Examples
    --------
    >>> points(0.0512)
    '+5.1'
    """
    return NO_VALUE if value is None else f"{100 * value:+.1f}"


def gain_text(key: str, value: float | None) -> str:
    """Write a difference of the metric ``key`` with its sign, in points or as a fraction.

    Examples
    --------
    >>> gain_text("q3", 0.0512), gain_text("base_mcc", 0.0512)
    ('+5.1 points', '+0.051')
    """
    if value is None:
        return NO_VALUE
    return f"{value:+.3f}" if _is_fraction(key) else f"{points(value)} points"


def plain(value: float | None) -> str:
    """Write a score that is no percentage, such as a correlation, with three decimals."""
    return NO_VALUE if value is None or math.isnan(value) else f"{value:.3f}"


def score_text(key: str, value: float | None) -> str:
    """Write the value of the metric ``key`` the way people write it: MCC and F1 as fractions."""
    return plain(value) if _is_fraction(key) else percent(value)


def range_text(key: str, interval: Interval) -> str:
    """Write the ends of an interval of the metric ``key``; empty if there are none.

    Examples
    --------
    >>> range_text("q3", Interval(0.7, 0.694, 0.7061))
    '69.4 to 70.6'
    """
    if interval.low is None or interval.high is None:
        return ""
    if _is_fraction(key):
        return f"{interval.low:.3f} to {interval.high:.3f}"
    return f"{100 * interval.low:.1f} to {100 * interval.high:.1f}"


def plural(count: int, noun: str) -> str:
    """Write a count with its noun.

    Examples
    --------
    >>> plural(1, "chain"), plural(1200, "chain")
    ('1 chain', '1,200 chains')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def duration(seconds: float) -> str:
    """Write a time span.

    Examples
    --------
    >>> duration(42.3), duration(754), duration(9000)
    ('42 s', '13 min', '2.5 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _is_fraction(key: str) -> bool:
    return not _WRITTEN_AS_FRACTION.isdisjoint(key.split("_"))


def _number(value: object, name: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise GrubioError(f"{name}: a number was expected, {value!r} was found")
    return None if math.isnan(value) else float(value)
