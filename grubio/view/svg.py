"""Matplotlib figures as reproducible SVG, in the colours of the page.

Figures are drawn in the light colours below. In a page these become CSS variables, so that figures
follow its light and its dark theme.
"""

from __future__ import annotations

import contextlib
import html
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
from markupsafe import Markup
from matplotlib.figure import Figure

from grubio.files import write_text_whole

INK = "#1c2127"
MUTED = "#59636e"
GRID = "#dfe3e8"
PAPER = "#fffffe"
ACCENT = "#0b5fa5"
CONTRAST = "#b54708"

_VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--line)",
    PAPER: "var(--paper)",
    ACCENT: "var(--accent)",
    CONTRAST: "var(--contrast)",
}
_STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "none",
    "font.size": 10,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "legend.fontsize": 9.5,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.8,
    "lines.markersize": 5.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "grubio",
    "text.color": INK,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 9.5,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 9.5,
}
_NO_METADATA = {"Creator": None, "Date": None, "Format": None, "Type": None}


@contextlib.contextmanager
def drawing_style() -> Iterator[None]:
    """Draw in the style of grubio, whatever the user's Matplotlib settings."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def inline_svg(figure: Figure, name: str, description: str) -> Markup:
    """Return a figure drawn within :func:`drawing_style` as an ``<svg>`` element for a page.

    Parameters
    ----------
    figure
        The figure.
    name
        Unique prefix of every ``id`` in the figure.
    description
        Text for screen readers.
    """
    return inline_svg_text(_as_text(figure), name, description)


def inline_svg_text(text: str, name: str, description: str) -> Markup:
    """Return the content of a file of :func:`write_svg` as an ``<svg>`` element for a page.

    Raises
    ------
    ValueError
        If it is not SVG.
    """
    text = text[text.index("<svg") :].strip()
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    # The page has its own background.
    text = text.replace("fill: #ffffff", "fill: none", 1)
    text = re.sub(r'\sxmlns(:xlink)?="[^"]*"|\sversion="1\.1"', "", text)
    for size in ("width", "height"):
        text = re.sub(rf'(<svg[^>]*?)\s{size}="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    text = re.sub(r"font: (?:\w+ )*?([\d.]+px) [^;\"]*", r"font-size: \1", text)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, variable)
    label = html.escape(description)
    return Markup(text.replace("<svg", f'<svg role="img" aria-label="{label}"', 1))


def write_svg(path: Path, figure: Figure, title: str) -> None:
    """Write a figure on a white background to a file.

    Raises
    ------
    GrubioError
        If the file cannot be written.
    """
    figure.set_facecolor("white")
    write_text_whole(path, _as_text(figure, title))


def _as_text(figure: Figure, title: str | None = None) -> str:
    buffer = io.StringIO()
    metadata = _NO_METADATA if title is None else {**_NO_METADATA, "Title": title}
    with drawing_style():
        figure.savefig(buffer, format="svg", metadata=metadata)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"
