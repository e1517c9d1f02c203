"""A grammar that a prediction asks for, beside that of the model."""

from __future__ import annotations

from typing import Any

import pytest

from grubio.config import PredictionSettings, PrepareSettings
from grubio.errors import GrubioError
from grubio.model.bundle import load_bundle
from grubio.model.zoo import find_model
from grubio.prediction.kinds import model_kind


def rules_of(model: str, grammar: Any) -> dict[str, Any]:
    kind = model_kind(load_bundle(find_model(model)), PredictionSettings(grammar=grammar))
    assert kind.bundle.scheme.grammar is not None
    return kind.bundle.scheme.grammar.as_dict()


@pytest.mark.parametrize(
    ("model", "given"),
    [
        ("protein-topology", {"present": {"S": 0.2}}),
        ("protein-topology", {"least": {"M": 18}, "last": ["out"]}),
        ("ecoli-genes", {"genes": {"least": 60}}),
    ],
)
def test_what_a_grammar_does_not_name_stays_as_it_is(model: str, given: dict[str, Any]) -> None:
    own = rules_of(model, None)
    changed = {
        key: {**own[key], **value} if isinstance(value, dict) else value
        for key, value in given.items()
    }
    assert rules_of(model, given) == {**own, **changed} != own


def test_states_make_another_grammar() -> None:
    given = {"states": {x: x for x in "HGIEBTSC"}, "least": {"E": 2}}
    assert rules_of("protein-ss", given) == given


def test_a_genome_has_no_label_that_must_be_present_somewhere() -> None:
    with pytest.raises(GrubioError, match="a genome comes in windows"):
        rules_of("ecoli-promoters", {"present": {"T": 0.3}})
    with pytest.raises(ValueError, match="a genome comes in windows"):
        PrepareSettings(
            format="genome",
            alphabet="dna",
            classes={"gene": {"feature": "CDS", "letter": "C"}},
            grammar={"present": {"C": 0.3}},
        )


@pytest.mark.parametrize("grammar", ["none", {"next": {"in": "up"}}, {"states": {"in": "I"}}])
def test_learned_transitions_need_their_grammar(grammar: Any) -> None:
    with pytest.raises(GrubioError, match=r"^protein-topology learned how labels") as refused:
        rules_of("protein-topology", grammar)
    assert "first, last, least, most, present" in str(refused.value.hint)
