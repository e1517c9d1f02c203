"""Where the residues of a batch are when rows are packed, as the engine of the GRU has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from grubio.model.batching import padded_codes

Codes: TypeAlias = npt.NDArray[np.uint8]
"""Residue codes, ``(residue,)``."""

# A matrix product of few rows sums in another order than one of many; with no product smaller
# than this, an answer does not depend on what is computed beside it. MKL needs four.
LEAST_ROWS = 4
# Rows whose inputs are multiplied at once: enough for full speed, few enough for the cache.
CHUNK_ROWS = 1024


@dataclass(frozen=True)
class PackedRows:
    """Where the residues of a batch are: the rows of step t are ``starts[t]:starts[t + 1]``.

    Attributes
    ----------
    order
        The sequence in each column, longest first; ``(column,)``.
    starts
        First row of each step, and the number of all rows; ``(step + 1,)``.
    """

    order: list[int]
    starts: list[int]


@dataclass(frozen=True)
class Chunk:
    """Consecutive steps: their rows, half-open, and the number of rows of each step."""

    rows: tuple[int, int]
    counts: list[int]


def packed_rows(lengths: Sequence[int]) -> PackedRows:
    """Return the layout of sequences of some lengths."""
    sizes = np.asarray(lengths)
    order = np.argsort(-sizes, kind="stable")
    longer = len(sizes) - np.searchsorted(np.sort(sizes), np.arange(sizes.max()), side="right")
    return PackedRows(order.tolist(), [0, *np.cumsum(longer).tolist()])


def places_of_residues(rows: PackedRows, lengths: Sequence[int]) -> npt.NDArray[np.int64]:
    """Return the row of each residue of all sequences, end to end; int64 ``(residue,)``."""
    column = np.empty(len(lengths), dtype=np.int64)
    column[rows.order] = np.arange(len(lengths))
    ends = np.cumsum(lengths)
    step = np.arange(ends[-1]) - np.repeat(ends - lengths, lengths)
    starts: npt.NDArray[np.int64] = np.asarray(rows.starts, dtype=np.int64)
    found: npt.NDArray[np.int64] = starts[step] + np.repeat(column, lengths)
    return found


def padded_columns(
    sequences: Sequence[Codes], rows: PackedRows, pad_code: int
) -> tuple[Codes, npt.NDArray[np.bool_]]:
    """Return codes ``(step, column)`` and which of them are rows."""
    codes, lengths = padded_codes([sequences[number] for number in rows.order], pad_code)
    return codes, np.arange(len(codes))[:, None] < lengths


def chunks_of(starts: Sequence[int]) -> list[Chunk]:
    """Return consecutive steps that are computed together, of about :data:`CHUNK_ROWS` rows.

    Steps of fewer than :data:`LEAST_ROWS` rows are in one chunk with steps of as many rows only.
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
