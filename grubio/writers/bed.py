"""BED6: one line per called feature, 0-based half-open coordinates.

Format: UCSC's description of BED (https://genome.ucsc.edu/FAQ/FAQformat.html#format1). The name
is the class, blanks as ``_``; the score column is the score times 1000, rounded.
"""

import re

from grubio.inference.called_features import CalledRegion
from grubio.writers.text import Content, TextFormat, tsv_line


class BedFormat(TextFormat[CalledRegion]):
    """BED of called features.

    Parameters
    ----------
    content
        What all contigs share.
    colours
        Whether to write BED9, whose last column is the colour of the class.
    """

    def __init__(self, content: Content, *, colours: bool = False) -> None:
        super().__init__(content)
        self._colours = colours

    def text(self, item: CalledRegion) -> str:
        """Return the lines of the features."""
        scheme = self.content.scheme
        names = [re.sub(r"\s", "_", name) for name in scheme.class_names]
        lines = []
        for feature in item.features:
            locus, column = feature.locus, scheme.letters.index(feature.letter)
            place = (locus.contig, locus.start, locus.end)
            cells = [*place, names[column], round(1000 * feature.score), locus.strand]
            if self._colours:
                cells += [locus.start, locus.end, decimal_colour(scheme.colours[column])]
            lines.append(tsv_line(*cells))
        return "".join(lines)


def decimal_colour(colour: str) -> str:
    """Return a ``#rrggbb`` colour as the three numbers of BED and IGV.

    Examples
    --------
    >>> decimal_colour("#0072B2")
    '0,114,178'
    """
    return ",".join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
