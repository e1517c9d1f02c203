"""Called features: sites and segments of a genome, from probabilities that come region by region.

A class of fixed width is called as sites: where the mean probability over the width reaches the
class's threshold and no better site of the class lies within its radius. Any other class but the
background is called as segments: runs of bases that have its label. A feature that crosses the
border of two regions is called as if the contig came in one piece.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from grubio.inference.called_introns import CalledIntron
from grubio.inference.labelled_region import LabelledRegion
from grubio.model.bundle import Site
from grubio.sequences.called_feature import CalledFeature
from grubio.sequences.locus import STRANDS, Locus, Strand
from grubio.sequences.runs_and_peaks import equal_runs, peaks, site_scores
from grubio.sequences.scheme import LabelScheme


class CalledRegion(NamedTuple):
    """A region of a contig, and the features and introns that became certain with it."""

    region: LabelledRegion
    features: Sequence[CalledFeature]
    introns: Sequence[CalledIntron] = ()


class FeatureCaller:
    """Calls the features of contigs that come region by region.

    Parameters
    ----------
    scheme
        The classes.
    sites
        How the classes of fixed width are called, by letter.
    min_score
        Least score of any feature, instead of the sites' thresholds.
    min_segment
        Least number of bases of a segment.
    """

    def __init__(
        self,
        scheme: LabelScheme,
        sites: Mapping[str, Site],
        *,
        min_score: float | None = None,
        min_segment: int = 1,
    ) -> None:
        self._scheme = scheme
        self._sites = sites
        self._min_score = min_score
        self._min_segment = min_segment
        self._waiting: list[CalledFeature] = []
        self._scans: list[_SiteScan | _SegmentScan] = []

    def takes(self, feature: CalledFeature) -> bool:
        """Return whether a segment is long enough and scores enough."""
        return len(feature.locus) >= self._min_segment and feature.score >= (self._min_score or 0)

    def feed(self, region: LabelledRegion) -> list[CalledFeature]:
        """Return the features that are certain once this region is known.

        Over all calls for a contig they are sorted by start, then end, strand and class. None is
        held back at the end of a contig.
        """
        if region.start == 0:
            self._begin(tuple(region.probabilities))
        final = region.end == region.length
        for scan in self._scans:
            self._waiting += scan.feed(region, final=final)
        open_starts = [scan.settled for scan in self._scans]
        settled = region.length if final else min(open_starts, default=0)
        ready = [feature for feature in self._waiting if feature.locus.start < settled]
        self._waiting = [feature for feature in self._waiting if feature.locus.start >= settled]
        return sorted(ready, key=self._place)

    def _begin(self, strands: tuple[Strand, ...]) -> None:
        self._scans = [
            _SiteScan(
                self._scheme.letters.index(letter),
                letter,
                strand,
                site.width,
                site.radius,
                site.threshold if self._min_score is None else self._min_score,
            )
            for strand in strands
            for letter, site in self._sites.items()
        ]
        others = {*self._sites, self._scheme.background}
        segments = {letter for letter in self._scheme.letters if letter not in others}
        if segments:
            self._scans += [
                _SegmentScan(segments, strand, self._min_segment, self._min_score or 0.0)
                for strand in strands
            ]

    def _place(self, feature: CalledFeature) -> tuple[int, int, int, int]:
        locus = feature.locus
        letter = self._scheme.letters.index(feature.letter)
        return locus.start, locus.end, STRANDS.index(locus.strand), letter


@dataclass
class _SiteScan:
    """The sites of one class on one strand of a contig; ``settled`` is the first undecided start.

    Bases are held from one radius before it: sites that start there may outscore it.
    """

    column: int
    letter: str
    strand: Strand
    width: int
    radius: int
    threshold: float
    held: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    first: int = 0
    settled: int = 0

    def feed(self, region: LabelledRegion, *, final: bool) -> list[CalledFeature]:
        radius = self.radius
        new = region.probabilities[self.strand][:, self.column]
        self.held = np.concatenate((self.held, new))
        # A strand is read in its own direction: of equal scores its first one counts.
        way = 1 if self.strand == "+" else -1
        own_scores = site_scores(self.held[::way], self.width)
        own_starts = peaks(own_scores, radius)
        scores = own_scores[::way]
        starts = own_starts if way == 1 else len(scores) - 1 - own_starts[::-1]
        certain = self.first + len(scores) - (0 if final else radius)
        found = [
            CalledFeature(
                Locus(region.contig, start, start + self.width, self.strand),
                self.letter,
                float(scores[start - self.first]),
            )
            for start in (starts + self.first).tolist()
            if self.settled <= start < certain and scores[start - self.first] >= self.threshold
        ]
        self.settled = max(certain, self.settled)
        kept = max(self.settled - radius, self.first)
        self.held = self.held[kept - self.first :]
        self.first = kept
        return found


@dataclass
class _SegmentScan:
    """The segments of one strand of a contig; ``settled`` is where the open run began."""

    letters: set[str]
    strand: Strand
    min_length: int
    min_score: float
    open: tuple[int, int, float] | None = None
    settled: int = 0

    def feed(self, region: LabelledRegion, *, final: bool) -> list[CalledFeature]:
        probabilities = region.probabilities[self.strand]
        classes = region.classes(self.strand)
        found: list[CalledFeature] = []
        for first, last in equal_runs(classes).tolist():
            index = int(classes[first])
            total = float(probabilities[first:last, index].sum(dtype=np.float64))
            if self.open is not None and self.open[0] == index:
                self.open = (index, self.open[1], self.open[2] + total)
                continue
            found += self._closed(region, region.start + first)
            self.open = (index, region.start + first, total)
        if final:
            found += self._closed(region, region.end)
        inside = self.open is not None and region.scheme.letters[self.open[0]] in self.letters
        self.settled = self.open[1] if self.open and inside else region.end
        return found

    def _closed(self, region: LabelledRegion, end: int) -> list[CalledFeature]:
        if self.open is None:
            return []
        index, start, total = self.open
        letter, score = region.scheme.letters[index], total / (end - start)
        if letter not in self.letters or end - start < self.min_length or score < self.min_score:
            return []
        return [CalledFeature(Locus(region.contig, start, end, self.strand), letter, score)]
