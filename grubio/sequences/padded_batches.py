"""Sequences in padded batches, time-major, and where each may begin and end in a grammar.

No operation mixes sequences and every sum has a fixed order, so the answer for a sequence is the
same to the last bit whatever its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from grubio.sequences.grammar import StateGraph
from grubio.sequences.steps import Float64s

# States at all times of a batch; 32 MB as float64, both ways.
_BATCH_NUMBERS = 2_000_000
_BATCH_SEQUENCES = 256

AnswerT = TypeVar("AnswerT")


def in_batches(
    arrays: Sequence[npt.NDArray[Any]],
    states: int,
    answers: Callable[[Sequence[int]], Iterator[AnswerT]],
) -> list[AnswerT]:
    """Return the answers of a function of the numbers of sequences, in the order of these.

    Parameters
    ----------
    arrays
        Of each sequence, ``(residue, class)``.
    states
        Number of states.
    answers
        Yields the answer of each sequence of a batch.
    """
    found: dict[int, AnswerT] = {}
    batch: list[int] = []
    # Sequences of like length together: little padding.
    order = sorted(range(len(arrays)), key=lambda i: len(arrays[i]))
    for number, index in enumerate(order):
        batch.append(index)
        following = order[number + 1 : number + 2]
        numbers = sum((len(batch) + 1) * len(arrays[i]) * states for i in following)
        if not following or numbers > _BATCH_NUMBERS or len(batch) == _BATCH_SEQUENCES:
            # One alone is computed twice, so that its sums have the same order.
            batch = batch if len(batch) > 1 else batch * 2
            found.update(zip(batch, answers(batch), strict=True))
            batch = []
    return [found[index] for index in range(len(arrays))]


def padded(
    arrays: Sequence[npt.NDArray[Any]], *, fill: float
) -> tuple[Float64s, npt.NDArray[np.int64]]:
    """Return sequences ``(residue, class)`` as float64 ``(time, class, sequence)``, and lengths."""
    lengths = np.array([len(array) for array in arrays])
    shape = (int(lengths.max()), arrays[0].shape[1], len(arrays))
    batch = np.full(shape, fill)
    for column, array in enumerate(arrays):
        batch[: len(array), :, column] = array
    return batch, lengths


def ends_of_batch(
    graph: StateGraph,
    lengths: npt.NDArray[np.int64],
    open_ends: Sequence[tuple[bool, bool]] | None,
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return where each sequence may begin and end, bool ``(state, sequence)``.

    Parameters
    ----------
    graph
        The states.
    lengths
        Residues of each sequence, int64 ``(sequence,)``.
    open_ends
        Of each sequence, whether more of it lies before and after, so that it may begin and end in
        any state; None if they are whole.
    """
    whole = {length: ends_of(graph, length) for length in set(lengths.tolist())}
    first, last = np.empty((2, graph.size, len(lengths)), dtype=np.bool_)
    for column, length in enumerate(lengths.tolist()):
        before, after = open_ends[column] if open_ends else (False, False)
        # A piece has a path of any length if one of its ends is open.
        ends = (graph.first | before, graph.last | after) if before or after else whole[length]
        first[:, column], last[:, column] = ends
    return first, last


def ends_of(graph: StateGraph, length: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return where a sequence of this length may begin and end: anywhere if it has no path."""
    if graph.has_path(length):
        return graph.first, graph.last
    anywhere = np.ones(graph.size, dtype=np.bool_)
    return anywhere, anywhere
