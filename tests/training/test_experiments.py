"""The ideas of the experiment log still run, each with its own network."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from conftest import REPOSITORY


@pytest.mark.parametrize(
    "name",
    ["base", "ten-passes-attention", "ten-passes-norm-3", "locked", "recurrent", "masked"],
)
def test_an_idea_is_trained_and_scored(
    name: str, rich: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(REPOSITORY / "benchmarks"))
    experiments = importlib.import_module("experiments")
    monkeypatch.setattr(experiments, "BUDGET", 300)
    monkeypatch.setattr(experiments, "BASE_MODEL", experiments.BASE_MODEL | {"hidden_size": 4})
    model = experiments.checked(experiments.ModelSettings, {"accessibility": True})
    settings = experiments.checked(experiments.TrainingSettings, {"profile_weight": 0.3})
    data = experiments.load_training_data(rich, model, settings)
    data = experiments.replace(data, valid=data.valid[:2])
    experiments.run_idea(name, data, tmp_path)
    result = json.loads((tmp_path / f"{name}.json").read_text())
    passes = 10 if name.startswith("ten-passes") else 1
    assert result["residues"] >= 300 * passes
    assert [counts[2] for counts in result["counts"]] == [len(example) for example in data.valid]
