"""Called features of a genome as one HTML page: format ``html`` of genome models.

The page holds features, not the bases and their probabilities, which would be too much for a
browser; those go into the format ``igv``. Its data is a line of JSON for each contig, then a line
for each feature: class, start (1-based), end (inside), strand, score.
"""

from __future__ import annotations

from grubio.inference.called_features import CalledStretch
from grubio.view.page import json_line, page_parts
from grubio.writers.text import Content, TextFormat


class GenomeHtmlFormat(TextFormat[CalledStretch]):
    """A page of called features."""

    def __init__(self, content: Content) -> None:
        super().__init__(content)
        self._before, self._after = page_parts(
            content.scheme, "features.js", "Features of a genome"
        )

    def header(self) -> str:
        """Return the page up to its data."""
        return self._before

    def text(self, item: CalledStretch) -> str:
        """Return the lines of features, after that of the contig at its start."""
        stretch, features = item
        lines: list[object] = []
        if stretch.start == 0:
            lines.append({"contig": stretch.contig, "length": stretch.length})
        for feature in features:
            locus = feature.locus
            score = round(feature.score, 3)
            lines.append([feature.letter, locus.start + 1, locus.end, locus.strand, score])
        return "".join(json_line(line) + "\n" for line in lines)

    def footer(self) -> str:
        """Return the rest of the page."""
        return self._after
