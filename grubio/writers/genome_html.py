"""Called features of a genome as one HTML page: format ``html`` of a model of a genome.

The page holds features, not the bases and their probabilities, which would be too much for a
browser; those go into the format ``igv``. Its data is a line of JSON for each contig, then a line
for each feature: class, start (1-based), end (inside), strand, score.
"""

from __future__ import annotations

from collections.abc import Sequence

from grubio.inference.stretches import Stretch
from grubio.sequences.called_feature import CalledFeature
from grubio.sequences.scheme import LabelScheme
from grubio.view.page import json_line, page_parts


class GenomeHtmlFormat:
    """See the module's text."""

    def __init__(self, scheme: LabelScheme) -> None:
        self._before, self._after = page_parts(scheme, "features.js", "Features of a genome")

    def header(self) -> str:
        """Return the page up to its data."""
        return self._before

    def text(self, stretch: Stretch, features: Sequence[CalledFeature]) -> str:
        """Return the lines of features, after that of the contig at its start."""
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
