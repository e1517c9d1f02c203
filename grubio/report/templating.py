"""The Jinja environment of the pages; values are escaped."""

from __future__ import annotations

from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from grubio import __version__
from grubio.runs import numbers
from grubio.sequences.scheme import SCHEMES, LabelScheme
from grubio.text import plural

_DARK, _LIGHT = "#101418", "#ffffff"


@cache
def environment() -> Environment:
    """Return the environment that renders pages."""
    made = Environment(
        # The second has ribbons.js.
        loader=ChoiceLoader([PackageLoader("grubio.report"), PackageLoader("grubio.view", "")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals["version"] = __version__
    for name in ("percent", "plain", "points", "score_text", "range_text", "gain_text"):
        made.filters[name] = getattr(numbers, name)
    made.filters["plural"] = plural
    made.filters["scheme_title"] = scheme_title
    return made


def text_colour(background: str) -> str:
    """Return black or white, whichever has more contrast (WCAG 2) to a ``#rrggbb`` colour.

    Examples
    --------
    >>> text_colour("#F0E442"), text_colour("#0072B2")
    ('#101418', '#ffffff')
    """
    luminance = _luminance(background) + 0.05
    with_light, with_dark = 1.05 / luminance, luminance / (_luminance(_DARK) + 0.05)
    return _LIGHT if with_light >= with_dark else _DARK


def class_styles(scheme: LabelScheme) -> list[tuple[str, str, str]]:
    """Return CSS class, colour and text colour of each class of a scheme.

    CSS classes are ``c0``, ``c1`` ... of the headline scheme, ``f0``, ``f1`` ... of a finer one.
    """
    schemes = [("c", scheme.headline)]
    if scheme.headline is not scheme:
        schemes.append(("f", scheme))
    return [
        (f"{prefix}{number}", colour, text_colour(colour))
        for prefix, one in schemes
        for number, colour in enumerate(one.colours)
    ]


def scheme_title(scheme: LabelScheme) -> str:
    """Return the name of a scheme as in text: SS3 and SS8 in capitals, others unchanged."""
    return scheme.name.upper() if scheme.name in SCHEMES else scheme.name


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
