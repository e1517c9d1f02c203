"""Which sites of fixed width a strand has, and which candidates are right.

True sites are read from the labels. A run of a class as long as its width is one site. A longer
run comes from features that overlap: it counts as as many sites as are needed to cover it, the
first at its start, the last at its end, the others evenly between, which is exact for two. A
shorter run is a feature cut off by the end of the block or by another class: nobody can say where
it starts, so candidates that touch it are neither right nor wrong, as are those that touch a base
whose label is unknown.

From the best candidate down, a candidate is right if a true site of the same strand starts within
the tolerance and no better candidate has taken it; so every site is found once, and further
candidates near it are wrong.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from grubio.metrics.bootstrap import Floats
from grubio.sequences.runs_and_peaks import runs

TOLERANCES = (0, 3, 10)
"""Bases by which the start of a candidate may be off."""

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
    """Return whether a candidate that starts there is right or wrong, bool ``(start,)``.

    ``undecided`` says of each base whether it is of a run too short to hold a site or unknown.

    Examples
    --------
    >>> countable_starts(np.array([False, False, True, False, False]), 2).tolist()
    [True, False, False, True]
    """
    bad = np.concatenate(([0], np.cumsum(undecided)))
    return np.asarray(bad[width:] == bad[:-width])


def near_a_site(starts: Starts, sites: Starts) -> Mask:
    """Return whether a true site starts within the largest tolerance of each candidate.

    This is what near a known site means wherever wrong calls are counted, in scores and in
    thresholds.

    Parameters
    ----------
    starts
        Of the candidates of one strand, ``(candidate,)``.
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
        Of the candidates, ``(candidate,)``; of equal scores the first is the better one.
    sites
        Starts of the true sites, ascending, ``(site,)``.
    tolerance
        Largest distance of the two starts.

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
