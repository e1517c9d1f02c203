"""A run as an RO-Crate, checked by roc-validator, and its card, read by Hugging Face's library.

Both have an environment of their own in ``.venv/tools`` (``make test`` makes it): they need other
versions of libraries than grubio is tested with.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import REPOSITORY
from grubio.cli import command_line
from grubio.config import EvaluationSettings
from grubio.config.authors import Author
from grubio.config.loading import checked
from grubio.datasets.parquet import DatasetHeader, write_dataset
from grubio.errors import GrubioError
from grubio.evaluation.evaluate import evaluate_model
from grubio.evaluation.pool import pool_folds
from grubio.model.bundle import load_bundle, save_bundle, with_checksum
from grubio.runs.files import told_weights
from grubio.runs.folder import read_run
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS8

TOOLS = Path(sys.prefix) / "tools/bin/python"
ORCID = "0000-0002-1825-0097"
STUDY = {"datasets": {"d": {"records": "chains.tsv"}}, "runs": {"a": {"dataset": "d"}}}
with_tools = pytest.mark.skipif(
    not TOOLS.exists(), reason=f"{TOOLS} is not there: make test installs roc-validator"
)


@pytest.fixture(scope="module")
def run(run_folder: Path, chains: list[Record], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crate")
    shutil.copytree(run_folder, folder / "a", ignore=shutil.ignore_patterns("tensorboard"))
    header = DatasetHeader(PROTEIN, SS8, {"held_out.tsv": "1" * 64})
    write_dataset(folder / "test.parquet", header, chains[250:260])
    evaluate_model(
        folder / "a/model",
        folder / "test.parquet",
        folder / "a",
        EvaluationSettings(bootstrap=10),
        split="all",
        threads=1,
    )
    about = ("--license", "MIT", "--author", f"Josiah Carberry {ORCID}", "--author", "Ada Other")
    assert grubio_crate(folder / "a", *about, "--study", json.dumps(STUDY)) == 0
    return folder / "a"


@pytest.fixture(scope="module")
def cross(run_folder: Path, chains: list[Record], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-validation of two folds whose models are one."""
    folder = tmp_path_factory.mktemp("cross")
    settings = EvaluationSettings(bootstrap=10)
    datasets, runs = [], []
    for fold, tested in enumerate((chains[250:256], chains[260:266]), 1):
        records = [replace(record, split="test") for record in tested]
        datasets.append(folder / f"fold{fold}.parquet")
        write_dataset(datasets[-1], DatasetHeader(PROTEIN, SS8), records)
        runs.append(folder / f"cv-fold{fold}")
        shutil.copytree(run_folder / "model", runs[-1] / "model")
        evaluate_model(runs[-1] / "model", datasets[-1], runs[-1], settings, threads=1)
    pool_folds(runs, datasets, folder / "cv", settings, threads=1)
    assert grubio_crate(folder / "cv", "--license", "MIT") == 0
    return folder / "cv"


