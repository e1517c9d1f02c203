"""Sites: where a class of fixed width is called on one strand, from the probability of each base.

The score of a site is the mean probability of its class over the site's width. Of overlapping
candidates the best is called.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def site_scores(probability: npt.NDArray[np.float32], width: int) -> npt.NDArray[np.float64]:
    """Return the mean probability of the ``width`` bases from each base on.

    Parameters
    ----------
    probability
        Probability of the class, ``(base,)``.
    width
        Bases of a site.

    Returns
    -------
    float64 ``(base - width + 1,)``; empty if there are fewer bases than that.

    Examples
    --------
    >>> site_scores(np.array([0.0, 1.0, 1.0, 0.0], dtype=np.float32), 2).tolist()
    [0.5, 1.0, 0.5]
    """
    if len(probability) < width:
        return np.zeros(0)
    # Each window is summed on its own: a difference of running sums would depend on what came
    # before, and a site must score the same wherever the scan began.
    windows = np.lib.stride_tricks.sliding_window_view(probability, width)
    return np.asarray(windows.mean(axis=1, dtype=np.float64))


def peaks(scores: npt.NDArray[np.float64], radius: int) -> npt.NDArray[np.int64]:
    """Return the starts of sites that no better one lies within ``radius`` of, in order.

    Of equal scores the first counts as better. A site is decided by the scores within
    ``radius`` alone.

    Examples
    --------
    >>> peaks(np.array([0.1, 0.9, 0.9, 0.2, 0.0, 0.3]), 2).tolist()
    [1, 5]
    """
    if not len(scores):
        return np.zeros(0, dtype=np.int64)
    edge = np.full(radius, -np.inf)
    around = np.concatenate((edge, scores, edge))
    windows = np.lib.stride_tricks.sliding_window_view(around, radius)
    before = windows[: len(scores)].max(axis=1)
    after = windows[radius + 1 :].max(axis=1)
    return np.flatnonzero((scores > before) & (scores >= after))


def runs(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return first place and place after the last one of every run of true, int64 ``(run, 2)``.

    Examples
    --------
    >>> runs(np.array([False, True, True, False, True])).tolist()
    [[1, 3], [4, 5]]
    """
    padded = np.concatenate(([False], mask, [False]))
    return np.flatnonzero(padded[1:] != padded[:-1]).reshape(-1, 2)


def equal_runs(values: npt.NDArray[np.generic]) -> npt.NDArray[np.int64]:
    """Return first place and place after the last one of every run of equal values, ``(run, 2)``.

    Examples
    --------
    >>> equal_runs(np.array(["a", "a", "b", "a"])).tolist()
    [[0, 2], [2, 3], [3, 4]]
    """
    changes = np.flatnonzero(values[1:] != values[:-1]) + 1
    borders = np.column_stack((np.r_[0, changes], np.r_[changes, len(values)]))
    # Of no values there is no run.
    return borders[: len(values)]


def called_radius(width: int) -> int:
    """Return how near to a better site of its class a site of this width is not called."""
    return max(width, 10)
