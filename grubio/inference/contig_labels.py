"""Labels of contigs that come region by region, under a grammar.

The labels are those of the contig in one piece: the best path (:func:`best_paths` of
:mod:`grubio.sequences.best_path`) is found from left to right on each strand, and a base gets its
label as soon as all paths that may still win agree on it. Regions wait until then, as a rule for a
few bases of the next one. The minus strand is read against its direction, by the grammar backwards.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from grubio.inference.labelled_region import LabelledRegion
from grubio.sequences.best_path import path_scores
from grubio.sequences.grammar import StateGraph
from grubio.sequences.locus import Strand
from grubio.sequences.padded_batches import ends_of

Classes = npt.NDArray[np.uint8]


def with_labels(regions: Iterable[LabelledRegion]) -> Iterator[LabelledRegion]:
    """Yield the regions of contigs, in order, with their labels.

    A scheme without a grammar needs none: its labels are the most probable classes.
    """
    waiting: deque[LabelledRegion] = deque()
    paths: dict[Strand, _GrowingPath] = {}
    for region in regions:
        graph = region.scheme.graph
        if graph is None:
            yield region
            continue
        if region.start == 0:
            paths = {
                strand: _GrowingPath(graph if strand == "+" else graph.reversed, region.length)
                for strand in region.probabilities
            }
        waiting.append(region)
        for strand, path in paths.items():
            path.feed(region.probabilities[strand], final=region.end == region.length)
        while waiting and all(len(path.labels) >= len(waiting[0]) for path in paths.values()):
            ready = waiting.popleft()
            yield replace(ready, labels={s: path.taken(len(ready)) for s, path in paths.items()})


class _GrowingPath:
    """The best path through a strand that comes in pieces; ``labels`` are decided, not yet taken.

    Parameters
    ----------
    graph
        The states, in the order of reading.
    length
        Bases of the contig.
    """

    def __init__(self, graph: StateGraph, length: int) -> None:
        self._graph = graph
        self._first, self._last = ends_of(graph, length)
        self._totals: npt.NDArray[np.float64] | None = None
        # For each undecided base but the first: the state before, by state, int64 (base, state).
        self._came_from: list[npt.NDArray[np.int64]] = []
        self.labels: Classes = np.zeros(0, dtype=np.uint8)

    def feed(self, probabilities: npt.NDArray[np.float32], *, final: bool) -> None:
        """Go on through probabilities ``(base, class)``; ``final`` at the end of the contig."""
        scores = path_scores(probabilities)[:, self._graph.labels]
        if self._totals is None:
            scores[0] += np.where(self._first, 0.0, -np.inf)
        else:
            # Only differences count; small numbers keep their last digits.
            scores = np.concatenate((self._totals[None] - self._totals.max(), scores))
        scores[1:, self._graph.only_first] = -np.inf
        before = self._graph.before[0]
        for base in range(1, len(scores)):
            scores[base] += scores[base - 1].take(before, 0).max(axis=0)
        self._totals = scores[-1]
        ranks = scores[:-1][:, before].argmax(axis=1)
        self._came_from += list(before[ranks, np.arange(self._graph.size)])
        if final:
            best = np.where(self._last, self._totals, -np.inf).argmax()
            self._decide([int(best)], end=True)
        else:
            self._decide(np.flatnonzero(np.isfinite(self._totals)).tolist(), end=False)

    def taken(self, size: int) -> Classes:
        """Take the labels of the next bases."""
        found, self.labels = self.labels[:size], self.labels[size:]
        return found

    def _decide(self, states: list[int], *, end: bool) -> None:
        # Back from all states that may still win until they come from one.
        place = len(self._came_from)
        alive = np.array(states)
        while len(alive) > 1 and place > 0:
            place -= 1
            alive = np.unique(self._came_from[place][alive])
        if len(alive) > 1:
            return
        state = int(alive[0])
        # The base at ``place`` is decided, and those before; with ``end`` no base is left.
        path = [state]
        for step in reversed(self._came_from[:place]):
            state = int(step[state])
            path.append(state)
        path.reverse()
        if end:
            self._came_from = []
        elif place == 0:
            return
        else:
            self._came_from = self._came_from[place:]
            path.pop()
        decided = self._graph.labels[path].astype(np.uint8)
        self.labels = np.concatenate((self.labels, decided))
