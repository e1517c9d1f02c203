"""Labels that obey a grammar: the likeliest path, by Viterbi.

Viterbi over posteriors: Käll, Krogh and Sonnhammer, Bioinformatics 21 Suppl 1:i251 (2005).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from grubio.sequences.grammar import StateGraph
from grubio.sequences.padded_batches import ends_of_batch, in_batches, padded
from grubio.sequences.scheme import LabelScheme
from grubio.sequences.steps import Emission, Float64s, Floats, Steps

_IMPOSSIBLE = -1e6
_IS_THERE = 0.5


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
        As for :func:`grubio.sequences.posteriors.posteriors`.

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
        given, lengths = padded([scores[i] for i in batch], fill=0.0)
        first, last = ends_of_batch(graph, lengths, open_ends and [open_ends[i] for i in batch])
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

    return in_batches(scores, graph.size, answers)


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
        allowed, lengths = padded([observed[i] for i in batch], fill=1.0)
        possible = allowed[:, graph.labels] > 0
        possible[1:, graph.only_first] = False
        first, last = ends_of_batch(graph, lengths, [(open_ends, open_ends)] * len(batch))
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

    return in_batches(observed, graph.size, answers)