def grubio_crate(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        command_line()(["crate", *map(str, arguments)], prog_name="grubio")
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def entities(run: Path) -> dict[str, Any]:
    graph = json.loads((run / "ro-crate-metadata.json").read_text())["@graph"]
    return {entity["@id"]: entity for entity in graph}


def tool(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(TOOLS), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env={"HF_HUB_OFFLINE": "1", "HOME": "/nowhere"},
    )


def faults(crate: Path) -> str:
    """Return what the validator finds wrong with a crate."""
    check = REPOSITORY / "tests/study/validate_crate.py"
    terms = files("rocrate").joinpath("data/ro-crate.jsonld")
    done = tool(check, crate, "workflow-run-crate-0.5", "required", terms)
    assert done.returncode == bool(done.stdout), done.stderr
    return done.stdout


@with_tools
def test_the_crate_keeps_the_profile_of_workflow_runs(run: Path, tmp_path: Path) -> None:
    assert faults(run) == ""
    # The check is one: without its workflow the crate is refused.
    broken = tmp_path / "broken"
    shutil.copytree(run, broken)
    (broken / "workflow/Snakefile").unlink()
    assert "Snakefile" in faults(broken)


def test_a_cross_validation_is_a_crate_with_the_models_of_its_folds(cross: Path) -> None:
    graph = json.loads((cross / "ro-crate-metadata.json").read_text())["@graph"]
    entities = {entity["@id"]: entity for entity in graph}
    action = entities["#run-cv"]
    used, made = ([one["@id"] for one in action[key]] for key in ("object", "result"))
    models = [
        json.loads((cross.parent / f"cv-fold{k}/model/model.json").read_text()) for k in (1, 2)
    ]
    assert [entities[f"#fold-{k}"]["sha256"] for k in (1, 2)] == [
        model["weights_sha256"] for model in models
    ]
    assert {"#fold-1", "#fold-2", "#setting-training.epochs"} <= {*used}
    assert {"folds.tsv", "out_of_fold.parquet", "metrics.json", "#score-q3"} <= {*made}
    assert not (cross / "model").exists()


def test_a_cross_validation_in_the_folder_of_an_earlier_run_has_nothing_of_it(
    cross: Path, run: Path, tmp_path: Path
) -> None:
    shutil.copytree(cross.parent, tmp_path, dirs_exist_ok=True)
    folder = tmp_path / "cv"
    strange = {"history.csv", "gradient_reach.tsv", "speed.json", "test_predictions.parquet"}
    for name in strange:
        shutil.copyfile(run / name, folder / name)
    shutil.copytree(run / "model", folder / "model")
    (folder / "predictor.html").write_text(told_weights("None"))
    assert grubio_crate(folder) == 0
    graph = json.loads((folder / "ro-crate-metadata.json").read_text())["@graph"]
    (action,) = (one for one in graph if one["@id"] == "#run-cv")
    made = {one["@id"] for one in action["result"]}
    assert not strange & made
    assert not [name for name in made if name.startswith("model/")]
    assert "out_of_fold.parquet" in made
    found = read_run(folder)
    assert (found.history, found.reach, found.labelling_rate, found.page) == (None,) * 4


def test_a_fold_that_was_trained_anew_is_refused(cross: Path, tmp_path: Path) -> None:
    shutil.copytree(cross.parent, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "cv-fold2/model/model.json"
    other = {**json.loads(path.read_text()), "weights_sha256": "b" * 64}
    path.write_text(json.dumps(with_checksum(other)))
    with pytest.raises(GrubioError, match=r"cv.metrics.json: has the scores of another model"):
        read_run(tmp_path / "cv")
    runs = [path.parents[1], path.parents[2] / "cv-fold1"]
    bundle = load_bundle(runs[1] / "model")
    save_bundle(
        runs[0] / "model",
        replace(bundle, weights=changed(bundle.weights)),
        bundle.metadata["training"],
    )
    with pytest.raises(GrubioError, match=r"fold2.metrics.json: has the scores of another model"):
        pool_folds(runs, [], tmp_path / "again", EvaluationSettings(bootstrap=10), threads=1)


def changed(weights: Mapping[str, Any]) -> dict[str, Any]:
    return {name: weight + 1 for name, weight in weights.items()}


@with_tools
def test_the_crate_of_a_cross_validation_keeps_the_profile(cross: Path) -> None:
    assert faults(cross) == ""


def test_every_file_of_the_run_is_there_with_its_checksum(
    run: Path, entities: dict[str, Any]
) -> None:
    listed = {
        name: one for name, one in entities.items() if "sha256" in one and one["@type"] == "File"
    }
    for name, entity in listed.items():
        assert entity["sha256"] == hashlib.sha256((run / name).read_bytes()).hexdigest(), name
    wanted = {"metrics.json", "model/weights.safetensors", "test_predictions.parquet", "study.yaml"}
    assert wanted <= listed.keys()
    assert "model/README.md" in listed
    action = entities["#run-a"]
    assert {one["@id"] for one in action["result"]} >= listed.keys()
    assert action["startTime"] <= action["endTime"]


def test_inputs_settings_software_and_scores_are_there(run: Path, entities: dict[str, Any]) -> None:
    model = json.loads((run / "model/model.json").read_text())
    sources = model["training"]["dataset_sources"]
    assert entities["#input-1"]["sha256"] == next(iter(sources.values()))
    assert entities["#dataset"]["sha256"] == model["training"]["dataset_sha256"]
    assert entities["#setting-training.epochs"]["value"] == 1
    metrics = json.loads((run / "metrics.json").read_text())
    score = entities["#score-q3"]
    assert [score[key] for key in ("value", "minValue", "maxValue")] == [
        metrics["q3"][key] for key in ("value", "low", "high")
    ]
    versions = {
        one["name"]: one["softwareVersion"] for one in entities.values() if "softwareVersion" in one
    }
    assert versions["torch"] == model["training"]["versions"]["torch"]
    assert {"grubio", "numpy", "snakemake"} <= versions.keys()
    assert yaml.safe_load((run / "study.yaml").read_text()) == STUDY


def test_who_made_the_run_is_there(entities: dict[str, Any]) -> None:
    people = [{"@id": f"https://orcid.org/{ORCID}"}, {"@id": "#author-2"}]
    assert entities["./"]["author"] == entities["#run-a"]["agent"] == people
    assert [entities[one["@id"]]["name"] for one in people] == ["Josiah Carberry", "Ada Other"]


@pytest.mark.parametrize("word", ["Ada 0000-0002-1825-0098", '{"name": ""}'])
def test_an_author_without_a_name_or_with_a_wrong_orcid_is_refused(word: str) -> None:
    with pytest.raises(GrubioError, match=r"orcid|name"):
        checked(Author, json.loads(word) if word.startswith("{") else word)


def test_the_card_has_a_head_and_loads_with_the_bundle(run: Path) -> None:
    text = (run / "model/README.md").read_text()
    head = yaml.safe_load(text.split("---\n")[1])
    (index,) = head["model-index"]
    scores = {one["name"]: one["value"] for one in index["results"][0]["metrics"]}
    metrics = json.loads((run / "metrics.json").read_text())
    assert scores["Q3"] == metrics["q3"]["value"]
    assert index["results"][0]["dataset"]["name"] == "held_out.tsv"
    assert (head["license"], head["pipeline_tag"]) == ("mit", "token-classification")
    assert "# Model card" in text
    assert "| Q3 | " in text
    assert load_bundle(run / "model").scheme.name == "ss8"


@with_tools
def test_the_library_of_the_hub_reads_the_scores(run: Path) -> None:
    code = (
        "import sys; from huggingface_hub import ModelCard\n"
        "data = ModelCard.load(sys.argv[1]).data\n"
        "print(data.model_name, data.license, data.library_name)\n"
        "print(*(f'{one.metric_type}={one.metric_value}' for one in data.eval_results))\n"
    )
    done = tool("-c", code, run / "model/README.md")
    first, scores = done.stdout.splitlines()
    assert first == "a mit grubio", done.stderr
    assert f"accuracy={json.loads((run / 'metrics.json').read_text())['q3']['value']}" in scores


def test_a_second_call_replaces_the_crate_and_no_licence_is_said(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "a"
    shutil.copytree(run, copy)
    # Left by an earlier cross-validation.
    (copy / "folds.tsv").touch()
    assert grubio_crate(copy) == 0
    graph = json.loads((copy / "ro-crate-metadata.json").read_text())["@graph"]
    assert not [one for one in graph if one["@id"] == "folds.tsv"]
    root = next(one for one in graph if one["@id"] == "./")
    assert root["license"].startswith("No licence was given")
    assert "license" not in yaml.safe_load((copy / "model/README.md").read_text().split("---\n")[1])


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GrubioError, match="metrics"):
        command_line()(["crate", str(tmp_path)], prog_name="grubio", standalone_mode=False)
