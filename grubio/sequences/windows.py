"""Windows: overlapping pieces of a long sequence that are labelled one by one.

A window is a core with some bases of context on both sides, whose predictions are discarded. The
cores lie end to end, so that every base has one prediction. They are nearly equal in length and
symmetric about the middle of the sequence: the windows of the reverse complement are the reverse
complements of the windows.

An assembly gap is a run of at least ten N, as in sequence databases (NCBI, "Genomes: Gapped Format
for Genome Submission"). Nothing is called in a gap.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grubio.sequences.record import Record

# More than the 515 bases that a convolution of eight layers sees on each side, stem included, so
# that its answers do not depend on the windows. It costs a fifth more than no overlap;
# benchmarks/genome_windows.py measures how predictions differ from those without windows.
CORE = 4000
"""Bases of a window whose predictions are kept."""

OVERLAP = 520
"""Bases of context on each side of a core."""

GAP = 10
"""Least number of N in a row that are an assembly gap."""

_GAP_TEXT = re.compile(f"[Nn]{{{GAP},}}")


@dataclass(frozen=True, slots=True)
class Window:
    """Bases that the model sees at once, 0-based and half-open.

    Attributes
    ----------
    start, end
        The window.
    first, last
        Its core.
    """

    start: int
    end: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class ContigPart:
    """The windows whose cores begin in one region of a sequence, and the bases that they see.

    Attributes
    ----------
    id, description, mask, length
        Of the whole sequence; ``mask`` as in :class:`grubio.sequences.record.Record`.
    sequence
        Letters from the start of the first window to the end of the last one.
    offset
        Position of ``sequence`` in the whole sequence.
    first, last
        The cores, 0-based and half-open.
    """

    id: str
    description: str
    sequence: str
    mask: str | None
    length: int
    offset: int
    first: int
    last: int

    @classmethod
    def whole(cls, record: Record) -> ContigPart:
        """Return the part that is a whole record."""
        size = len(record)
        return cls(record.id, record.description, record.sequence, record.mask, size, 0, 0, size)

    @property
    def record(self) -> Record:
        """The record of a part that is a whole one."""
        return Record(self.id, self.description, self.sequence, mask=self.mask)


def windows(length: int, core: int = CORE, overlap: int = OVERLAP) -> Iterator[Window]:
    """Yield the windows of a sequence in order.

    Parameters
    ----------
    length
        Bases of the sequence; a sequence that fits into one window is one window.
    core
        Bases of a core; a core in the middle may have one or two more.
    overlap
        Bases of context on each side, fewer at the ends of the sequence.

    Examples
    --------
    >>> for window in windows(25, core=10, overlap=2):
    ...     print(window)
    Window(start=0, end=10, first=0, last=8)
    Window(start=6, end=19, first=8, last=17)
    Window(start=15, end=25, first=17, last=25)
    """
    number = 1 if length <= core + 2 * overlap else -(-length // core)
    if number % 2 == 0 and length % 2:
        # An odd number of bases has no middle between two bases.
        number += 1

    def border(index: int) -> int:
        if index > number // 2:
            return length - border(number - index)
        return index * length // number

    first = 0
    for index in range(1, number + 1):
        last = border(index)
        if first < last:
            yield Window(max(first - overlap, 0), min(last + overlap, length), first, last)
        first = last


def gap_mask(sequence: str, start: int, end: int) -> npt.NDArray[np.bool_]:
    """Return which of the bases from ``start`` to ``end`` lie in a gap, bool ``(base,)``.

    Examples
    --------
    >>> int(gap_mask("ACN" + "N" * 10 + "GNT", 1, 16).sum())
    11
    """
    before = max(start - GAP + 1, 0)
    text = sequence[before : end + GAP - 1]
    mask = np.zeros(len(text), dtype=np.bool_)
    for run in _GAP_TEXT.finditer(text):
        mask[run.start() : run.end()] = True
    return mask[start - before : end - before]
