"""A feature that a genome model calls: a site or a segment."""

from __future__ import annotations

from dataclasses import dataclass

from grubio.sequences.locus import Locus


@dataclass(frozen=True, slots=True)
class CalledFeature:
    """A site or a segment.

    Attributes
    ----------
    locus
        Its position.
    letter
        Letter of its class.
    score
        Mean probability of the class over its bases.
    """

    locus: Locus
    letter: str
    score: float


@dataclass(frozen=True, slots=True)
class CalledGene(CalledFeature):
    """A gene without introns; its score is the mean probability of its bases.

    Attributes
    ----------
    protein
        What it codes for, without the stop.
    log_odds
        Natural log-odds against no gene, with which it was chosen among others.
    cut_before, cut_after
        Whether the contig ends before its start or its stop codon, in its own direction.
    """

    protein: str
    log_odds: float
    cut_before: bool
    cut_after: bool

    @property
    def cut_left(self) -> bool:
        """Whether it goes on before the first base of the contig."""
        return self.cut_before if self.locus.strand == "+" else self.cut_after

    @property
    def cut_right(self) -> bool:
        """Whether it goes on after the last base of the contig."""
        return self.cut_after if self.locus.strand == "+" else self.cut_before
