"""BED6: one line per called feature, 0-based half-open coordinates.

Format: UCSC's description of BED (https://genome.ucsc.edu/FAQ/FAQformat.html#format1). The name
is the class, blanks as ``_``; the score column is the score times 1000, rounded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from grubio.inference.stretches import Stretch
from grubio.sequences.called_feature import CalledFeature
from grubio.writers.genome_text import PlainGenomeFormat


class BedFormat(PlainGenomeFormat):
    """See the module's text.

    Parameters
    ----------
    colours
        Whether to write BED9, whose last column is the colour of the class.
    """

    def __init__(self, *, colours: bool = False) -> None:
        self._colours = colours

    def text(self, stretch: Stretch, features: Sequence[CalledFeature]) -> str:
        """Return the lines of features; the contig and the scheme are those of the stretch."""
        scheme = stretch.scheme
        names = [re.sub(r"\s", "_", name) for name in scheme.class_names]
        lines = []
        for feature in features:
            locus, column = feature.locus, scheme.letters.index(feature.letter)
            line = (
                f"{locus.contig}\t{locus.start}\t{locus.end}\t{names[column]}"
                f"\t{round(1000 * feature.score)}\t{locus.strand}"
            )
            if self._colours:
                line += f"\t{locus.start}\t{locus.end}\t{decimal_colour(scheme.colours[column])}"
            lines.append(line + "\n")
        return "".join(lines)


def decimal_colour(colour: str) -> str:
    """Return a ``#rrggbb`` colour as the three numbers of BED and IGV.

    Examples
    --------
    >>> decimal_colour("#0072B2")
    '0,114,178'
    """
    return ",".join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
