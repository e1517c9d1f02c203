"""Grammars of label schemes: which labels may follow which, and how long a run is at least.

A grammar is a graph of states, each with a label. Without ``states`` every label is one state, and
a run of it may go on; with them several states may share a label, such as the three positions of a
codon, and a state follows itself only if ``next`` says so. A least run length becomes a chain of
states, of which the last may go on.

A sequence as long as no path through the graph (a chain of two residues under "no helix under
three" has paths, without helices; ten bases under "codons only" have none) is read as a piece of a
longer one: it may begin and end in any state.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from grubio.sequences.gene_rules import GeneRules, gene_rules

_KEYS = ("states", "next", "least", "most", "first", "last", "present", "genes")
_MOST_STATES = 2_000
_Pairs: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]
_Place: TypeAlias = tuple[int, int, tuple[int, ...]]
"""A state of the grammar, how long its run is, and how long the run of each group is."""


@dataclass(frozen=True)
class Grammar:
    """What label sequences of a scheme may look like.

    Attributes
    ----------
    states
        Pairs of the name of a state and its label; empty if every label is a state.
    next
        The states that may follow a state; one without an entry may be followed by any.
    least
        Pairs of a state, or of labels written as one word, and the least number of residues of a
        run of it, or of a run of any of these labels: ``("HGI", 3)``.
    most
        Pairs of labels, written as one word, and the most residues of a run of any of them.
    first, last
        The states in which a sequence may begin and end; empty for any.
    present
        Pairs of a label and the probability that it has to reach somewhere in a sequence: without,
        none of its residues has it.
    genes
        What the genes of a genome look like, in place of all the others: genes are called on whole
        contigs (:mod:`grubio.inference.called_genes`), and there are no states.
    """

    states: tuple[tuple[str, str], ...] = ()
    next: _Pairs = ()
    least: tuple[tuple[str, int], ...] = ()
    most: tuple[tuple[str, int], ...] = ()
    first: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    present: tuple[tuple[str, float], ...] = ()
    genes: GeneRules | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the content from which :func:`grammar_from_dict` rebuilds this grammar."""
        content: dict[str, Any] = {
            "states": dict(self.states),
            "next": {name: list(names) for name, names in self.next},
            "least": dict(self.least),
            "most": dict(self.most),
            "first": list(self.first),
            "last": list(self.last),
            "present": dict(self.present),
            "genes": self.genes and self.genes.as_dict(),
        }
        return {key: value for key, value in content.items() if value}


def grammar_from_dict(content: Mapping[str, Any], letters: str) -> Grammar:
    """Return a grammar for the classes ``letters``, checked.

    Parameters
    ----------
    content
        The attributes of :class:`Grammar` as mappings and lists. Several names may be written as
        one word if each is a single letter.
    letters
        The labels of the scheme.

    Raises
    ------
    ValueError
        If a key, a state or a label is unknown, a least length is no number from 1, a probability
        is not above 0 and below 1, or no label sequence can go on for ever.

    Examples
    --------
    >>> grammar = grammar_from_dict({"next": {"I": "M", "O": "M"}, "least": {"M": 15}}, "IMO")
    >>> grammar.next
    (('I', ('M',)), ('O', ('M',)))
    """
    for key in content:
        if key not in _KEYS:
            raise ValueError(f"a grammar has no '{key}'; it has {', '.join(_KEYS)}")
    if content.get("genes"):
        if others := [key for key in content if key != "genes" and content[key]]:
            raise ValueError(f"a grammar of genes takes no '{others[0]}'")
        return Grammar(genes=gene_rules(content["genes"], letters))
    states = _mapping(content, "states")
    for name, label in states.items():
        if str(label) not in letters or len(str(label)) != 1:
            raise ValueError(f"state '{name}' has the label '{label}', not one of '{letters}'")
    known = [str(name) for name in states] or list(letters)
    grammar = Grammar(
        tuple((str(name), str(label)) for name, label in states.items()),
        tuple(
            (_names(name, known)[0], _names(following, known))
            for name, following in _mapping(content, "next").items()
        ),
        tuple(
            _size(key, size, "least", known, letters)
            for key, size in _mapping(content, "least").items()
        ),
        tuple(
            _size(key, size, "most", (), letters) for key, size in _mapping(content, "most").items()
        ),
        _names(content.get("first") or (), known),
        _names(content.get("last") or (), known),
        tuple(
            _threshold(key, share, letters) for key, share in _mapping(content, "present").items()
        ),
    )
    state_graph(grammar, letters)
    return grammar


def _mapping(content: Mapping[str, Any], key: str) -> Mapping[Any, Any]:
    value = content.get(key) or {}
    if not isinstance(value, Mapping):
        raise ValueError(f"'{key}' of a grammar is a mapping, such as {{H: 3}}, not {value!r}")
    return value


