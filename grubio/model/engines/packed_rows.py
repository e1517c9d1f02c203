"""The layout of packed rows, for the engine of the GRU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Codes: TypeAlias = npt.NDArray[np.uint8]
"""Residue codes, ``(residue,)``."""
Frequencies: TypeAlias = npt.NDArray[np.floating]
"""A profile, ``(residue, 20)``."""
Indices: TypeAlias = npt.NDArray[np.int64]

CHUNK_ROWS = 512
"""Rows whose inputs are multiplied at once: enough for full speed, few enough for the cache."""


@dataclass(frozen=True)
class Chunk:
    """Consecutive steps: their rows, half-open, and the number of rows of each step."""

    start: int
    stop: int
    counts: list[int]


class PackedRows:
    """The rows of a batch: those of step 0 of all sequences, then those of step 1, and so on.

    A step has a row for each sequence that is long enough, longest sequence first.

    Parameters
    ----------
    lengths
        Residues of each sequence; none is 0.
    """

    def __init__(self, lengths: Sequence[int]) -> None:
        self._lengths: Indices = np.asarray(lengths, dtype=np.int64)
        self._order = np.argsort(-self._lengths, kind="stable")
        longest_first = self._lengths[self._order]
        ends = np.arange(longest_first[0])
        self.counts: Indices = np.searchsorted(-longest_first, -ends, side="left")
        self._starts = np.concatenate(([0], np.cumsum(self.counts)))
        self._step = np.repeat(ends, self.counts)
        self._column = np.arange(len(self._step)) - self._starts[self._step]
        self._length_of_row = longest_first[self._column]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._step)

    @property
    def places(self) -> Indices:
        """The place of each row among the residues of all sequences, int64 ``(row,)``."""
        starts = (np.cumsum(self._lengths) - self._lengths)[self._order]
        return np.asarray(starts[self._column] + self._step)

    @property
    def sequences(self) -> Indices:
        """The sequence of each row, int64 ``(row,)``."""
        return np.asarray(self._order[self._column])

    @cached_property
    def turned(self) -> Indices:
        """The row that each row becomes if every sequence is reversed, int64 ``(row,)``."""
        return np.asarray(self._starts[self._length_of_row - 1 - self._step] + self._column)

    @cached_property
    def chunks(self) -> list[Chunk]:
        """Consecutive steps of up to ``CHUNK_ROWS`` rows together, or a single larger step.

        Steps of one row are in chunks of their own.
        """
        counts, first, held = self.counts.tolist(), 0, 0
        found = []
        for step, count in enumerate(counts):
            alone = count == 1 < counts[first]
            if step > first and (held + count > CHUNK_ROWS or alone):
                found.append(self._chunk(first, step))
                first, held = step, 0
            held += count
        return [*found, self._chunk(first, len(counts))]

    def _chunk(self, first: int, last: int) -> Chunk:
        starts = self._starts
        return Chunk(int(starts[first]), int(starts[last]), self.counts[first:last].tolist())
