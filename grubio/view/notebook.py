"""Labelled sequences as HTML for a notebook: inline SVG, without scripts and style sheets."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

import numpy as np
import numpy.typing as npt

from grubio.sequences.scheme import LabelScheme
from grubio.sequences.segments import label_runs
from grubio.view.shapes import HEIGHT, UNLABELLED, place, templates_of, text

_CELL = 12
_PER_ROW = 60
_MOST_ROWS = 10
_MOST_SEQUENCES = 5
_GUTTER = 48
_ROW = HEIGHT + 54
_FONT = 'font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace"'


@dataclass(frozen=True)
class DrawnSequence:
    """A sequence to draw; ``confidence`` is the probability of its labels, ``(residue,)``."""

    id: str
    sequence: str
    labels: str
    confidence: npt.NDArray[np.float32]
    scheme: LabelScheme


def sequence_html(
    sequence: DrawnSequence, summary: str | None = None, bars: str = "confidence"
) -> str:
    """Return the first 600 residues as HTML: ribbons, residues, confidence, and a legend.

    ``summary`` stands in place of the mean confidence, ``bars`` says what the bars are. Colours
    suit light and dark notebooks.
    """
    drawn = min(len(sequence.sequence), _MOST_ROWS * _PER_ROW)
    rest = f" · the first {drawn} are drawn" if drawn < len(sequence.sequence) else ""
    summary = summary or f"mean confidence {float(sequence.confidence.mean()):.2f}"
    return (
        '<div style="font: 14px/1.5 system-ui, sans-serif; overflow-x: auto">'
        f"<div><b>{escape(sequence.id)}</b> · {len(sequence.sequence):,} residues · "
        f"{escape(summary)}{rest}</div>"
        f"{_svg(sequence, drawn)}{_legend(sequence.scheme, bars)}</div>"
    )


def several_html(drawings: Iterable[str], total: int) -> str:
    """Return the drawings of the first five sequences as HTML."""
    shown = list(itertools.islice(drawings, _MOST_SEQUENCES))
    if not shown:
        return "<div>no sequences</div>"
    rest = total - len(shown)
    more = f"<div>and {rest:,} more</div>" if rest else ""
    return f"{'<br>'.join(shown)}{more}"


def _svg(sequence: DrawnSequence, drawn: int) -> str:
    rows = range(0, drawn, _PER_ROW)
    runs = label_runs(sequence.labels)
    width = _GUTTER + _CELL * min(_PER_ROW, drawn) + 8
    drawings = "".join(
        f'<g transform="translate(0 {number * _ROW})">'
        f"{_row(sequence, runs, first, min(first + _PER_ROW, drawn))}</g>"
        for number, first in enumerate(rows)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{_ROW * len(rows)}" '
        f'viewBox="0 0 {width} {_ROW * len(rows)}" role="img" fill="currentColor" {_FONT}>'
        f"<title>{escape(sequence.id)}: {escape(sequence.labels[:drawn])}</title>{drawings}</svg>"
    )


def _row(sequence: DrawnSequence, runs: list[tuple[str, int, int]], first: int, last: int) -> str:
    templates = templates_of(sequence.scheme)
    parts = [text(_GUTTER - 8, HEIGHT + 15, str(first + 1), ' font-size="11" text-anchor="end"')]
    drawing = [
        place(templates.get(label, UNLABELLED), (start - first) * _CELL, end - start, _CELL)
        for label, start, end in runs
        if start < last and end > first
    ]
    width = (last - first) * _CELL
    middles = " ".join(str(_CELL * i + _CELL // 2) for i in range(last - first))
    letters = escape(sequence.sequence[first:last])
    parts.append(
        f'<svg x="{_GUTTER}" width="{width}" height="{HEIGHT}">{"".join(drawing)}</svg>'
        f'<g transform="translate({_GUTTER} 0)">'
        f'<text x="{middles}" y="{HEIGHT + 15}" font-size="13" text-anchor="middle">{letters}'
        "</text>"
    )
    for at, value in enumerate(sequence.confidence[first:last].tolist()):
        height = round(14 * value, 1)
        parts.append(
            f'<rect x="{at * _CELL + 1}" y="{HEIGHT + 34 - height:g}" width="{_CELL - 2}" '
            f'height="{height:g}" opacity=".35"/>'
        )
    return "".join([*parts, "</g>"])


def _legend(scheme: LabelScheme, bars: str) -> str:
    templates = templates_of(scheme)
    items = [
        '<span style="display: inline-block; margin-right: 1.2em; white-space: nowrap">'
        f'<svg width="44" height="{HEIGHT}" style="vertical-align: middle">'
        f"{place(templates[letter], 2, 4, 10)}</svg> {escape(_title(letter, name))}</span>"
        for letter, name in zip(scheme.letters, scheme.class_names, strict=True)
    ]
    return f"<div>{''.join(items)}<span>grey bars: {escape(bars)}</span></div>"


def _title(letter: str, name: str) -> str:
    return letter if name == letter else f"{letter} {name}"
