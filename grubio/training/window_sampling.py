"""Windows around rare labels and windows of background, drawn anew for every pass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from grubio.datasets.parquet import DatasetHeader
from grubio.model.batching import Example
from grubio.sequences.runs_and_peaks import runs

Span = tuple[int, int, int]
"""Number of the example, first residue, and the residue after the last one."""


def rare_stretches(examples: Sequence[Example], rare: Sequence[int], length: int) -> list[Span]:
    """Return what windows are drawn around: the labelled stretches of all examples.

    Stretches that fit into one window of ``length`` residues together are one.
    """
    return [
        (number, first, last)
        for number, example in enumerate(examples)
        for first, last in _together(labelled_stretches(example.classes, rare), length)
    ]


def sampled_windows(
    examples: Sequence[Example],
    stretches: Sequence[Span],
    length: int,
    ratio: float,
    *,
    seed: int,
    epoch: int,
) -> list[Span]:
    """Return the windows of one pass, the same for the same seed and epoch.

    Every stretch gets a window in which it lies anywhere. Background windows are drawn uniformly
    over the residues of all examples and may hold labelled stretches by chance, as often as they do
    in the data.

    Parameters
    ----------
    examples
        Where to draw from; those shorter than a window are taken whole.
    stretches
        Of :func:`rare_stretches`.
    length
        Residues of a window.
    ratio
        Background windows for each window around a stretch.
    seed, epoch
        What the draws follow from.
    """
    generator = np.random.default_rng((seed, epoch))
    windows = []
    for number, first, last in stretches:
        total = len(examples[number])
        low = max(0, min(last - length, first))
        high = max(low, min(first, total - length))
        start = int(generator.integers(low, high + 1))
        windows.append(_within(number, start, length, total))
    totals = np.array([len(example) for example in examples])
    count = round(ratio * len(stretches))
    for number in generator.choice(len(examples), count, p=totals / totals.sum()).tolist():
        start = int(generator.integers(0, max(totals[number] - length, 0) + 1))
        windows.append(_within(number, start, length, int(totals[number])))
    return windows


def window_of(examples: Sequence[Example], window: Span) -> Example:
    """Return a window as an example; its arrays are views."""
    number, start, stop = window
    return examples[number].part(start, stop)


def rare_classes(header: DatasetHeader) -> list[int]:
    """Return the class indices of a dataset's sites, or of all but the background without any."""
    letters = header.sites or header.scheme.letters.replace(header.scheme.background or "", "")
    return [header.scheme.letters.index(letter) for letter in letters]


def labelled_stretches(
    classes: npt.NDArray[np.integer], rare: Sequence[int]
) -> list[tuple[int, int]]:
    """Return first residue and residue after the last one of every run of the classes.

    Examples
    --------
    >>> labelled_stretches(np.array([1, 0, 0, 1, 0, -100]), [0])
    [(1, 3), (4, 5)]
    """
    return [(first, last) for first, last in runs(np.isin(classes, rare)).tolist()]


def _together(stretches: list[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    # A third of a window is room enough for the window to move.
    joined: list[tuple[int, int]] = []
    for first, last in stretches:
        if joined and last - joined[-1][0] <= length // 3:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined


def _within(number: int, start: int, length: int, total: int) -> Span:
    start = max(0, min(start, total - length))
    return number, start, min(start + length, total)
