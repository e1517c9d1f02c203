"""Helix ribbons, strand arrows and lines of secondary structure as SVG.

Each shape is drawn here, once, as a template of one turn. :func:`place` puts it where a segment
is; on pages, which draw rows as they come into sight, ``ribbons.js`` does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Literal

from grubio.sequences.scheme import SCHEMES, LabelScheme
from grubio.sequences.topology import Role, roles_of

Shape = Literal[
    "helix", "strand", "turn", "bend", "line", "box", "signal", "inside", "outside", "membrane"
]

HEIGHT = 24
"""Height of a ribbon in pixels."""

_SHAPES: Mapping[str, Shape] = {
    **dict.fromkeys("HGI", "helix"),
    **dict.fromkeys("EB", "strand"),
    **{"T": "turn", "S": "bend", "C": "line"},
}
_OF_TOPOLOGY: Mapping[Role | None, Shape] = {
    "signal": "signal",
    "helix": "membrane",
    "strand": "membrane",
    "inside": "inside",
    "outside": "outside",
}
_MARK = re.compile(r"\{(.+?)\}")


@dataclass(frozen=True)
class Template:
    """The drawing of one turn of a segment; a shape without turns is drawn as a single one.

    A segment of ``length`` residues has ``turns_per_residue * length`` turns, rounded, of equal
    width, and ends in a tail. Helix bands are as thick as the tail; it is the head of an arrow.

    Attributes
    ----------
    svg
        SVG in which ``{a}``, ``{a,b}`` or ``{a,b,c}`` is an x coordinate: ``a`` turns, ``b``
        tails and ``c`` pixels from the start of the turn.
    turns_per_residue
        0 for shapes without turns.
    tail
        Width of the tail in residues.
    most_tail
        Largest fraction of the segment that the tail takes.
    """

    svg: str
    turns_per_residue: float = 0.0
    tail: float = 0.0
    most_tail: float = 0.0


# Topology: a band for the membrane all along, the outside above it, the inside below.
_BAND = '<path d="M{0} 7H{1}V17H{0}Z" fill="#8a929b" fill-opacity=".28"/>'
_FILLED = '<path d="%s" fill="COLOUR"/>'
_LINE = '<path d="%s" fill="none" stroke="COLOUR" stroke-width="2.5" stroke-linecap="round" '
_LINE += 'stroke-linejoin="round"/>'
_DRAWINGS: Mapping[Shape, Template] = {
    "helix": Template(
        # The far side of the ribbon, then the near side.
        '<path d="M{.5} 2C{.75} 2 {.75} 22 {1} 22H{1,1}C{.75,1} 22 {.75,1} 2 {.5,1} 2Z" '
        'fill="SHADE"/>'
        + _FILLED
        % "M{0} 22C{.25} 22 {.25} 2 {.5} 2H{.5,1}C{.25,1} 2 {.25,1} 22 {0,1} 22Z",
        turns_per_residue=1 / 3.6,
        tail=1.5,
        most_tail=0.5,
    ),
    "strand": Template(_FILLED % "M{0} 7H{1}V2L{1,1} 12L{1} 22V17H{0}Z", tail=1.7, most_tail=1.0),
    "box": Template(
        _FILLED % "M{0,0,3.5} 4H{1,0,-3.5}A3 3 0 0 1 {1,0,-.5} 7V17A3 3 0 0 1 {1,0,-3.5} 20"
        "H{0,0,3.5}A3 3 0 0 1 {0,0,.5} 17V7A3 3 0 0 1 {0,0,3.5} 4Z"
    ),
    "membrane": Template(
        _BAND + _FILLED % "M{0,0,1.5} 2H{1,0,-1.5}V22H{0,0,1.5}Z",
    ),
    "inside": Template(_BAND + _LINE % "M{0} 21H{1}"),
    "outside": Template(_BAND + _LINE % "M{0} 3H{1}"),
    "signal": Template(_BAND + _FILLED % "M{0} 0H{1,0,-4}L{1} 3L{1,0,-4} 6H{0}Z"),
    "turn": Template(_LINE % "M{0} 12C{0} 1 {1} 1 {1} 12"),
    "bend": Template(_LINE % "M{0} 12L{.5} 6L{1} 12"),
    "line": Template(_LINE % "M{0} 12H{1}"),
}
UNLABELLED = Template(
    '<path d="M{0} 12H{1}" fill="none" stroke="#8a929b" stroke-width="1.5" '
    'stroke-dasharray="1.5 3"/>'
)
"""Residues without a confident label."""


def shapes_of(scheme: LabelScheme) -> dict[str, Shape]:
    """Return the shape of each class: boxes for classes that are no secondary structure.

    Examples
    --------
    >>> from grubio.sequences.scheme import SS3
    >>> shapes_of(SS3)
    {'H': 'helix', 'E': 'strand', 'C': 'line'}
    """
    if (roles := roles_of(scheme)) is not None:
        return {letter: _OF_TOPOLOGY.get(roles.get(letter), "box") for letter in scheme.letters}
    if scheme.name in SCHEMES:
        return {letter: _SHAPES[letter] for letter in scheme.letters}
    return {letter: "line" if letter == scheme.background else "box" for letter in scheme.letters}


def templates_of(scheme: LabelScheme) -> dict[str, Template]:
    """Return how each class is drawn, by letter, in the colours of the scheme."""
    templates = {}
    for (letter, shape), colour in zip(shapes_of(scheme).items(), scheme.colours, strict=True):
        svg = _DRAWINGS[shape].svg.replace("COLOUR", colour).replace("SHADE", shade(colour))
        templates[letter] = replace(_DRAWINGS[shape], svg=svg)
    return templates


def place(drawing: Template, start: float, length: int, cell: float) -> str:
    """Return the SVG of a segment, as ``ribbon`` of ``ribbons.js`` does.

    Parameters
    ----------
    drawing
        What to draw.
    start
        Where the segment begins, in pixels from the left.
    length
        Its residues.
    cell
        Width of a residue in pixels.

    Examples
    --------
    >>> place(Template("M{0} 12H{1}"), start=5, length=3, cell=10)
    'M5 12H35'
    """
    tail = min(drawing.tail, drawing.most_tail * length)
    turns = max(1, math.floor(drawing.turns_per_residue * length + 0.5))
    width = (length - tail) / turns

    def turn(number: int) -> str:
        def x(mark: re.Match[str]) -> str:
            a, b, c, *_ = (*map(float, mark[1].split(",")), 0.0, 0.0)
            return _n(start + cell * ((number + a) * width + b * tail) + c)

        return _MARK.sub(x, drawing.svg)

    return "".join(map(turn, range(turns)))


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


def _n(value: float) -> str:
    # At most one decimal, no trailing zero.
    return f"{math.floor(value * 10 + 0.5) / 10:.10g}"
