"""Decoding with a grammar: posteriors by forward-backward, labels by Viterbi.

Both take probabilities of any number of sequences and compute them in padded batches, time-major.
No operation mixes sequences and every sum has a fixed order, so the answer for a sequence is the
same to the last bit whatever its neighbours. Both directions of a forward-backward pass go through
the steps together (:mod:`grubio.sequences.steps`), as two halves of the states.

* Forward-backward with scaling: Rabiner, Proceedings of the IEEE 77:257 (1989).
* Viterbi over posteriors: Käll, Krogh and Sonnhammer, Bioinformatics 21 Suppl 1:i251 (2005).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from grubio.sequences.grammar import StateGraph
from grubio.sequences.scheme import LabelScheme
from grubio.sequences.steps import Emission, Float64s, Steps, both_ways

# States at all times of a batch; 32 MB as float64, both ways.
_BATCH_NUMBERS = 2_000_000
_BATCH_SEQUENCES = 256
_FLOOR = 1e-12
"""Least probability of a class: no path that the grammar allows is impossible."""
_IMPOSSIBLE = -1e6
_IS_THERE = 0.5
# Between two scalings, products of as many probabilities stay above the least float64.
_SCALED_EVERY = 8

_LEAST_COUPLED = 1e-9
"""Least probability of a class in a table of neighbours: the scaling of tables stays finite."""
_FITTING_STEPS = 10
_FITTED_TOGETHER = 4096

Floats: TypeAlias = npt.NDArray[np.floating]
AnswerT = TypeVar("AnswerT")


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
        given, lengths = _padded([probabilities[i] for i in batch], fill=1.0)
        np.maximum(given, _FLOOR, out=given)
        first, last = _ends(graph, lengths, open_ends and [open_ends[i] for i in batch])
        both = np.concatenate((given, given[::-1]), axis=1)
        start = np.concatenate((given[0, graph.labels] * first, np.ones(last.shape)))
        ends = given[lengths - 1, :, np.arange(len(lengths))].T[graph.labels] * last
        joint = _joint(start, emission.of(both[1:]), steps, ends, lengths)
        classes = _by_class(joint, graph.labels, given)
        for column, length in enumerate(lengths.tolist()):
            own = classes[:, :length, column].T
            yield np.ascontiguousarray(own, dtype=np.float32)

    return _in_batches(probabilities, graph.size, answers)


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


def best_classes(
    probabilities: Sequence[Floats], scheme: LabelScheme
) -> list[npt.NDArray[np.uint8]]:
    """Return the labels of sequences, as class indices, uint8 ``(residue,)``.

    Without a grammar these are the most probable classes of each ``(residue, class)``; with one,
    the sequence that obeys it and has the highest sum of probabilities (:func:`best_paths`). A
    class that stands only at the start of a sequence, such as a signal peptide, is there if its
    probability at the first residue is a half, and ends where that is most probable. Thresholds of
    the grammar (``present``) replace this half, and leave out other classes that reach none.
    """
    if (graph := scheme.graph) is not None:
        scores = [path_scores(rows) for rows in probabilities]
        for label, least in presence(scheme).items():
            for rows, own in zip(probabilities, scores, strict=True):
                if label in graph.leading:
                    _end_leading(own, rows[:, label], label, least)
                elif rows[:, label].max(initial=0) < least:
                    own[:, label] = _IMPOSSIBLE
        return best_paths(scores, graph)
    return [rows.argmax(axis=1).astype(np.uint8) for rows in probabilities]


def presence(scheme: LabelScheme) -> dict[int, float]:
    """Return what the probability of a class has to reach in a sequence that has it, by index.

    Classes that need no certain probability are left out.
    """
    if scheme.grammar is None or scheme.graph is None:
        return {}
    given = {scheme.letters.index(letter): share for letter, share in scheme.grammar.present}
    return dict.fromkeys(scheme.graph.leading, _IS_THERE) | given


def _end_leading(scores: Float64s, probability: Floats, label: int, least: float) -> None:
    # The probability that a leading class ends after a residue is how much its own falls there. The
    # sum of probabilities would end it at the median of these places instead of the likeliest one.
    ends = probability - np.append(probability[1:], np.float32(0))
    last = int(ends.argmax()) if probability[0] >= least and ends.max() > 0 else -1
    others = np.arange(scores.shape[1]) != label
    scores[: last + 1, others] = _IMPOSSIBLE
    scores[last + 1 :, label] = _IMPOSSIBLE


def path_scores(probabilities: Floats) -> Float64s:
    """Return what a path gains at each residue, ``(residue, class)``: the probability of its class.

    A class that is impossible (probability 0) costs more than any other choice could gain.
    """
    return np.where(probabilities > 0, probabilities, _IMPOSSIBLE).astype(np.float64)


def best_paths(
    scores: Sequence[Floats],
    graph: StateGraph,
    *,
    open_ends: Sequence[tuple[bool, bool]] | None = None,
) -> list[npt.NDArray[np.uint8]]:
    """Return the classes of the path through a grammar with the highest sum of scores.

    With posteriors as scores this is the label sequence that obeys the grammar and has most
    residues right on average. Of equal ones the choice is fixed, whatever the batch.

    Parameters
    ----------
    scores
        Of each sequence, finite, ``(residue, class)``.
    graph, open_ends
        As for :func:`posteriors`.

    Returns
    -------
    list
        Of each sequence, uint8 ``(residue,)``.
    """
    steps = Steps(*graph.before)
    # The state before each one; of those with several, their number, minus one and negative.
    source = graph.before[0][0].copy()
    source[steps.several] = ~np.arange(len(steps.several))
    state_before = source.tolist()
    emission = Emission(np.add, graph.labels, np.where(graph.only_first, -np.inf, 0.0))

    def answers(batch: Sequence[int]) -> Iterator[npt.NDArray[np.uint8]]:
        given, lengths = _padded([scores[i] for i in batch], fill=0.0)
        first, last = _ends(graph, lengths, open_ends and [open_ends[i] for i in batch])
        totals = np.empty((len(given), graph.size, len(lengths)))
        np.add(given[0, graph.labels], np.where(first, 0.0, -np.inf), out=totals[0])
        step, here = steps.over(np.maximum, len(lengths)), totals[0]
        for following, own in zip(totals[1:], emission.of(given[1:]), strict=True):
            step(here, following)
            here = np.add(following, own, out=following)
        came_from = steps.best(totals[:-1])
        final = np.where(last, 0.0, -np.inf)
        final += totals[lengths - 1, :, np.arange(len(lengths))].T
        for column, length in enumerate(lengths.tolist()):
            states = [int(final[:, column].argmax())]
            for several in reversed(came_from[: length - 1, :, column].tolist()):
                state = state_before[states[-1]]
                states.append(state if state >= 0 else several[~state])
            yield graph.labels[states[::-1]].astype(np.uint8)

    return _in_batches(scores, graph.size, answers)


def first_faults(
    observed: Sequence[npt.NDArray[np.bool_]], graph: StateGraph, *, open_ends: bool = False
) -> list[int | None]:
    """Return where label sequences first break a grammar.

    Parameters
    ----------
    observed
        Of each sequence, the classes that a residue may have, bool ``(residue, class)``: one where
        its label is known, and all where it is not.
    graph
        The states.
    open_ends
        Whether the sequences are pieces of longer ones, which begin and end in any state.

    Returns
    -------
    list
        Of each sequence the index of the first residue at which no path goes on, the last one if
        no path may end there, or None if there is a path.
    """
    steps = Steps(*graph.before)

    def answers(batch: Sequence[int]) -> Iterator[int | None]:
        allowed, lengths = _padded([observed[i] for i in batch], fill=1.0)
        possible = allowed[:, graph.labels] > 0
        possible[1:, graph.only_first] = False
        first, last = _ends(graph, lengths, [(open_ends, open_ends)] * len(batch))
        possible[0] &= first
        reached = np.empty(possible.shape[1:], dtype=np.bool_)
        step = steps.over(np.logical_or, len(lengths), np.bool_)
        for time in range(1, len(possible)):
            step(possible[time - 1], reached)
            possible[time] &= reached
        for column, length in enumerate(lengths.tolist()):
            own = possible[:length, :, column]
            own[-1] &= last[:, column]
            stuck = ~own.any(axis=1)
            yield int(stuck.argmax()) if stuck.any() else None

    return _in_batches(observed, graph.size, answers)


def _in_batches(
    arrays: Sequence[npt.NDArray[Any]],
    states: int,
    answers: Callable[[Sequence[int]], Iterator[AnswerT]],
) -> list[AnswerT]:
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


def _padded(
    arrays: Sequence[npt.NDArray[Any]], *, fill: float
) -> tuple[Float64s, npt.NDArray[np.int64]]:
    # (time, class, sequence) and the lengths.
    lengths = np.array([len(array) for array in arrays])
    shape = (int(lengths.max()), arrays[0].shape[1], len(arrays))
    padded = np.full(shape, fill)
    for column, array in enumerate(arrays):
        padded[: len(array), :, column] = array
    return padded, lengths


def _ends(
    graph: StateGraph,
    lengths: npt.NDArray[np.int64],
    open_ends: Sequence[tuple[bool, bool]] | None,
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    # Where each sequence may begin and end, (state, sequence).
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
