"""The sites of fixed width on a strand, and which candidates are right.

True sites are read from the labels. A run of a class as long as its width is one site. A longer run
comes from overlapping features: it holds as many sites as are needed to cover it, the first at its
start, the last at its end, the others evenly between, which is exact for two. A shorter run is a
feature cut off by the end of the block or by another class, so that its start is unknown:
candidates that overlap it do not count, and neither do those that overlap a base without a label.

From the best candidate down, a candidate is right if a true site on the same strand starts within
the tolerance and no better candidate has taken it. So every site is found at most once, and other
candidates near it are wrong.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from grubio.metrics.bootstrap import Floats
from grubio.sequences.runs_and_peaks import runs

TOLERANCES = (0, 3, 10)
"""Largest distances in bases between the start of a candidate and that of a true site."""

Classes = npt.NDArray[np.uint8]
Starts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def true_sites(classes: Classes, index: int, width: int) -> tuple[Starts, Mask]:
    """Return the starts of the sites of a class, and the bases of runs too short to hold one.

    Parameters
    ----------
    classes
        Class of each base, uint8 ``(base,)``.
    index
        The class.
    width
        Bases of a site.

    Returns
    -------
    int64 ``(site,)`` and bool ``(base,)``.

    Examples
    --------
    >>> starts, short = true_sites(np.array([1, 0, 1, 1, 1, 1, 0, 1, 1], np.uint8), 1, 2)
    >>> starts.tolist(), np.flatnonzero(short).tolist()
    ([2, 4, 7], [0])
    """
    starts: list[int] = []
    short = np.zeros(len(classes), dtype=bool)
    for first, last in runs(classes == index).tolist():
        if last - first < width:
            short[first:last] = True
        else:
            count = -(-(last - first) // width)
            starts += np.linspace(first, last - width, count).round().astype(int).tolist()
    return np.array(starts, dtype=np.int64), short


def countable_starts(undecided: Mask, width: int) -> Mask:
    """Return whether a candidate that starts at a base counts, bool ``(start,)``.

    ``undecided`` is whether each base is unknown or in a run too short to hold a site.

    Examples
    --------
    >>> countable_starts(np.array([False, False, True, False, False]), 2).tolist()
    [True, False, False, True]
    """
    bad = np.concatenate(([0], np.cumsum(undecided)))
    return np.asarray(bad[width:] == bad[:-width])


def near_a_site(starts: Starts, sites: Starts) -> Mask:
    """Return whether a true site starts within the largest tolerance of each candidate.

    Parameters
    ----------
    starts
        Starts of the candidates of one strand, ``(candidate,)``.
    sites
        Starts of the true sites of that strand, ascending, ``(site,)``.

    Examples
    --------
    >>> near_a_site(np.array([9, 10, 30, 31]), np.array([20])).tolist()
    [False, True, True, False]
    """
    reach = max(TOLERANCES)
    return np.asarray(
        np.searchsorted(sites, starts - reach) < np.searchsorted(sites, starts + reach + 1)
    )


def matched(starts: Starts, scores: Floats, sites: Starts, tolerance: int) -> Mask:
    """Return whether each candidate of one strand is right, bool ``(candidate,)``.

    Parameters
    ----------
    starts, scores
        Of the candidates, ``(candidate,)``; of equal scores the first is better.
    sites
        Starts of the true sites, ascending, ``(site,)``.
    tolerance
        Largest distance between the two starts.

    Examples
    --------
    >>> starts, scores = np.array([10, 21, 40]), np.array([0.5, 0.9, 0.8])
    >>> matched(starts, scores, np.array([12, 20]), 10).tolist()
    [True, True, False]
    """
    right = np.zeros(len(starts), dtype=bool)
    free = np.ones(len(sites), dtype=bool)
    reach = np.searchsorted(sites, starts - tolerance, side="left")
    limit = np.searchsorted(sites, starts + tolerance, side="right")
    close = np.flatnonzero(limit > reach)
    for at in close[np.argsort(-scores[close], kind="stable")]:
        open_ = reach[at] + np.flatnonzero(free[reach[at] : limit[at]])
        if len(open_):
            right[at] = True
            free[open_[np.abs(sites[open_] - starts[at]).argmin()]] = False
    return right
