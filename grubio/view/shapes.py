"""Shapes of secondary structure as SVG paths: helix ribbons, strand arrows, lines.

``ribbons.js`` has the same functions for pages, where rows are drawn as they come into sight; a
test in a browser holds the two together. All lengths are in pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import Literal

from grubio.sequences.scheme import SCHEMES, LabelScheme

Shape = Literal["helix", "strand", "turn", "bend", "line", "box"]

HEIGHT = 24
"""Height of a ribbon."""

_TURN = 3.6  # residues of a turn of an alpha helix
_SHAPES: Mapping[str, Shape] = {
    "H": "helix",
    "G": "helix",
    "I": "helix",
    "E": "strand",
    "B": "strand",
    "T": "turn",
    "S": "bend",
    "C": "line",
}


def shapes_of(scheme: LabelScheme) -> dict[str, Shape]:
    """Return the shape of each class: boxes for classes that are no secondary structure.

    Examples
    --------
    >>> from grubio.sequences.scheme import SS3
    >>> shapes_of(SS3)
    {'H': 'helix', 'E': 'strand', 'C': 'line'}
    """
    if scheme.name in SCHEMES:
        return {letter: _SHAPES[letter] for letter in scheme.letters}
    return {letter: "line" if letter == scheme.background else "box" for letter in scheme.letters}


def ribbon(shape: Shape | None, colour: str, start: float, end: float, cell: float) -> str:
    """Return the SVG of one segment.

    Parameters
    ----------
    shape
        What to draw; None for residues without a label.
    colour
        ``#rrggbb``.
    start, end
        Where it begins and ends, from the left.
    cell
        Width of a residue.
    """
    middle = HEIGHT / 2
    if shape is None:
        return (
            f'<path d="M{_n(start)} {_n(middle)}H{_n(end)}" fill="none" stroke="#8a929b" '
            'stroke-width="1.5" stroke-dasharray="1.5 3"/>'
        )
    if shape == "helix":
        back, front = helix_paths(start, end, cell)
        return f'<path d="{back}" fill="{shade(colour)}"/><path d="{front}" fill="{colour}"/>'
    if shape == "strand":
        return f'<path d="{arrow_path(start, end, cell)}" fill="{colour}"/>'
    if shape == "box":
        return (
            f'<rect x="{_n(start + 0.5)}" y="4" width="{_n(end - start - 1)}" '
            f'height="{HEIGHT - 8}" rx="3" fill="{colour}"/>'
        )
    line = {
        "line": f"M{_n(start)} {_n(middle)}H{_n(end)}",
        "turn": f"M{_n(start)} {_n(middle)}C{_n(start)} 1 {_n(end)} 1 {_n(end)} {_n(middle)}",
        "bend": f"M{_n(start)} {_n(middle)}L{_n((start + end) / 2)} 6L{_n(end)} {_n(middle)}",
    }[shape]
    return (
        f'<path d="{line}" fill="none" stroke="{colour}" stroke-width="2.5" '
        'stroke-linecap="round" stroke-linejoin="round"/>'
    )


def helix_paths(start: float, end: float, cell: float) -> tuple[str, str]:
    """Return the path data of the far and of the near side of a helix ribbon.

    A whole number of turns, as near to 3.6 residues each as fits.
    """
    thick = min(1.5 * cell, (end - start) / 2)
    turns = max(1, _rounded((end - start) / cell / _TURN))
    width = (end - start - thick) / turns
    low, high = HEIGHT - 2, 2
    back, front = [], []
    for turn in range(turns):
        x = start + turn * width
        front.append(_band(x, low, x + width / 2, high, thick))
        back.append(_band(x + width / 2, high, x + width, low, thick))
    return "".join(back), "".join(front)


def arrow_path(start: float, end: float, cell: float) -> str:
    """Return the path data of a strand's arrow, which points to the last residue."""
    neck = max(start, end - 1.7 * cell)
    middle = HEIGHT / 2
    return (
        f"M{_n(start)} {_n(middle - 5)}H{_n(neck)}V{_n(middle - 10)}L{_n(end)} {_n(middle)}"
        f"L{_n(neck)} {_n(middle + 10)}V{_n(middle + 5)}H{_n(start)}Z"
    )


def shade(colour: str) -> str:
    """Return a darker tone of a ``#rrggbb`` colour, for the far side of a ribbon.

    Examples
    --------
    >>> shade("#0072B2")
    '#00446a'
    """
    return "#" + "".join(f"{int(colour[at : at + 2], 16) * 6 // 10:02x}" for at in (1, 3, 5))


def text(x: float, y: float, content: str, extra: str = "") -> str:
    """Return the SVG of a text; its content is escaped."""
    return f'<text x="{_n(x)}" y="{_n(y)}"{extra}>{escape(content)}</text>'


def _band(x0: float, y0: float, x1: float, y1: float, thick: float) -> str:
    middle = (x0 + x1) / 2
    return (
        f"M{_n(x0)} {y0}C{_n(middle)} {y0} {_n(middle)} {y1} {_n(x1)} {y1}H{_n(x1 + thick)}"
        f"C{_n(middle + thick)} {y1} {_n(middle + thick)} {y0} {_n(x0 + thick)} {y0}Z"
    )


def _rounded(value: float) -> int:
    # Halves up, as JavaScript's Math.round.
    return math.floor(value + 0.5)


def _n(value: float) -> str:
    # At most one decimal, no trailing zero.
    return f"{math.floor(value * 10 + 0.5) / 10:.10g}"
