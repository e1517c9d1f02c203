"""The sites that a DNA model scores highest, aligned."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter

import numpy as np
import numpy.typing as npt

from grubio.inference.predictor import Predictor
from grubio.sequences.locus import Locus
from grubio.sequences.record import Record
from grubio.sequences.runs_and_peaks import called_radius, peaks, site_scores


@dataclass(frozen=True)
class AlignedSite:
    """A high-scoring site.

    Attributes
    ----------
    score
        Mean probability of the class over the site.
    record
        The record with the site.
    start, width
        Offset of the site in the record, and its length in bases.
    sequence
        The site and its flanks in upper case.
    """

    score: float
    record: Record
    start: int
    width: int
    sequence: str

    @property
    def locus(self) -> Locus:
        """Locus of the site without its flanks."""
        return Locus.from_id(self.record.id).part(self.start, self.start + self.width)

    def has_room(self, flank: int) -> bool:
        """Return whether the record has at least ``flank`` bases on either side of the site."""
        return self.start >= flank and self.start + self.width + flank <= len(self.record)


def best_sites(
    predictor: Predictor, records: Iterable[Record], most: int, flank: int
) -> dict[str, list[AlignedSite]]:
    """Return the highest-scoring sites of each class of fixed width by letter, best first.

    Sites whose flanks run past the end of the record or contain letters other than ACGT are left
    out. Of sites with equal scores the first one found is kept.

    Parameters
    ----------
    predictor
        The model.
    records
        Sequences to search; ids are loci.
    most
        Maximum number of sites per class.
    flank
        Bases on each side of a site in its ``sequence``.
    """
    scheme, sites = predictor.bundle.scheme, predictor.bundle.sites or {}
    best: dict[str, list[AlignedSite]] = {letter: [] for letter in sites}
    for answer in predictor.predict(records):
        for letter, site in sites.items():
            column = answer.probabilities[:, scheme.letters.index(letter)]
            found = _sites(answer.record, column, site.width, flank)
            best[letter] = heapq.nlargest(most, chain(best[letter], found), attrgetter("score"))
    return best


def _sites(
    record: Record, probabilities: npt.NDArray[np.float32], width: int, flank: int
) -> Iterator[AlignedSite]:
    scores = site_scores(probabilities, width)
    for start in peaks(scores, called_radius(width)).tolist():
        first, last = start - flank, start + width + flank
        text = record.sequence[max(first, 0) : last].upper()
        if len(text) == last - first and set(text) <= set("ACGT"):
            yield AlignedSite(float(scores[start]), record, start, width, text)
