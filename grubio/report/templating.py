"""The templates of the pages: everything that is put into them is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from grubio import __version__
from grubio.report import numbers
from grubio.scheme import SCHEMES, LabelScheme

_DARK, _LIGHT = "#101418", "#ffffff"


@cache
def environment() -> Environment:
    """Return the environment that renders pages."""
    made = Environment(
        loader=PackageLoader("grubio.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals["version"] = __version__
    for name in ("percent", "plain", "points", "score_text", "range_text", "plural"):
        made.filters[name] = getattr(numbers, name)
    made.filters["scheme_title"] = scheme_title
    return made


def text_colour(background: str) -> str:
    """Return black or white, whichever is read better on a ``#rrggbb`` colour (WCAG contrast).

    Examples
    --------
    >>> text_colour("#F0E442"), text_colour("#0072B2")
    ('#101418', '#ffffff')
    """
    on_dark, on_light = (
        _contrast(background, _LIGHT),
        _contrast(background, _DARK),
    )
    return _LIGHT if on_dark >= on_light else _DARK


def scheme_title(scheme: LabelScheme) -> str:
    """Return how a scheme is called in text: SS3 and SS8 in capitals, others as they are."""
    return scheme.name.upper() if scheme.name in SCHEMES else scheme.name


def flattened(content: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested settings as rows ``(key, value)``, with keys joined by dots, in their order.

    Examples
    --------
    >>> flattened({"a": {"b": 1}, "c": ["x", "y"], "d": None})
    [('a.b', '1'), ('c', 'x, y'), ('d', 'none')]
    """
    rows: list[tuple[str, str]] = []
    for key, value in content.items():
        if isinstance(value, Mapping):
            rows += flattened(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", _as_text(value)))
    return rows


def _as_text(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_as_text(item) for item in value)
    return str(value)


def _contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
