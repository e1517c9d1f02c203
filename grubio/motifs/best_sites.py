"""The sites that a DNA model scores highest, aligned."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

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
        The record that holds it.
    start, width
        Offset of its first base in the record, and its bases.
    sequence
        The site with its flanks, upper case.
    """

    score: float
    record: Record
    start: int
    width: int
    sequence: str

    @property
    def locus(self) -> Locus:
        """Where the site lies, without its flanks."""
        return Locus.from_id(self.record.id).part(self.start, self.start + self.width)

    def has_room(self, flank: int) -> bool:
        """Return whether the record has so many bases on both sides of the site."""
        return self.start >= flank and self.start + self.width + flank <= len(self.record)


def best_sites(
    predictor: Predictor, records: Iterable[Record], most: int, flank: int
) -> dict[str, list[AlignedSite]]:
    """Return the highest-scoring sites of each class of fixed width by letter, best first.

    Sites whose flanks leave the record or hold other letters than ACGT are left out.

    Parameters
    ----------
    predictor
        The model.
    records
        Where to look; ids are loci.
    most
        Most sites of a class.
    flank
        Bases on each side of a site in its ``sequence``.
    """
    bundle = predictor.bundle
    kept: dict[str, list[tuple[float, int, AlignedSite]]] = {k: [] for k in bundle.sites or {}}
    number = 0
    for answer in predictor.predict(records):
        record = answer.record
        for letter, called in (bundle.sites or {}).items():
            column = bundle.scheme.letters.index(letter)
            scores = site_scores(answer.probabilities[:, column], called.width)
            for start in peaks(scores, called_radius(called.width)).tolist():
                first, last = start - flank, start + called.width + flank
                text = record.sequence[max(first, 0) : last].upper()
                if len(text) < last - first or set(text) - set("ACGT"):
                    continue
                number += 1
                site = AlignedSite(float(scores[start]), record, start, called.width, text)
                # Of equal scores the first one found is kept.
                entry = (site.score, -number, site)
                if len(kept[letter]) < most:
                    heapq.heappush(kept[letter], entry)
                else:
                    heapq.heappushpop(kept[letter], entry)
    return {k: [e[2] for e in sorted(entries, reverse=True)] for k, entries in kept.items()}
