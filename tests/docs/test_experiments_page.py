"""The page of experiments takes the rows of long runs from files."""

from __future__ import annotations

import importlib
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from conftest import REPOSITORY


def test_a_long_run_is_a_model_or_a_file_of_its_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(REPOSITORY / "benchmarks"))
    experiments = importlib.import_module("experiments_page")
    results = REPOSITORY / "benchmarks/experiment_results"
    shutil.copy(results / "base.json", tmp_path)
    shutil.copytree(results / "long", tmp_path / "long")
    row = {
        "run": "student",
        "shape": "3 layers, width 384",
        "parameters": 4_900_000,
        "data": "600,000 pseudo-labelled proteins",
        "training": "dropout 0.2",
        "passes": 2,
        "valid_q3": 74.123,
    }
    (tmp_path / "long/student.json").write_text(json.dumps(row))
    base = SimpleNamespace(group="base", text="the base", verdict="-", base="base")
    text = experiments.page(tmp_path, {"base": base}, 1_500_000)
    assert (
        "| student | 3 layers, width 384 | 4,900,000 | 600,000 pseudo-labelled proteins "
        "| dropout 0.2 | 2 | 74.12 |\n"
    ) in text
    assert "| protein-ss-1 | 2 layers, width 192 | 998,601 |" in text
    (tmp_path / "long/student.json").write_text(json.dumps({**row, "q8": 61}))
    with pytest.raises(TypeError, match="q8"):
        experiments.page(tmp_path, {"base": base}, 1_500_000)
