"""The scores by protein of benchmarks/topology.py."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks/topology.py"
SPEC = importlib.util.spec_from_file_location("topology_scores", SCRIPT)
assert SPEC is not None
assert SPEC.loader is not None
topology = importlib.util.module_from_spec(SPEC)
sys.modules[SPEC.name] = topology
SPEC.loader.exec_module(topology)


@pytest.mark.parametrize(
    ("known", "found", "wanted"),
    [
        # Found, cleaved two residues late; no helix.
        (
            "SSSSOOOO",
            "SSSSSSOO",
            {"signal_recall": 1, "cleavage_exact": 0, "cleavage_near": 1, "helix_false": 0},
        ),
        ("IIIIIIII", "SSIIMMMM", {"signal_false": 1, "helix_false": 1, "barrel_false": 0}),
        # Both helices overlap by five, and sides are turned round.
        (
            "IIMMMMMMMOOOMMMMMMMII",
            "OOMMMMMMMIIIMMMMMMMOO",
            {"helix_recall": 1, "helices_right": 1, "sides_right": 0},
        ),
        # One helix too many.
        ("IIMMMMMMMOOOOOOOOOOO", "IIMMMMMMMOOOMMMMMMMI", {"helix_recall": 1, "helices_right": 0}),
        ("IBBOBBIBBOBBIBBO", "IIIIIIIIIIIIIIII", {"barrel_recall": 0}),
    ],
)
def test_outcomes(known: str, found: str, wanted: dict[str, int]) -> None:
    protein = topology.Protein("a", "A" * len(known), known, found, 0)
    outcomes = dict(topology.outcomes(protein, found))
    assert {key: outcomes[key] for key in wanted} == {k: bool(v) for k, v in wanted.items()}


@pytest.mark.parametrize(("known", "counts"), [("??IIIIII", False), ("IIIIIIII", True)])
def test_a_signal_peptide_is_surely_false_where_the_n_terminus_is_annotated(
    known: str, counts: bool
) -> None:
    outcomes = dict(topology.outcomes(topology.Protein("a", "A" * 8, known, known, 0), "SSIIIIII"))
    assert outcomes["signal_false"]
    assert ("signal_false_known" in outcomes) == counts


def test_shares_have_intervals() -> None:
    value, low, high = topology.wilson(8, 10)
    assert (value, low, high) == (
        0.8,
        pytest.approx(0.49, abs=0.01),
        pytest.approx(0.943, abs=0.01),
    )
    assert topology.wilson(0, 10)[1] == 0