def _names(value: Any, known: Sequence[str]) -> tuple[str, ...]:
    names = [str(value)] if not isinstance(value, list | tuple) else [str(one) for one in value]
    if not isinstance(value, list | tuple) and names[0] not in known:
        names = list(names[0])
    for name in names:
        if name not in known:
            raise ValueError(f"'{name}' is none of the states {', '.join(known)}")
    return tuple(names)


def _size(key: Any, size: Any, which: str, known: Sequence[str], letters: str) -> tuple[str, int]:
    name = str(key)
    if name not in known and (not set(name) <= set(letters) or len(set(name)) < len(name)):
        states = f" the states {', '.join(known)}, nor" if known else " the"
        raise ValueError(f"'{name}' in {which} is none of{states} labels")
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ValueError(
            f"the {which} run of '{name}' is a number of residues from 1, not {size!r}"
        )
    return name, size


def _threshold(key: Any, share: Any, letters: str) -> tuple[str, float]:
    if str(key) not in letters or len(str(key)) != 1:
        raise ValueError(f"'{key}' in present is none of the labels '{letters}'")
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
        raise ValueError(
            f"the probability of '{key}' in present is above 0 and below 1, not {share!r}"
        )
    return str(key), float(share)


@dataclass(frozen=True, eq=False)
class StateGraph:
    """A grammar as states and edges.

    Attributes
    ----------
    labels
        Class index of each state, int64 ``(state,)``.
    edges
        Whether a state may follow another, bool ``(state, next state)``.
    first, last
        Where a sequence may begin and end, bool ``(state,)``.
    """

    labels: npt.NDArray[np.int64]
    edges: npt.NDArray[np.bool_]
    first: npt.NDArray[np.bool_]
    last: npt.NDArray[np.bool_]

    @property
    def size(self) -> int:
        """Number of states."""
        return len(self.labels)

    @cached_property
    def before(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """States before each state, int64 ``(rank, state)``, and which of them are no padding."""
        return _ranked(self.edges.T)

    @cached_property
    def only_first(self) -> npt.NDArray[np.bool_]:
        """The states that no state comes before, bool ``(state,)``."""
        return np.asarray(~self.edges.any(axis=0))

    @cached_property
    def after(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """States after each state, int64 ``(rank, state)``, and which of them are no padding."""
        return _ranked(self.edges)

    @cached_property
    def leading(self) -> list[int]:
        """The classes that stand only at the start of a sequence, such as a signal peptide."""
        return [
            label
            for label in sorted({*self.labels[self.first].tolist()})
            if not self.edges[np.ix_(self.labels != label, self.labels == label)].any()
            and (self.labels != label).any()
        ]

    @cached_property
    def reversed(self) -> StateGraph:
        """The graph of the sequences read backwards."""
        return StateGraph(self.labels, self.edges.T, self.last, self.first)

    def has_path(self, length: int) -> bool:
        """Return whether a label sequence of this length obeys the grammar."""
        known, period = self.path_lengths
        if length < len(known):
            return known[length]
        return known[len(known) - period + (length - len(known)) % period]

    @cached_property
    def without_path(self) -> str:
        """The lengths of which no label sequence obeys the grammar, for people; maybe empty."""
        known, period = self.path_lengths
        missing = [str(length) for length in range(1, len(known)) if not known[length]]
        more = len(missing) > 10 or not all(known[len(known) - period :])
        return ", ".join(missing[:10]) + (" and more" if more else "")

    @cached_property
    def path_lengths(self) -> tuple[list[bool], int]:
        """Whether there is a path of each length, and the period of the end of this list."""
        before, after = np.nonzero(self.edges)
        reached, seen, found = self.first, dict[bytes, int](), [False]
        while (key := reached.tobytes()) not in seen:
            seen[key] = len(found)
            found.append(bool((reached & self.last).any()))
            following = np.zeros_like(reached)
            following[after[reached[before]]] = True
            reached = following
        return found, len(found) - seen[key]


def _ranked(edges: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    # For each row the columns of its edges, one below the other; shorter rows repeat their first.
    count = edges.sum(axis=1)
    order = np.argsort(~edges, axis=1, kind="stable").T[: count.max()]
    real = np.arange(len(order))[:, None] < count
    return np.ascontiguousarray(np.where(real, order, order[0])), real


@lru_cache(maxsize=64)
def state_graph(grammar: Grammar, letters: str) -> StateGraph:
    """Return the states of a grammar for the classes ``letters``, none of them a dead end.

    Raises
    ------
    ValueError
        If no label sequence can go on for ever, or there are more than 2,000 states.
    """
    expansion = _Expansion(grammar, letters)
    places, followers = _explored(expansion)
    edges = np.zeros((len(places), len(places)), dtype=np.bool_)
    for index, following in enumerate(followers):
        edges[index, following] = True
    labels = np.array([expansion.labels[place[0]] for place in places], dtype=np.int64)
    first = np.array([place in expansion.starts for place in places])
    last = np.array([expansion.may_end(place) for place in places])
    return _merged(_trimmed(StateGraph(labels, edges, first, last)))


class _Expansion:
    """The product of the states of a grammar with the lengths of runs."""

    def __init__(self, grammar: Grammar, letters: str) -> None:
        pairs = grammar.states or tuple((letter, letter) for letter in letters)
        names = [name for name, _ in pairs]
        self.labels = [letters.index(label) for _, label in pairs]
        given, least = dict(grammar.next), dict(grammar.least)
        self.follows = [[names.index(n) for n in given.get(name, names)] for name in names]
        if not grammar.states:
            for index, following in enumerate(self.follows):
                following += [] if index in following else [index]
        self.least = [least.get(name, 1) for name in names]
        # Labels whose runs are counted, and their least and most residues.
        self.groups: list[tuple[set[int], int, int | None]] = [
            ({letters.index(letter) for letter in key}, size, None)
            for key, size in grammar.least
            if key not in names
        ]
        self.groups += [
            ({letters.index(letter) for letter in key}, 1, size) for key, size in grammar.most
        ]
        first, last = grammar.first or names, grammar.last or names
        self.last = {names.index(name) for name in last}
        self.starts = {self._place(names.index(name), 1, (0,) * len(self.groups)) for name in first}

    def _place(self, state: int, run: int, before: Sequence[int]) -> _Place:
        label = self.labels[state]
        inside = (
            min(length + 1, most or least) if label in members else 0
            for (members, least, most), length in zip(self.groups, before, strict=True)
        )
        return state, min(run, self.least[state]), tuple(inside)

    def after(self, place: _Place) -> Iterable[_Place]:
        """Yield where a sequence may go on."""
        state, run, inside = place
        going_on = run < self.least[state]
        for following in [state] if going_on else self.follows[state]:
            new = self._place(following, run + 1 if following == state else 1, inside)
            if all(
                here == 0 or (here != most if then > 0 else here >= least)
                for (_, least, most), here, then in zip(self.groups, inside, new[2], strict=True)
            ):
                yield new

    def may_end(self, place: _Place) -> bool:
        """Return whether a sequence may end here."""
        state, run, inside = place
        whole = all(
            here == 0 or here >= least
            for (_, least, _), here in zip(self.groups, inside, strict=True)
        )
        return state in self.last and run == self.least[state] and whole


def _explored(expansion: _Expansion) -> tuple[list[_Place], list[list[int]]]:
    numbers = {place: number for number, place in enumerate(sorted(expansion.starts))}
    waiting, followers = deque(numbers), []
    while waiting:
        following = []
        for place in expansion.after(waiting.popleft()):
            if place not in numbers:
                numbers[place] = len(numbers)
                waiting.append(place)
            following.append(numbers[place])
        followers.append(following)
        if len(numbers) > _MOST_STATES:
            raise ValueError(f"the grammar has more than {_MOST_STATES:,} states")
    return list(numbers), followers


def _trimmed(graph: StateGraph) -> StateGraph:
    """Leave out the states from which no sequence can end."""
    before, after = np.nonzero(graph.edges)
    alive, size = graph.last.copy(), -1
    while alive.sum() > size:
        size = alive.sum()
        alive[before[alive[after]]] = True
    # States from which a sequence can go on for ever.
    endless, size = alive.copy(), graph.size + 1
    while endless.sum() < size:
        size = endless.sum()
        going_on = np.zeros_like(endless)
        going_on[before[endless[after]]] = True
        endless &= going_on
    if not endless.any():
        raise ValueError(
            "no path leads through the grammar: no label sequence, or none of any length, obeys it"
        )
    edges = graph.edges[np.ix_(alive, alive)]
    return StateGraph(graph.labels[alive], edges, graph.first[alive], graph.last[alive])


def _merged(graph: StateGraph) -> StateGraph:
    """Join the states that no continuation tells apart (Moore, 1956)."""
    following = [np.flatnonzero(row).tolist() for row in graph.edges]
    blocks = _numbered(zip(graph.labels.tolist(), graph.last.tolist(), strict=True))
    count = 0
    while max(blocks) + 1 > count:
        count = max(blocks) + 1
        blocks = _numbered(
            (own, frozenset(blocks[state] for state in states))
            for own, states in zip(blocks, following, strict=True)
        )
    return _joined(graph, np.array(blocks))


def _numbered(keys: Iterable[Hashable]) -> list[int]:
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(key, len(numbers)) for key in keys]


def _joined(graph: StateGraph, blocks: npt.NDArray[np.int64]) -> StateGraph:
    # Blocks are numbered by the first of their states, so that chains stay in order.
    _, kept = np.unique(blocks, return_index=True)
    edges = np.zeros((len(kept), len(kept)), dtype=np.bool_)
    before, after = np.nonzero(graph.edges)
    edges[blocks[before], blocks[after]] = True
    first = np.zeros(len(kept), dtype=np.bool_)
    first[blocks[graph.first]] = True
    return StateGraph(graph.labels[kept], edges, first, graph.last[kept])
