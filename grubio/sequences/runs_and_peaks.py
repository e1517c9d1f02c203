"""Runs of values along a sequence, and the peaks at which sites of fixed width are called."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def site_scores(probability: npt.NDArray[np.float32], width: int) -> npt.NDArray[np.float64]:
    """Return the score of a site that starts at each base: its mean probability over the width.

    Parameters
    ----------
    probability
        Probability of the class, ``(base,)``.
    width
        Bases of a site.

    Returns
    -------
    float64 ``(base - width + 1,)``; empty if there are fewer bases than the width.

    Examples
    --------
    >>> site_scores(np.array([0.0, 1.0, 1.0, 0.0], dtype=np.float32), 2).tolist()
    [0.5, 1.0, 0.5]
    """
    if len(probability) < width:
        return np.zeros(0)
    # Each window is summed anew: a difference of running sums would depend on the bases before it,
    # and a site must score the same wherever the scan began.
    windows = np.lib.stride_tricks.sliding_window_view(probability, width)
    return np.asarray(windows.mean(axis=1, dtype=np.float64))


def peaks(scores: npt.NDArray[np.float64], radius: int) -> npt.NDArray[np.int64]:
    """Return in order the starts of sites without a better site within ``radius``.

    Of equal scores the first counts as better. Scores beyond ``radius`` have no influence.

    Examples
    --------
    >>> peaks(np.array([0.1, 0.9, 0.9, 0.2, 0.0, 0.3]), 2).tolist()
    [1, 5]
    """
    if not len(scores):
        return np.zeros(0, dtype=np.int64)
    around = np.pad(scores, radius, constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(around, radius)
    before = windows[: len(scores)].max(axis=1)
    after = windows[radius + 1 :].max(axis=1)
    return np.flatnonzero((scores > before) & (scores >= after))


def runs(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return the start and the end (exclusive) of every run of true, int64 ``(run, 2)``.

    Examples
    --------
    >>> runs(np.array([False, True, True, False, True])).tolist()
    [[1, 3], [4, 5]]
    """
    padded = np.pad(mask, 1)
    return np.flatnonzero(padded[1:] != padded[:-1]).reshape(-1, 2)


def equal_runs(values: npt.NDArray[np.generic]) -> npt.NDArray[np.int64]:
    """Return the start and the end (exclusive) of every run of equal values, int64 ``(run, 2)``.

    Examples
    --------
    >>> equal_runs(np.array(["a", "a", "b", "a"])).tolist()
    [[0, 2], [2, 3], [3, 4]]
    """
    changes = np.flatnonzero(values[1:] != values[:-1]) + 1
    borders = np.column_stack((np.r_[0, changes], np.r_[changes, len(values)]))
    # Without values there is no run.
    return borders[: len(values)]


def called_radius(width: int) -> int:
    """Return the distance from a better site of its class within which a site is not called."""
    return max(width, 10)
