"""Posteriors under a grammar, by forward-backward.

Both directions of a pass go through the steps together (:mod:`grubio.sequences.steps`), as two
halves of the states. Forward-backward with scaling: Rabiner, Proceedings of the IEEE 77:257 (1989).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grubio.sequences.grammar import StateGraph
from grubio.sequences.padded_batches import ends_of_batch, in_batches, padded
from grubio.sequences.steps import Emission, Float64s, Floats, Steps, both_ways

_FLOOR = 1e-12
"""Least probability of a class: no path that the grammar allows is impossible."""
# Between two scalings, products of as many probabilities stay above the least float64.
_SCALED_EVERY = 8

_LEAST_COUPLED = 1e-9
"""Least probability of a class in a table of neighbours: the scaling of tables stays finite."""
_FITTING_STEPS = 10
_FITTED_TOGETHER = 4096


@dataclass(frozen=True)
class Transitions:
    """How likely a class is to follow another.

    Attributes
    ----------
    scores
        Natural logarithms, up to a constant, ``(class, next class)``: of the shares of all pairs of
        neighbours if they were counted, or the weights of a conditional random field.
    strength
        Factor of the scores.
    learned
        Whether they were learned together with the network, as a conditional random field.
    """

    scores: tuple[tuple[float, ...], ...]
    strength: float = 1.0
    learned: bool = False

    @property
    def factors(self) -> Float64s:
        """Factors of the steps, ``(class, next class)``, the largest of which is 1."""
        scores = self.strength * np.array(self.scores)
        return np.asarray(np.exp(scores - scores.max()))


def grammar_posteriors(
    probabilities: Sequence[Floats],
    graph: StateGraph,
    transitions: Transitions | None = None,
    *,
    open_ends: Sequence[tuple[bool, bool]] | None = None,
) -> list[npt.NDArray[np.float32]]:
    """Return the posteriors under a grammar, given what a network says of each residue.

    Transitions that were learned are those of a conditional random field whose other factors are
    the probabilities. Counted ones make a Markov chain: of all chains that give each residue the
    network's probabilities, the one whose pairs of neighbours are most like the counted pairs
    (:func:`coupled`). Its paths that break the grammar are left out.

    The other parameters, and what is returned, are those of :func:`posteriors`.
    """
    if transitions is None or not transitions.strength:
        return posteriors(probabilities, graph, open_ends=open_ends)
    if transitions.learned:
        return posteriors(probabilities, graph, transitions.factors, open_ends=open_ends)
    own = coupled(probabilities, transitions.factors)
    return posteriors(own, graph, transitions.factors, open_ends=open_ends)


def posteriors(
    probabilities: Sequence[Floats],
    graph: StateGraph,
    factors: Float64s | None = None,
    *,
    open_ends: Sequence[tuple[bool, bool]] | None = None,
) -> list[npt.NDArray[np.float32]]:
    """Return the probability of each class at each residue, over all paths through a grammar.

    The weight of a path is the product of the probabilities of its classes and of the factors of
    its steps.

    Parameters
    ----------
    probabilities
        Of each sequence, ``(residue, class)``.
    graph
        The states.
    factors
        Of the step from a class to another, ``(class, next class)``; all 1 if None.
    open_ends
        Of each sequence, whether more of it lies before and after, so that it may begin and end in
        any state.

    Returns
    -------
    list
        Of each sequence float32 ``(residue, class)``: rows sum to 1, and a class that no path has
        at a residue is 0.
    """
    steps, scale = both_ways(graph, factors)
    # The second half of the states goes through the sequences backwards.
    size = probabilities[0].shape[1] if probabilities else 0
    labels = np.concatenate((graph.labels, graph.labels + size))
    emission = Emission(np.multiply, labels, scale)

    def answers(batch: Sequence[int]) -> Iterator[npt.NDArray[np.float32]]:
        given, lengths = padded([probabilities[i] for i in batch], fill=1.0)
        np.maximum(given, _FLOOR, out=given)
        first, last = ends_of_batch(graph, lengths, open_ends and [open_ends[i] for i in batch])
        both = np.concatenate((given, given[::-1]), axis=1)
        start = np.concatenate((given[0, graph.labels] * first, np.ones(last.shape)))
        ends = given[lengths - 1, :, np.arange(len(lengths))].T[graph.labels] * last
        joint = _joint(start, emission.of(both[1:]), steps, ends, lengths)
        classes = _by_class(joint, graph.labels, given)
        for column, length in enumerate(lengths.tolist()):
            own = classes[:, :length, column].T
            yield np.ascontiguousarray(own, dtype=np.float32)

    return in_batches(probabilities, graph.size, answers)


def coupled(probabilities: Sequence[Floats], factors: Float64s) -> list[Float64s]:
    """Return factors of residues that make a Markov chain with the given probabilities.

    For each two neighbours the table ``factors`` of pairs is scaled by rows and by columns, in
    turn, until its sums are the probabilities of the first and of the second: iterative
    proportional fitting (Deming and Stephan, Annals of Mathematical Statistics 11:427, 1940). A
    path then has the product of the tables over the product of the probabilities between them.

    Parameters
    ----------
    probabilities
        Of each sequence, ``(residue, class)``.
    factors
        ``(class, next class)``, all positive.

    Returns
    -------
    list
        Of each sequence float64 ``(residue, class)``, the largest of each row 1, to be used with
        the same ``factors``.
    """
    own = [np.maximum(rows, _LEAST_COUPLED, dtype=np.float64) for rows in probabilities]
    # (class, pair of neighbours), and one pair of nobody: einsum sums one alone in another order.
    nobody = np.ones((1, len(factors)))
    first = np.ascontiguousarray(np.concatenate([*(rows[:-1] for rows in own), nobody]).T)
    second = np.ascontiguousarray(np.concatenate([*(rows[1:] for rows in own), nobody]).T)
    parts = -(-first.shape[1] // _FITTED_TOGETHER)
    for before, after in zip(
        np.array_split(first, parts, axis=1), np.array_split(second, parts, axis=1), strict=True
    ):
        _fit(before, after, factors)
    start = 0
    for rows in own:
        pairs = slice(start, start + len(rows) - 1)
        rows[:-1] *= first[:, pairs].T
        rows[1:] *= second[:, pairs].T
        rows /= rows.max(axis=1, keepdims=True)
        start = pairs.stop
    return own


def _fit(first: Float64s, second: Float64s, factors: Float64s) -> None:
    # Replaces sums of the rows and of the columns of each table, (class, pair), by the factors of
    # both over these sums.
    backwards = np.ascontiguousarray(factors.T)
    before, after, sums = np.ones((3, *first.shape))
    for _ in range(_FITTING_STEPS):
        np.divide(first, np.einsum("ij,jn->in", factors, after, out=sums), out=before)
        np.divide(second, np.einsum("ij,jn->in", backwards, before, out=sums), out=after)
    np.divide(before, first, out=first)
    np.divide(after, second, out=second)


def _joint(
    start: Float64s,
    emitted: Iterator[Float64s],
    steps: Steps,
    ends: Float64s,
    lengths: npt.NDArray[np.int64],
) -> Float64s:
    # The products of both ways, (time, state, sequence). Forwards it goes from ``start``, backwards
    # from ``ends`` where each sequence ends; what comes before is padding.
    size, last = len(ends), int(lengths.max()) - 1
    beginning: dict[int, list[int]] = {}
    for column, length in enumerate(lengths.tolist()):
        beginning.setdefault(last + 1 - length, []).append(column)
    both = np.empty((last + 1, *start.shape))
    step, here, multiply = steps.over(np.add, len(lengths)), both[0], np.multiply
    here[:] = start
    here[size:, beginning[0]] = ends[:, beginning[0]]
    for time, (own, following) in enumerate(zip(emitted, both[1:], strict=True), 1):
        step(here, following)
        here = multiply(following, own, following)
        if time in beginning:
            here[size:, beginning[time]] = ends[:, beginning[time]]
        if time % _SCALED_EVERY == 0:
            halves = here.reshape(2, *ends.shape)
            np.divide(halves, np.maximum.reduce(halves, 1, keepdims=True), halves)
    return multiply(both[:, :size], both[::-1, size:], both[:, :size])


def _by_class(joint: Float64s, labels: npt.NDArray[np.int64], given: Float64s) -> Float64s:
    # Shares (class, time, sequence). What a state emits is in the sums of both ways.
    classes = np.zeros((given.shape[1], len(given), given.shape[2]))
    for state, label in enumerate(labels.tolist()):
        classes[label] += joint[:, state]
    classes /= given.transpose(1, 0, 2)
    classes /= np.add.reduce(classes, axis=0)
    return classes
