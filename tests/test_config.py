from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import REPOSITORY
from grubio.config import Config, ModelSettings, TrainingSettings
from grubio.config_loading import as_options, checked, json_schema, load_config
from grubio.errors import GrubioError


def study(**changes: Any) -> dict[str, Any]:
    return {
        "datasets": {"d": {"records": "pdb-demo", "prepare": {"format": "tsv"}}},
        "runs": {"r": {"dataset": "d"}},
        **changes,
    }


def test_runs_take_what_they_leave_out_from_the_shared_groups() -> None:
    config = checked(
        Config,
        study(
            training={"epochs": 3, "seed": 7},
            runs={"a": {"dataset": "d"}, "b": {"dataset": "d", "training": {"seed": 8}}},
        ),
    )
    assert (config.runs["a"].training.epochs, config.runs["a"].training.seed) == (3, 7)
    assert (config.runs["b"].training.epochs, config.runs["b"].training.seed) == (3, 8)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"trainig": {}}, ["trainig: unknown key", "did you mean 'training'"]),
        ({"training": {"epoch": 3}}, ["training.epoch: unknown key (value 3)", "'epochs'"]),
        ({"training": {"epochs": 0}}, ["training.epochs", "greater than or equal to 1", "got 0"]),
        ({"training": {"epochs": "many"}}, ["training.epochs", "integer", '"many"']),
        ({"model": {"dropout": 1.5}}, ["model.dropout", "less than 1", "1.5"]),
        ({"device": "gpu"}, ["device", "'cuda'", '"gpu"']),
        ({"runs": {"r": {"dataset": "e"}}}, ["runs.r.dataset", "no dataset 'e'"]),
        ({"runs": {"r": {}}}, ["runs.r.dataset: this key is required"]),
        ({"runs": {"a/b": {"dataset": "d"}}}, ["runs.a/b"]),
        ({"runs": {"datasets": {"dataset": "d"}}}, ["'datasets'"]),
        ({"datasets": {"d": {"records": "https://x.org/a.fa"}}}, ["a URL needs its sha256"]),
        ({"datasets": {"d": {"records": "a.fa"}}}, ["format 'fasta' needs labels"]),
        ({"prediction": {"formats": ["pdf"]}}, ["prediction.formats.0", "'tsv'", '"pdf"']),
    ],
)
def test_wrong_keys_are_refused_with_path_value_and_expectation(
    changes: dict[str, Any], expected: list[str]
) -> None:
    with pytest.raises(GrubioError) as caught:
        checked(Config, study(**changes))
    for text in expected:
        assert text in str(caught.value)


def test_the_schema_of_the_workflow_is_the_one_that_the_code_has() -> None:
    written = (REPOSITORY / "workflow/schemas/config.schema.json").read_text()
    assert written == json_schema(), "run: python scripts/write_config_docs.py"


def test_the_reference_names_every_key_with_its_default() -> None:
    text = (REPOSITORY / "config/README.md").read_text()
    for group in (ModelSettings, TrainingSettings):
        for key, field in group.model_fields.items():
            assert f"| `{key}` | `{field.default}` |" in text


@pytest.mark.parametrize(
    "path", sorted((REPOSITORY / "config").glob("*.yaml")), ids=lambda p: p.name
)
def test_shipped_configurations_are_valid(path: Path) -> None:
    load_config(path)


def test_a_file_that_is_not_yaml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("runs: [")
    with pytest.raises(GrubioError, match="is not YAML"):
        load_config(path)


def test_options_set_what_they_were_made_from() -> None:
    settings = TrainingSettings(epochs=3, learning_rate=0.001, class_weights="balanced")
    options = as_options(settings)
    given = {
        flag.removeprefix("--").replace("-", "_"): yaml.safe_load(value)
        for flag, value in zip(options[::2], options[1::2], strict=True)
    }
    given["precision"] = str(given["precision"])
    assert checked(TrainingSettings, given) == settings
