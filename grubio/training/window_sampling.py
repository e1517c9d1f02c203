"""Windows around rare labels, and background windows, drawn anew for every pass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from grubio.datasets.parquet import DatasetHeader
from grubio.model.batching import Example
from grubio.sequences.runs_and_peaks import runs

Span = tuple[int, int, int]
"""Index of an example, its first residue, and the residue after its last one."""


def rare_regions(examples: Sequence[Example], rare: Sequence[int], length: int) -> list[Span]:
    """Return the regions of rare classes, which windows are drawn around.

    A region is a run of residues of those classes. Regions that fit into a third of a window of
    ``length`` residues are joined: that leaves the window room to move.
    """
    regions: list[Span] = []
    for number, example in enumerate(examples):
        first_of_example = len(regions)
        for first, last in runs(np.isin(example.classes, rare)).tolist():
            if len(regions) > first_of_example and last - regions[-1][1] <= length // 3:
                regions[-1] = (number, regions[-1][1], last)
            else:
                regions.append((number, first, last))
    return regions


def sampled_windows(
    examples: Sequence[Example],
    regions: Sequence[Span],
    length: int,
    ratio: float,
    *,
    seed: int,
    epoch: int,
) -> list[Span]:
    """Return the windows of one pass, the same for the same seed and epoch.

    Every region gets a window that holds it, in a random position, or lies within it if it is
    longer. Background windows are drawn uniformly over the residues of all examples and may hold
    rare labels by chance, as often as they occur in the data.

    Parameters
    ----------
    examples
        Examples to draw from; those shorter than a window are taken whole.
    regions
        The result of :func:`rare_regions`.
    length
        Residues of a window.
    ratio
        Background windows for each window around a region.
    seed, epoch
        Seeds of the random generator.
    """
    generator = np.random.default_rng((seed, epoch))
    totals = np.array([len(example) for example in examples])

    def window(number: int, low: int, high: int) -> Span:
        start = int(generator.integers(low, high + 1))
        start = max(0, min(start, int(totals[number]) - length))
        return number, start, min(start + length, int(totals[number]))

    windows = []
    for number, first, last in regions:
        low, high = sorted((last - length, first))
        low = max(0, low)
        windows.append(window(number, low, max(low, min(high, int(totals[number]) - length))))
    count = round(ratio * len(regions))
    for number in generator.choice(len(examples), count, p=totals / totals.sum()).tolist():
        windows.append(window(number, 0, max(int(totals[number]) - length, 0)))
    return windows


def rare_classes(header: DatasetHeader) -> list[int]:
    """Return the class indices of a dataset's sites; without sites, of all but the background."""
    letters = header.sites or header.scheme.letters.replace(header.scheme.background or "", "")
    return [header.scheme.letters.index(letter) for letter in letters]
