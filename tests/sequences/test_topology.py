"""What the labels of a protein say of its membrane topology."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grubio.sequences.best_path import best_classes
from grubio.sequences.grammar import grammar_from_dict
from grubio.sequences.scheme import SS3, SS8, LabelScheme, custom_scheme
from grubio.sequences.target import Regions
from grubio.sequences.topology import codes_of, roles_of, topology

NAMES = ("signal-peptide", "membrane-helix", "barrel-strand", "inside", "outside")
SCHEME = custom_scheme("topology", "SMBIO", NAMES)


def found(labels: str, scheme: LabelScheme = SCHEME) -> Any:
    return topology(labels, np.eye(scheme.size)[scheme.encode(labels)], scheme)


@pytest.mark.parametrize(
    ("labels", "kind", "type_", "n_terminus", "string"),
    [
        ("IIIIIII", "globular", "", None, ""),
        ("SSSOOOO", "signal peptide", "", None, "c3/4"),
        ("SSSOMMI", "membrane protein with signal peptide", "I", "outside", "c3/4o5-6i"),
        ("IIMMMOO", "membrane protein", "II", "inside", "i3-5o"),
        ("OOMMMII", "membrane protein", "III", "outside", "o3-5i"),
        ("IMMOOMMI", "membrane protein", "multi-pass", "inside", "i2-3o6-7i"),
        ("SSIBBOBBI", "barrel", "", "inside", "c2/3i4-5o7-8i"),
    ],
)
def test_what_labels_say(
    labels: str, kind: str, type_: str, n_terminus: str | None, string: str
) -> None:
    one = found(labels)
    assert (one.kind, one.type, one.n_terminus, one.string) == (kind, type_, n_terminus, string)
    assert one.cleavage == (labels.count("S") or None)
    assert codes_of(labels, SCHEME) == labels


def test_letters_do_not_matter_and_unsure_labels_are_left_out() -> None:
    other = custom_scheme("mine", "xyz", ("inside", "membrane helix", "outside"))
    labels = "xx?yyzz"
    rows = np.full((7, 3), 1 / 3)
    one = topology(labels, rows, other)
    assert one is not None
    assert one.helices == ((4, 5),)
    assert codes_of(labels, other) == "II?MMOO"
    assert one.signal_probability == 0


def test_the_cleavage_is_as_probable_as_the_fall_of_the_signal_peptide() -> None:
    rows = np.zeros((5, 5))
    rows[:, 0] = (0.9, 0.9, 0.8, 0.1, 0.0)
    rows[:, 3] = 1 - rows[:, 0]
    one = topology("SSSII", rows, SCHEME)
    assert one is not None
    assert one.signal_probability == pytest.approx(0.9)
    assert one.cleavage_probability == pytest.approx(0.7)


def test_other_schemes_are_not_about_topology() -> None:
    assert roles_of(SS3) is None
    assert roles_of(SS8) is None
    assert found("HEC", SS3) is None
    with pytest.raises(ValueError, match="is not about topology"):
        codes_of("HEC", SS3)


def test_regions_are_runs_beyond_the_threshold() -> None:
    values = np.array([9, 1, 2, 3, np.nan, 1, 9], dtype=np.float32)
    assert Regions("low", 8, least=2).runs(values) == [(1, 4)]
    assert Regions("low", 8).runs(values) == [(1, 4), (5, 6)]
    assert Regions("high", 8, above=True).runs(values) == [(0, 1), (6, 7)]
    assert Regions("low", 8).runs(values[:0]) == []


def test_a_leading_class_ends_where_that_is_most_probable() -> None:
    rules = {"next": {"S": "SO", "O": "OM", "M": "MI", "I": "IM"}, "first": "SOI"}
    scheme = SCHEME.with_grammar(grammar_from_dict(rules, "SMBIO"))
    assert scheme.graph is not None
    assert scheme.graph.leading == [0]
    rows = np.zeros((6, 5), dtype=np.float32)
    # It ends after 2 with 0.4, after 3 with 0.25, after 4 with 0.35; the median is 3.
    rows[:, 0] = (1, 1, 0.6, 0.35, 0, 0)
    rows[:, 4] = 1 - rows[:, 0]
    assert scheme.decode(*best_classes([rows], scheme)) == "SSOOOO"
    rows[:, 0] *= 0.49
    rows[:, 4] = 1 - rows[:, 0]
    assert scheme.decode(*best_classes([rows], scheme)) == "OOOOOO"
    sooner = scheme.with_grammar(grammar_from_dict(rules | {"present": {"S": 0.45}}, "SMBIO"))
    assert sooner.decode(*best_classes([rows], sooner)) == "SSOOOO"
    for plain in (SS3, SS8):
        assert plain.graph is not None
        assert plain.graph.leading == []


def test_a_class_is_there_if_it_is_probable_enough_somewhere() -> None:
    rows = np.zeros((7, 5), dtype=np.float32)
    rows[:, 1] = (0, 0, 0.6, 0.75, 0.6, 0, 0)
    rows[:, 3] = 1 - rows[:, 1]
    for least, labels in ((0.75, "IIMMMII"), (0.76, "IIIIIII")):
        rules = {"least": {"M": 3}, "present": {"M": least, "B": 0.5}}
        scheme = SCHEME.with_grammar(grammar_from_dict(rules, "SMBIO"))
        assert scheme.grammar is not None
        assert scheme.grammar.as_dict() == rules
        assert scheme.decode(*best_classes([rows], scheme)) == labels
