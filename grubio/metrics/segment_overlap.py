"""Segment overlap: SOV'99 and SOV_refine.

* SOV'99: Zemla, Venclovas, Fidelis and Rost, Proteins 34:220-223 (1999).
* SOV_refine: Liu and Wang, Source Code for Biology and Medicine 13:1 (2018), with lambda = 1.

For each pair of an observed segment s1 and a predicted segment s2 of the same class that share a
residue, with ``minov`` the number of residues shared and ``maxov`` the extent of both together::

    SOV = 1/N * sum over pairs (minov + allowance) / maxov * len(s1)

where N sums ``len(s1)`` over the pairs and over the observed segments without a partner. The
allowances are::

    SOV'99      min(maxov - minov, minov, len(s1) // 2, len(s2) // 2)
    SOV_refine  min(maxov - minov, D * len(s1) / L * minov / maxov)
                D = (number of observed classes) / sum over observed segments (len / L)**2

with L the number of residues. Both are 1 for a perfect prediction. A residue that does not count
is in no segment, ends the segments around it, and is not in L.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from grubio.sequences.runs_and_peaks import equal_runs

UNSCORED = 255
"""The class of residues that do not count."""

Classes = npt.NDArray[np.uint8]


class _Segment(NamedTuple):
    label: int
    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


def sov_99(observed: Classes, predicted: Classes) -> float:
    """Return SOV'99 of one chain as a fraction, or NaN if no residue counts.

    Parameters
    ----------
    observed, predicted
        Class of each residue, uint8 ``(residue,)``; observed is 255 where a residue does not count.

    Examples
    --------
    >>> o, p = ([int(c == "H") for c in t] for t in ("CHHHHHHHHHHC", "CCCHHHHHHCCC"))
    >>> round(sov_99(np.array(o, np.uint8), np.array(p, np.uint8)), 3)
    0.806
    """

    def allowance(first: _Segment, second: _Segment, shared: int, extent: int) -> float:
        return min(extent - shared, shared, first.length // 2, second.length // 2)

    return _segment_overlap(observed, predicted, allowance)


def sov_refine(observed: Classes, predicted: Classes) -> float:
    """Return SOV_refine of one chain as a fraction, or NaN if no residue counts.

    Parameters are those of :func:`sov_99`.
    """
    segments = _segments(observed, observed == UNSCORED)
    length = int((observed != UNSCORED).sum())
    classes = len({segment.label for segment in segments})
    spread = sum((segment.length / length) ** 2 for segment in segments)

    def allowance(first: _Segment, _: _Segment, shared: int, extent: int) -> float:
        grown = classes / spread * first.length / length * shared / extent
        return min(extent - shared, grown)

    return _segment_overlap(observed, predicted, allowance)


def _segment_overlap(
    observed: Classes,
    predicted: Classes,
    allowance: Callable[[_Segment, _Segment, int, int], float],
) -> float:
    if observed.shape != predicted.shape:
        raise ValueError(f"{len(observed)} observed but {len(predicted)} predicted residues")
    unscored = observed == UNSCORED
    theirs = _segments(predicted, unscored)
    total = norm = 0.0
    first_near = 0
    for ours in _segments(observed, unscored):
        # Both lists ascend: segments that end before this one never overlap a later one.
        while first_near < len(theirs) and theirs[first_near].end <= ours.start:
            first_near += 1
        partners = 0
        for other in theirs[first_near:]:
            if other.start >= ours.end:
                break
            if other.label == ours.label:
                shared = min(ours.end, other.end) - max(ours.start, other.start)
                extent = max(ours.end, other.end) - min(ours.start, other.start)
                total += (shared + allowance(ours, other, shared, extent)) / extent * ours.length
                partners += 1
        norm += ours.length * max(partners, 1)
    return total / norm if norm else float("nan")


def _segments(classes: Classes, unscored: npt.NDArray[np.bool_]) -> list[_Segment]:
    marked = np.where(unscored, -1, classes.astype(np.int16))
    return [
        _Segment(int(classes[start]), start, end)
        for start, end in equal_runs(marked).tolist()
        if not unscored[start]
    ]
