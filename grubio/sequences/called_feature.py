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
