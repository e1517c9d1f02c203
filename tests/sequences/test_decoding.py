"""Posteriors and labels under a grammar, against an enumeration of all paths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from grubio.sequences import steps
from grubio.sequences.best_path import best_classes, best_paths, first_faults
from grubio.sequences.grammar import StateGraph, grammar_from_dict, state_graph
from grubio.sequences.padded_batches import ends_of
from grubio.sequences.posteriors import Transitions, coupled, grammar_posteriors, posteriors
from grubio.sequences.scheme import SS3, SS8, LabelScheme, custom_scheme

Floats = npt.NDArray[np.floating]
CODONS = {
    "states": {"c1": "C", "c2": "C", "c3": "C", "n": "."},
    "next": {"n": ["n", "c1"], "c1": "c2", "c2": ["c3"], "c3": ["c1", "n"]},
    "first": ["n"],
    "last": ["n"],
}
GRAMMARS: list[tuple[str, Any]] = [
    ("HEC", {}),
    ("HEC", {"least": {"H": 3}}),
    ("HGC", {"least": {"HG": 3, "G": 2}, "next": {"C": "HC"}}),
    ("C.", CODONS),
    ("C.", {**CODONS, "first": [], "last": [], "least": {"C": 4}}),
    # Both ends of helices have more than eight edges.
    ("HC", {"least": {"H": 2}, "most": {"H": 11}}),
]


def paths(graph: StateGraph, length: int, open_ends: tuple[bool, bool]) -> Iterator[list[int]]:
    first, last = ends_of(graph, length)
    found = [[state] for state in np.flatnonzero(first | open_ends[0]).tolist()]
    for _ in range(length - 1):
        found = [
            [*path, state] for path in found for state in np.flatnonzero(graph.edges[path[-1]])
        ]
    return (path for path in found if last[path[-1]] or open_ends[1])


def enumerated(
    probabilities: Floats, graph: StateGraph, factors: Floats, open_ends: tuple[bool, bool]
) -> tuple[Floats, float]:
    """Posteriors ``(residue, class)``, and the highest sum of them on a path."""
    length = len(probabilities)
    labels = np.array([graph.labels[path] for path in paths(graph, length, open_ends)])
    weights = np.prod(probabilities[np.arange(length), labels], axis=1)
    weights *= np.prod(factors[labels[:, :-1], labels[:, 1:]], axis=1)
    found = np.stack(
        [((labels == own) * weights[:, None]).sum(axis=0) for own in range(probabilities.shape[1])],
        axis=1,
    )
    found /= weights.sum()
    return found, found[np.arange(length), labels].sum(axis=1).max()


def random_sequences(classes: int, seed: int) -> list[npt.NDArray[np.float32]]:
    random = np.random.default_rng(seed)
    sizes = (1, 2, 3, 6, 5, 7, 4)
    return [random.dirichlet(np.full(classes, 0.5), n).astype(np.float32) for n in sizes]


@pytest.mark.parametrize("few", [0, 4096])
@pytest.mark.parametrize("open_ends", [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize(("letters", "rules"), GRAMMARS)
def test_posteriors_and_labels_are_those_of_all_paths(
    letters: str,
    rules: Any,
    open_ends: tuple[bool, bool],
    few: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(steps, "_FEW_NUMBERS", few)
    graph = state_graph(grammar_from_dict(rules, letters), letters)
    given = random_sequences(len(letters), 1)
    factors = np.exp(np.random.default_rng(2).normal(size=(len(letters),) * 2))
    ends = [open_ends] * len(given)
    found = posteriors(given, graph, factors, open_ends=ends)
    chosen = best_paths(found, graph, open_ends=ends)
    for rows, own, labels in zip(given, found, chosen, strict=True):
        expected, most = enumerated(np.maximum(rows, 1e-12), graph, factors, open_ends)
        np.testing.assert_allclose(own, expected, atol=1e-6)
        np.testing.assert_allclose(own.sum(axis=1), 1, atol=1e-6)
        assert (own[expected == 0] == 0).all()
        gained = own[np.arange(len(own)), labels]
        assert gained.sum() == pytest.approx(most, abs=1e-5)
        # The label of a residue is possible there.
        assert (gained > 0).all()


@pytest.mark.parametrize("few", [0, 4096])
def test_answers_do_not_depend_on_the_neighbours(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    given = [
        random.dirichlet(np.full(8, 0.3), n).astype(np.float32) for n in (1, 40, 2, 700, 3, 40, 90)
    ]
    scores = tuple(map(tuple, random.normal(size=(8, 8)).tolist()))
    graph = SS8.graph
    assert graph is not None
    for transitions in (None, Transitions(scores, 0.7), Transitions(scores, 0.7, learned=True)):
        monkeypatch.setattr(steps, "_FEW_NUMBERS", few)
        together = grammar_posteriors(given, graph, transitions)
        labels = best_classes(together, SS8)
        for rows, own, classes in zip(given, together, labels, strict=True):
            monkeypatch.setattr(steps, "_FEW_NUMBERS", 4096 - few)
            (alone,) = grammar_posteriors([rows], graph, transitions)
            assert alone.tobytes() == own.tobytes()
            assert best_classes([own], SS8)[0].tobytes() == classes.tobytes()


def test_a_coupled_chain_has_the_probabilities_of_the_network() -> None:
    random = np.random.default_rng(4)
    given = [random.dirichlet(np.full(3, 2), n).astype(np.float32) for n in (1, 2, 60)]
    pairs = np.array([[30, 1, 4], [1, 20, 5], [4, 6, 30]]) / 101
    free = state_graph(grammar_from_dict({}, "HEC"), "HEC")
    transitions = Transitions(tuple(map(tuple, np.log(pairs).tolist())))
    for rows, own in zip(given, grammar_posteriors(given, free, transitions), strict=True):
        np.testing.assert_allclose(own, rows, atol=0.01)
    # Its neighbours are alike, which independent ones are not.
    (factors,) = coupled([given[1]], transitions.factors)
    pair = factors[0][:, None] * transitions.factors * factors[1]
    assert pair[0, 0] * pair[1, 1] / (pair[0, 1] * pair[1, 0]) == pytest.approx(600)


def test_no_helix_is_shorter_than_three_in_both_schemes() -> None:
    random = np.random.default_rng(5)
    given = [random.dirichlet(np.full(8, 0.2), n).astype(np.float32) for n in (1, 2, 30, 400)]
    assert SS8.graph is not None
    found = grammar_posteriors(given, SS8.graph)
    coarse = [rows @ SS8.reduction_matrix(SS3) for rows in found]
    for scheme, rows, helix in ((SS8, found, "HGI"), (SS3, coarse, "H")):
        texts = [scheme.decode(classes) for classes in best_classes(rows, scheme)]
        for text in texts:
            joined = "".join("H" if letter in helix else " " for letter in text)
            assert all(len(run) >= 3 for run in joined.split())
        assert any(letter in helix for letter in texts[-1])


def test_a_sequence_without_a_path_is_read_as_a_piece() -> None:
    only_codons = {"states": {"a": "C", "b": "C", "c": "."}, "first": ["a"], "last": ["c"]}
    only_codons["next"] = {"a": "b", "b": "c", "c": "a"}
    scheme = custom_scheme("x", "C.").with_grammar(grammar_from_dict(only_codons, "C."))
    rows = np.tile(np.array([[0.9, 0.1]], dtype=np.float32), (4, 1))
    assert scheme.graph is not None
    assert not scheme.graph.has_path(4)
    (found,) = grammar_posteriors([rows], scheme.graph)
    assert np.isfinite(found).all()
    assert scheme.decode(best_classes([found], scheme)[0]) in ("CC.C", "C.CC")


@pytest.mark.parametrize(
    ("labels", "fault"),
    [("CHHC", 3), ("CHH", 2), ("CHHHC", None), ("CH?HC", None), ("?HH?", None), ("HHCH", 2)],
)
def test_the_first_fault_of_labels_is_found(labels: str, fault: int | None) -> None:
    assert SS3.graph is not None
    assert first_faults([_allowed(labels, SS3)], SS3.graph) == [fault]


def test_a_piece_may_begin_and_end_within_a_run() -> None:
    assert SS3.graph is not None
    assert first_faults([_allowed("HHCH", SS3)], SS3.graph, open_ends=True) == [None]


def _allowed(labels: str, scheme: LabelScheme) -> npt.NDArray[np.bool_]:
    rows = np.concatenate((np.eye(scheme.size), np.ones((1, scheme.size)))) > 0
    return np.asarray(rows[np.minimum(scheme.encode(labels), scheme.size)])
