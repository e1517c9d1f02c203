"""Grammars: what they allow, how they become states, and what is refused."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import numpy as np
import pytest

from grubio.sequences.best_path import first_faults
from grubio.sequences.grammar import Grammar, StateGraph, grammar_from_dict, state_graph
from grubio.sequences.scheme import SS3, SS8, custom_scheme, scheme_from_dict

CODONS: dict[str, Any] = {
    "states": {"c1": "C", "c2": "C", "c3": "C", "n": "."},
    "next": {"n": ["n", "c1"], "c1": "c2", "c2": ["c3"], "c3": ["c1", "n"]},
    "first": ["n"],
    "last": ["n"],
}


def language(graph: StateGraph, letters: str, length: int) -> set[str]:
    """All label sequences of a length that the states allow."""
    found = {(state, letters[graph.labels[state]]) for state in range(graph.size)}
    found = {(state, text) for state, text in found if graph.first[state]}
    for _ in range(length - 1):
        found = {
            (new, text + letters[graph.labels[new]])
            for state, text in found
            for new in range(graph.size)
            if graph.edges[state, new]
        }
    return {text for state, text in found if graph.last[state]}


def runs_of(text: str, members: str) -> list[int]:
    return [len(run) for run in re.findall(f"[{members}]+", text)]


@pytest.mark.parametrize(
    ("letters", "rules", "obeys"),
    [
        ("HEC", {}, lambda t: True),
        ("HEC", {"least": {"H": 3}}, lambda t: min(runs_of(t, "H"), default=3) >= 3),
        (
            "HGC",
            {"least": {"HG": 3, "G": 2}},
            lambda t: (
                min(runs_of(t, "HG"), default=3) >= 3 and min(runs_of(t, "G"), default=2) >= 2
            ),
        ),
        (
            "IMO",
            {"next": {"I": "M", "O": "M"}, "least": {"M": 2}, "first": "I", "last": ["I", "O"]},
            lambda t: (
                not re.search("IO|OI", t)
                and min(runs_of(t, "M"), default=2) >= 2
                and t[0] == "I"
                and t[-1] != "M"
            ),
        ),
        ("C.", CODONS, lambda t: re.fullmatch(r"\.+((CCC)+\.+)*", t)),
        (
            "C.",
            {**CODONS, "least": {"C": 6}},
            lambda t: re.fullmatch(r"\.+(CCC(CCC)+\.+)*", t),
        ),
    ],
)
def test_a_grammar_allows_what_its_words_say(letters: str, rules: Any, obeys: Any) -> None:
    graph = state_graph(grammar_from_dict(rules, letters), letters)
    for length in range(1, 9):
        texts = map("".join, product(letters, repeat=length))
        expected = {text for text in texts if obeys(text)}
        assert language(graph, letters, length) == expected
        assert graph.has_path(length) == bool(expected)
        backwards = language(graph.reversed, letters, length)
        assert backwards == {text[::-1] for text in expected}


def test_equal_states_are_joined() -> None:
    # H and its chain of two more for each of H, G and I would be 3 + 3 + 3 + 5.
    assert state_graph(Grammar(least=(("HGI", 3),)), SS8.letters).size == 14
    assert state_graph(Grammar(), "HEC").size == 3


def test_the_built_in_grammars_have_no_helix_under_three() -> None:
    assert SS8.coarse is not None
    assert SS8.coarse.grammar == SS3.grammar == Grammar(least=(("H", 3),))
    assert "CHHC" not in language(SS3.graph or StateGraph(*[None] * 4), "HEC", 4)  # type: ignore[arg-type]
    assert SS8.with_grammar(None).coarse == SS3
    assert SS8.with_grammar(None).headline.grammar is None


@pytest.mark.parametrize("rules", [{}, CODONS, {"least": {"C.": 4, "C": 2}, "first": "."}])
def test_a_grammar_is_kept_with_its_scheme(rules: dict[str, Any]) -> None:
    scheme = custom_scheme("genes", "C.", background=".")
    scheme = scheme.with_grammar(grammar_from_dict(rules, "C."))
    back = scheme_from_dict(scheme.as_dict())
    assert back.grammar == scheme.grammar
    assert back == scheme
    assert scheme.with_grammar(None) == scheme
    assert "grammar" not in scheme.with_grammar(None).as_dict()
    assert scheme_from_dict(SS8.with_grammar(None).as_dict()).grammar is None
    assert scheme_from_dict(SS8.as_dict()) is SS8


def test_lengths_without_a_path_are_told() -> None:
    only_codons = {key: CODONS[key] for key in ("states", "next")}
    only_codons |= {"next": {**CODONS["next"], "c3": "c1"}, "first": "c1", "last": "c3"}
    graph = state_graph(grammar_from_dict(only_codons, "C."), "C.")
    assert [length for length in range(1, 10) if graph.has_path(length)] == [3, 6, 9]
    assert graph.without_path == "1, 2 and more"
    long = state_graph(grammar_from_dict({"least": {"H": 3, "EC": 2}}, "HEC"), "HEC")
    assert long.without_path == "1"


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"nxt": {}}, "a grammar has no 'nxt'; it has states, next, least, most, first, last"),
        ({"least": {"X": 3}}, "'X' in least is none of the states H, E, C, nor labels"),
        ({"least": {"HH": 3}}, "'HH' in least"),
        ({"least": {"H": 0}}, "a number of residues from 1, not 0"),
        ({"least": {"H": "long"}}, "not 'long'"),
        ({"least": 3}, "'least' of a grammar is a mapping"),
        ({"next": {"H": "EQ"}}, "'Q' is none of the states H, E, C"),
        ({"first": "Q"}, "'Q' is none of the states"),
        ({"states": {"a": "Z"}}, "state 'a' has the label 'Z', not one of 'HEC'"),
        ({"states": {"a": "H", "b": "E"}, "next": {"a": "b", "b": []}}, "no path leads"),
        (
            {
                "states": {"a": "H", "b": "E"},
                "next": {"a": "a", "b": "b"},
                "first": "a",
                "last": "b",
            },
            "no path leads",
        ),
        ({"least": {"H": 10_000}}, "more than 2,000 states"),
    ],
)
def test_a_grammar_that_is_none_is_refused(rules: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        grammar_from_dict(rules, "HEC")


def test_runs_are_no_longer_than_most() -> None:
    rules = {"most": {"M": 3}, "least": {"M": 2}, "next": {"I": "M", "M": "IO", "O": "M"}}
    graph = state_graph(grammar_from_dict(rules, "IMO"), "IMO")
    observed = [
        np.eye(3, dtype=bool)[["IMO".index(c) for c in text]]
        for text in ("IIMMOO", "IIMMMOO", "IIMMMMOO", "IIMOO", "MMM", "MMMM")
    ]
    assert first_faults(observed, graph) == [None, None, 5, 3, None, 3]
    assert grammar_from_dict(grammar_from_dict(rules, "IMO").as_dict(), "IMO").most == (("M", 3),)
    with pytest.raises(ValueError, match="'x' in most is none of the labels"):
        grammar_from_dict({"most": {"x": 3}}, "IMO")
    with pytest.raises(ValueError, match="'IM' in present is none of the labels"):
        grammar_from_dict({"present": {"IM": 0.3}}, "IMO")
    with pytest.raises(ValueError, match="above 0 and below 1, not 50"):
        grammar_from_dict({"present": {"M": 50}}, "IMO")
    with pytest.raises(ValueError, match="no path"):
        grammar_from_dict({"most": {"M": 3}, "least": {"M": 4}, "first": "M"}, "IMO")
