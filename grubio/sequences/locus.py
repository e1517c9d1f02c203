"""Loci: intervals on the strands of a genome, and the coordinates of their bases.

The id of a record that is cut out of a genome is its locus, as ``bedtools getfasta -s`` writes it:
``NC_000913.3:0-50000(+)``, 0-based and half-open. Sequence, labels and probabilities of a record on
the minus strand run from 5' to 3': base 0 is the one with the highest coordinate.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Strand = Literal["+", "-"]
STRANDS: tuple[Strand, Strand] = ("+", "-")

_LOCUS = re.compile(r"(?P<contig>.+):(?P<start>\d+)-(?P<end>\d+)\((?P<strand>[+-])\)")
_COMPLEMENT = str.maketrans("ACGTURYSWKMBDHVNacgturyswkmbdhvn", "TGCAAYRSWMKVHDBNtgcaayrswmkvhdbn")


@dataclass(frozen=True, slots=True, order=True)
class Locus:
    """An interval on one strand of a contig.

    Attributes
    ----------
    contig
        Id of the contig.
    start, end
        Interval in coordinates of the plus strand, 0-based and half-open.
    strand
        ``+`` or ``-``.

    Examples
    --------
    >>> locus = Locus.from_id("chr1:100-160(-)")
    >>> locus.position(0), len(locus), str(locus)
    (159, 60, 'chr1:100-160(-)')
    """

    contig: str
    start: int
    end: int
    strand: Strand

    @classmethod
    def from_id(cls, text: str) -> Locus:
        """Return the locus that an id spells out.

        Raises
        ------
        ValueError
            If the id is no locus.
        """
        found = _LOCUS.fullmatch(text)
        if found is None or int(found["start"]) >= int(found["end"]):
            raise ValueError(f"'{text}' is no locus such as chr1:0-50000(+)")
        strand: Strand = "+" if found["strand"] == "+" else "-"
        return cls(found["contig"], int(found["start"]), int(found["end"]), strand)

    def __len__(self) -> int:
        """Return the number of bases."""
        return self.end - self.start

    def __str__(self) -> str:
        """Return the id of a record at this locus."""
        return f"{self.contig}:{self.start}-{self.end}({self.strand})"

    def position(self, offset: int) -> int:
        """Return the 0-based coordinate of the base at an offset into the record."""
        return self.start + offset if self.strand == "+" else self.end - 1 - offset

    def part(self, first: int, last: int) -> Locus:
        """Return the locus of the bases from offset ``first`` up to but excluding ``last``."""
        if self.strand == "+":
            return Locus(self.contig, self.start + first, self.start + last, "+")
        return Locus(self.contig, self.end - last, self.end - first, "-")


def block_of(locus: Locus) -> str:
    """Return the group of the records of both strands: the id of a locus without the strand.

    Examples
    --------
    >>> block_of(Locus("chr1", 0, 50000, "-"))
    'chr1:0-50000'
    """
    return f"{locus.contig}:{locus.start}-{locus.end}"


def reverse_complement(sequence: str) -> str:
    """Return the other strand of a DNA sequence, case kept; U becomes A.

    Examples
    --------
    >>> reverse_complement("AACgtN")
    'NacGTT'
    """
    return sequence.translate(_COMPLEMENT)[::-1]
