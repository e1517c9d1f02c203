"""The layout of packed rows, for the engine of the GRU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Codes: TypeAlias = npt.NDArray[np.uint8]
"""Residue codes, ``(residue,)``."""

# A matrix product of few rows sums in another order than one of many. With no product smaller than
# this, the output for a sequence does not depend on the others of its batch. MKL needs four.
LEAST_ROWS = 4
# Rows whose inputs are multiplied at once: enough for full speed, few enough for the cache.
CHUNK_ROWS = 1024


@dataclass(frozen=True)
class PackedRows:
    """The layout of a batch: the rows of step t are ``starts[t]:starts[t + 1]``.

    Attributes
    ----------
    order
        The sequence in each column, longest first; ``(column,)``.
    starts
        First row of each step, then the total number of rows; ``(step + 1,)``.
    """

    order: list[int]
    starts: list[int]


@dataclass(frozen=True)
class Chunk:
    """Consecutive steps: their rows, half-open, and the number of rows of each step."""

    rows: tuple[int, int]
    counts: list[int]


def packed_rows(lengths: Sequence[int]) -> PackedRows:
    """Return the layout of sequences of the given lengths."""
    sizes = np.asarray(lengths)
    order = np.argsort(-sizes, kind="stable")
    longer = len(sizes) - np.searchsorted(np.sort(sizes), np.arange(sizes.max()), side="right")
    return PackedRows(order.tolist(), [0, *np.cumsum(longer).tolist()])


def places_of_residues(rows: PackedRows, lengths: Sequence[int]) -> npt.NDArray[np.int64]:
    """Return the row of each residue of the concatenated sequences, int64 ``(residue,)``."""
    column = np.empty(len(lengths), dtype=np.int64)
    column[rows.order] = np.arange(len(lengths))
    ends = np.cumsum(lengths)
    step = np.arange(ends[-1]) - np.repeat(ends - lengths, lengths)
    starts: npt.NDArray[np.int64] = np.asarray(rows.starts, dtype=np.int64)
    found: npt.NDArray[np.int64] = starts[step] + np.repeat(column, lengths)
    return found


def chunks_of(starts: Sequence[int]) -> list[Chunk]:
    """Return chunks of consecutive steps, of about :data:`CHUNK_ROWS` rows each.

    A step of fewer than :data:`LEAST_ROWS` rows shares a chunk only with steps of as many rows.
    """
    counts = np.diff(np.asarray(starts))
    filled = np.maximum(counts, LEAST_ROWS).tolist()
    kinds = np.minimum(counts, LEAST_ROWS).tolist()
    chunks = []
    first = held = 0
    for step, size in enumerate(filled):
        if step > first and (held + size > CHUNK_ROWS or kinds[step] != kinds[first]):
            chunks.append((first, step))
            first, held = step, 0
        held += size
    chunks.append((first, len(filled)))
    return [Chunk((starts[i], starts[j]), counts[i:j].tolist()) for i, j in chunks]
