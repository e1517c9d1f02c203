"""Steps through a state graph, for all states and many sequences at once.

Arrays are ``(state, sequence)``. No operation mixes sequences, and every sum has a fixed order as
long as there are two sequences at least: numpy sums the rows of a single column in another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from grubio.sequences.grammar import StateGraph

Floats: TypeAlias = npt.NDArray[np.floating]
Float64s: TypeAlias = npt.NDArray[np.float64]

_BLOCK = 8
"""Times whose emissions are laid out together, or more if they are few: they fit into the cache."""
_FEW_NUMBERS = 4096
"""So few take less time than a call."""
_FEW_COLUMNS = 8
"""Of so few, weights are laid out for each column: a loop over few is several times as slow."""


class Steps:
    """The steps to all states of a graph, from those before them (or after them, backwards).

    Most states of a chain have one neighbour, and take over what that has. The ``several`` others,
    those with most edges first, are grouped by the number of their edges, up to 8, up to 64 and so
    on, so that little of a group is padding. How they are grouped changes no sum.

    Parameters
    ----------
    others, real
        ``before`` or ``after`` of a graph.
    weights
        Of each edge, ``(rank, state)``; all 1 if None.
    """

    def __init__(
        self,
        others: npt.NDArray[np.int64],
        real: npt.NDArray[np.bool_],
        weights: Float64s | None = None,
    ) -> None:
        self._others, self._weights, self._size = others, weights, others.shape[1]
        edges = real.sum(axis=0)
        passing = edges <= 1 if weights is None else (edges <= 1) & (weights[0] == 1)
        order = np.argsort(-edges, kind="stable")
        self.several = order[~passing[order]]
        self._edges = np.maximum(edges[self.several], 1)

    def over(
        self, combine: np.ufunc, columns: int, dtype: npt.DTypeLike = np.float64
    ) -> Callable[[npt.NDArray[Any], npt.NDArray[Any]], None]:
        """Return a function that combines ``(state, column)`` by the steps into a given array."""
        chosen, octaves = self.several, np.ceil(np.log2(self._edges) / 3).clip(1)
        if whole := self._others.size * columns <= _FEW_NUMBERS or len(chosen) == self._size:
            chosen, octaves = np.arange(self._size), np.zeros(self._size)
        groups = []
        for octave in np.unique(octaves):
            states = chosen[octaves == octave]
            ranks = len(self._others) if whole else self._edges[octaves == octave].max()
            others = self._others[:ranks, states]
            terms = np.empty((*others.shape, columns), dtype=dtype)
            weights = None if self._weights is None else self._weights[:ranks, states, None]
            if weights is not None and columns <= _FEW_COLUMNS:
                weights = np.repeat(weights, columns, axis=2)
            groups.append((states, others, weights, terms, terms[0].copy()))
        first, reduce, multiply = self._others[0], combine.reduce, np.multiply

        def step(here: npt.NDArray[Any], out: npt.NDArray[Any]) -> None:
            if not whole:
                here.take(first, 0, out, "clip")
            for states, others, weights, terms, combined in groups:
                here.take(others, 0, terms, "clip")
                if weights is not None:
                    multiply(terms, weights, terms)
                if whole:
                    reduce(terms, 0, None, out)
                else:
                    out[states] = reduce(terms, 0, None, combined)

        return step

    def best(self, totals: Float64s) -> npt.NDArray[np.int64]:
        """Return where the ``several`` states are best reached from, of equal ones the first.

        From totals ``(time, state, sequence)`` to states ``(time, number, sequence)``.
        """
        others = self._others[:, self.several]
        best = totals.take(others[0], axis=1)
        found = np.empty(best.shape, dtype=np.int64)
        found[:] = others[0, :, None]
        for rank in range(1, len(others)):
            some = np.flatnonzero(self._edges > rank)
            rivals, held = totals.take(others[rank, some], axis=1), best[:, : len(some)]
            np.copyto(found[:, : len(some)], others[rank, some, None], where=rivals > held)
            np.maximum(held, rivals, out=held)
        return found


def both_ways(graph: StateGraph, factors: Float64s | None) -> tuple[Steps, Float64s]:
    """Return the steps of the states, and of as many states again that go backwards.

    Parameters
    ----------
    graph
        The states.
    factors
        Weights of the steps from a class to another, ``(class, next class)``; all 1 if None.

    Returns
    -------
    tuple
        The steps, and of each state the weight of the first edge to it. This belongs to what the
        state emits: the weights of the steps are over it, so that most are 1.
    """
    factors = np.ones((graph.labels.max() + 1,) * 2) if factors is None else factors
    ways: list[tuple[npt.NDArray[Any], ...]] = []
    for (others, real), own in ((graph.before, factors.T), (graph.after, factors)):
        weights = np.where(real, own[graph.labels, graph.labels[others]], 0.0)
        ways.append((others + len(ways) * graph.size, real, weights))
    ranks = max(len(others) for others, _, _ in ways)
    others, real, weights = (
        np.concatenate([_filled(one, ranks) for one in part], axis=1)
        for part in zip(*ways, strict=True)
    )
    return Steps(others, real, weights / np.where(weights[0] > 0, weights[0], 1.0)), weights[0]


def _filled(rows: npt.NDArray[Any], count: int) -> npt.NDArray[Any]:
    # So many rows: those given, and zeros.
    return np.concatenate((rows, np.zeros((count - len(rows), rows.shape[1]), rows.dtype)))


class Emission:
    """What states emit: that of their class, scaled or shifted in each state's own way.

    Parameters
    ----------
    combine
        ``numpy.multiply`` or ``numpy.add``.
    labels, change
        Of each state, its class and what is combined with what that emits.
    """

    def __init__(self, combine: np.ufunc, labels: npt.NDArray[np.int64], change: Float64s) -> None:
        # Many states emit the same.
        pairs, kinds = np.unique(np.stack((labels, change)), axis=1, return_inverse=True)
        self._labels, self._change = pairs[0].astype(np.int64), pairs[1][:, None]
        self._combine, self._kinds = combine, kinds.reshape(-1)

    def of(self, given: Float64s) -> Iterator[Float64s]:
        """Yield ``(state, sequence)`` for each time of ``(time, class, sequence)``.

        The next ones take the place of those before.
        """
        step = max(_BLOCK, _FEW_NUMBERS // (len(self._kinds) * given.shape[2]))
        block = np.empty((step, len(self._kinds), given.shape[2]))
        for start in range(0, len(given), step):
            some = given[start : start + step].take(self._labels, 1)
            self._combine(some, self._change, some)
            yield from some.take(self._kinds, 1, block[: len(some)], "clip")
