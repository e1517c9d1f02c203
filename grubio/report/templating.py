"""The templates of the pages: everything that is put into them is escaped."""

from __future__ import annotations

from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from grubio import __version__
from grubio.runs import numbers
from grubio.sequences.scheme import SCHEMES, LabelScheme

_DARK, _LIGHT = "#101418", "#ffffff"


@cache
def environment() -> Environment:
    """Return the environment that renders pages."""
    made = Environment(
        # The page of predictions has the drawing of secondary structure.
        loader=ChoiceLoader([PackageLoader("grubio.report"), PackageLoader("grubio.view", "")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals["version"] = __version__
    for name in ("percent", "plain", "points", "score_text", "range_text", "plural", "gain_text"):
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


def class_styles(scheme: LabelScheme) -> list[tuple[str, str, str]]:
    """Return a CSS class, a colour and the colour of text on it for each class of a scheme.

    The classes of the coarsest scheme are ``c0``, ``c1`` and so on; those of a finer scheme
    ``f0``, ``f1``.
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
    """Return how a scheme is called in text: SS3 and SS8 in capitals, others as they are."""
    return scheme.name.upper() if scheme.name in SCHEMES else scheme.name


def _contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
