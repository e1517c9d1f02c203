"""BED6: one line per called feature, 0-based half-open coordinates.

Format: UCSC's description of BED (https://genome.ucsc.edu/FAQ/FAQformat.html#format1). The name
is the class, blanks as ``_``; the score column is the score times 1000, rounded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from grubio.called_features import Feature
from grubio.inference import Stretch


class BedFormat:
    """See the module's text."""

    def header(self) -> str:
        """Return nothing: BED has no header."""
        return ""

    def text(self, stretch: Stretch, features: Sequence[Feature]) -> str:
        """Return the lines of features; the contig and the scheme are those of the stretch."""
        scheme = stretch.scheme
        names = [re.sub(r"\s", "_", name) for name in scheme.class_names]
        return "".join(
            f"{feature.locus.contig}\t{feature.locus.start}\t{feature.locus.end}"
            f"\t{names[scheme.letters.index(feature.letter)]}"
            f"\t{round(1000 * feature.score)}\t{feature.locus.strand}\n"
            for feature in features
        )
