"""Scores with their intervals, and how they are written for people."""

from __future__ import annotations

import math

from grubio.metrics.bootstrap import Score

NO_VALUE = "n/a"
"""What stands where a score is not defined."""

_WRITTEN_AS_FRACTION = {"mcc", "f1", "spearman", "pearson", "error", "rmse"}


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
    """Write a difference of fractions in percentage points, with its sign.

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
    return f"{value:+.3f}" if is_fraction(key) else f"{points(value)} points"


def plain(value: float | None) -> str:
    """Write a score that is no percentage, such as a correlation, with three decimals."""
    return NO_VALUE if value is None or math.isnan(value) else f"{value:.3f}"


def score_text(key: str, value: float | None) -> str:
    """Write a value of the metric ``key``: shares in percent, correlations and errors plainly."""
    return plain(value) if is_fraction(key) else percent(value)


def range_text(key: str, score: Score) -> str:
    """Write the ends of an interval of the metric ``key``; empty if there are none.

    Examples
    --------
    >>> range_text("q3", Score(0.7, 0.694, 0.7061))
    '69.4 to 70.6'
    """
    if score.low is None or score.high is None:
        return ""
    if is_fraction(key):
        return f"{score.low:.3f} to {score.high:.3f}"
    return f"{100 * score.low:.1f} to {100 * score.high:.1f}"


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


def axis_label(key: str, text: str) -> str:
    """Return the label of an axis of the metric ``key``, with its unit if that is percent."""
    return text if is_fraction(key) else f"{text} (%)"


def is_fraction(key: str) -> bool:
    """Return whether the metric ``key`` is not written in percent: a correlation, F1 or error."""
    return not _WRITTEN_AS_FRACTION.isdisjoint(key.split("_"))
