"""Format ``html`` of genome models: called features as one HTML page.

Bases and their probabilities would be too much for a browser; format ``igv`` has them. The data of
the page is one line of JSON per contig, followed by one line per feature: class, start (1-based),
end (inclusive), strand, score.
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
        """Return the lines of the features, and of the contig at its start."""
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
