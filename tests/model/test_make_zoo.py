"""The script that copies a trained model into the zoo."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest

from conftest import REPOSITORY
from grubio.metrics.bootstrap import Score
from grubio.runs.metrics import Counts, Metrics


def test_a_card_has_the_scores_of_any_scheme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(REPOSITORY / "scripts"))
    make_zoo = importlib.import_module("make_zoo")
    (tmp_path / "zoo").mkdir()
    monkeypatch.setattr(make_zoo, "ZOO", tmp_path / "zoo")
    monkeypatch.setitem(make_zoo.CARDS, "disorder", "\n{chains} chains of {name}\n{rows}end\n")
    monkeypatch.setattr(sys, "argv", ["make_zoo.py", str(tmp_path / "results"), "disorder"])
    run = tmp_path / "results/disorder"
    (run / "model").mkdir(parents=True)
    for name in ("weights.safetensors", "training_sketch.bin"):
        (run / "model" / name).write_text(name)
    (run / "model/model.json").write_text('{"training": {"epochs": 2}}')
    monkeypatch.setitem(make_zoo.TRAINED_ON, "disorder", "proteins")
    (run / "model/CARD.md").write_text("# Model card\n")
    metrics = Metrics(
        counts=Counts(scored_chains=12, scored_residues=600),
        targets={
            "plddt": {"pearson": Score(0.6, 0.5, 0.7)},
            "topology": {"mcc": Score(0.25, 0, 1)},
        },
    )
    metrics.add({"accuracy": Score(0.71, 0.672, 0.745), "mcc": Score()})
    metrics.write(run)
    make_zoo.main()
    folder = tmp_path / "zoo/disorder"
    found = json.loads((folder / "model.json").read_text())
    assert found["training"] == {"epochs": 2, "trained_on": "proteins"}
    assert found["sha256"]
    assert (folder / "weights.safetensors").read_text() == "weights.safetensors"
    assert (folder / "CARD.md").read_text().splitlines() == [
        "# disorder",
        "",
        "12 chains of disorder",
        "| accuracy, % | 71.0 | 67.2 to 74.5 |",
        "| correlation of plddt | 0.600 | 0.500 to 0.700 |",
        "| MCC of topology | 0.250 | 0.000 to 1.000 |",
        "end",
    ]
