from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from conftest import wait_for
from grubio.config import ModelSettings, TrainingSettings
from grubio.datasets.parquet import read_header, read_records, write_dataset
from grubio.errors import GrubioError
from grubio.model.bundle import load_bundle
from grubio.sequences.record import Record
from grubio.training.examples import load_training_data
from grubio.training.fitting import new_fitting
from grubio.training.lightning_module import HISTORY_COLUMNS
from grubio.training.train import train_model

SMALL = ModelSettings(hidden_size=16, layers=1)
SHORT = TrainingSettings(epochs=3, batch_residues=4000)


def weights_of(folder: Path) -> dict[str, np.ndarray]:
    return load_file(folder / "model" / "weights.safetensors")


def assert_same_weights(first: Path, second: Path) -> None:
    ours, theirs = weights_of(first), weights_of(second)
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        assert np.array_equal(value, theirs[name]), name


@pytest.fixture(scope="module")
def uninterrupted(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uninterrupted")
    train_model(dataset, folder, SMALL, SHORT, device="cpu", threads=1)
    return folder


def test_the_same_seed_gives_the_same_weights_and_another_does_not(
    dataset: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    train_model(dataset, tmp_path / "a", SMALL, SHORT, device="cpu", threads=1)
    assert_same_weights(uninterrupted, tmp_path / "a")
    other = SHORT.model_copy(update={"seed": 2})
    train_model(dataset, tmp_path / "b", SMALL, other, device="cpu", threads=1)
    assert not np.array_equal(
        weights_of(tmp_path / "b")["heads.0.weight"], weights_of(uninterrupted)["heads.0.weight"]
    )


def test_a_killed_run_goes_on_and_ends_with_the_same_weights(
    dataset: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", "from grubio.cli import main; main()", "train", str(dataset)]
    command += ["--output", str(tmp_path), "--threads", "1", "--device", "cpu"]
    command += ["--hidden-size", "16", "--layers", "1", "--epochs", "3", "--batch-residues", "4000"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    checkpoint = tmp_path / "checkpoints" / "last.ckpt"
    wait_for(checkpoint)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert checkpoint.exists()
    assert not (tmp_path / "model").exists(), "killed too late to show anything"

    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "resuming from the checkpoint" in again.stderr
    assert_same_weights(uninterrupted, tmp_path)
    assert (tmp_path / "history.csv").read_text().count("\n") == 4
    assert not checkpoint.exists()


def test_a_checkpoint_of_other_settings_is_not_taken_up(dataset: Path, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    (folder / "fingerprint").write_text("of other settings")
    (folder / "last.ckpt").write_bytes(b"not a checkpoint")
    train_model(dataset, tmp_path, SMALL, SHORT.model_copy(update={"epochs": 1}), threads=1)
    assert (tmp_path / "model" / "model.json").exists()


def test_history_and_model_tell_what_was_done(uninterrupted: Path, dataset: Path) -> None:
    with open(uninterrupted / "history.csv") as lines:
        rows = list(csv.DictReader(lines))
    assert tuple(rows[0]) == HISTORY_COLUMNS
    assert [float(row["epoch"]) for row in rows] == [1, 2, 3]
    residues = sum(len(record) for record in read_records(dataset, "train"))
    assert [float(row["residues"]) for row in rows] == pytest.approx(
        [residues, 2 * residues, 3 * residues], rel=1e-4
    )
    assert float(rows[-1]["train_loss"]) < float(rows[0]["train_loss"])
    training = json.loads((uninterrupted / "model" / "model.json").read_text())["training"]
    assert training["settings"] == SHORT.model_dump()
    assert training["chains"] == 200
    assert training["valid_score"] == pytest.approx(
        max(float(row["valid_score"]) for row in rows), abs=1e-5
    )
    assert list((uninterrupted / "tensorboard").glob("events.out.tfevents.*"))


def test_masked_residues_never_reach_the_loss(
    chains: list[Record], dataset: Path, tmp_path: Path
) -> None:
    """Training with wrong labels under the mask equals training with any other labels there."""
    header = read_header(dataset)
    for name, letter in (("a", "H"), ("b", "E")):
        records = [
            Record(
                r.id,
                "",
                r.sequence,
                letter * 20 + (r.labels or "")[20:],
                "0" * 20 + "1" * (len(r) - 20),
                None,
                r.split,
            )
            for r in chains[:220]
        ]
        write_dataset(tmp_path / f"{name}.parquet", header, records)
        settings = SHORT.model_copy(update={"epochs": 1, "class_weights": "balanced"})
        train_model(tmp_path / f"{name}.parquet", tmp_path / name, SMALL, settings, threads=1)
    assert_same_weights(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize("steps", [1, 9, 19])
def test_a_schedule_of_any_length_starts(steps: int, dataset: Path) -> None:
    """A warm-up of exactly one step, as of 10 steps of which 10 %, is none to PyTorch."""
    settings = SHORT.model_copy(update={"warmup_fraction": 0.05 if steps == 19 else 0.1})
    fitting = new_fitting(load_training_data(dataset, SMALL, settings), SMALL, settings)
    fitting.total_steps = steps
    schedule = fitting.configure_optimizers()["lr_scheduler"]["scheduler"]
    assert 0 < schedule.get_last_lr()[0] <= settings.learning_rate


def test_validations_per_epoch_divide_the_same_steps(dataset: Path, tmp_path: Path) -> None:
    settings = SHORT.model_copy(update={"epochs": 1, "validations_per_epoch": 3})
    train_model(dataset, tmp_path, SMALL, settings, threads=1)
    with open(tmp_path / "history.csv") as lines:
        rows = list(csv.DictReader(lines))
    assert [round(float(row["epoch"]), 2) for row in rows] == [0.33, 0.67, 1.0]
    residues = sum(len(record) for record in read_records(dataset, "train"))
    assert float(rows[-1]["residues"]) == pytest.approx(residues, rel=1e-4)


def test_training_stops_when_validation_no_longer_improves(dataset: Path, tmp_path: Path) -> None:
    settings = TrainingSettings(epochs=30, patience=1, learning_rate=1e-9, batch_residues=20_000)
    train_model(dataset, tmp_path, SMALL, settings, threads=1)
    assert (tmp_path / "history.csv").read_text().count("\n") < 30


def test_a_dataset_without_validation_records_is_refused(
    chains: list[Record], dataset: Path, tmp_path: Path
) -> None:
    path = tmp_path / "d.parquet"
    write_dataset(path, read_header(dataset), chains[:200])
    with pytest.raises(GrubioError, match="no records in split 'valid'"):
        train_model(path, tmp_path / "run", SMALL, SHORT, threads=1)
    assert not (tmp_path / "run").exists()


def test_a_device_that_is_not_there_is_named(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(GrubioError, match="device 'mps' was asked for"):
        train_model(dataset, tmp_path, SMALL, SHORT, device="mps")


def test_a_damaged_bundle_is_refused(uninterrupted: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for path in (uninterrupted / "model").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    load_bundle(folder)
    weights = folder / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(GrubioError, match="is damaged: SHA-256"):
        load_bundle(folder)
    metadata = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**metadata, "format": 99}))
    with pytest.raises(GrubioError, match="model format 2 or an earlier one was expected"):
        load_bundle(folder)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_training_with_its_code_and_keeps_the_checkpoint(
    number: signal.Signals, dataset: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", "from grubio.cli import main; main()", "train", str(dataset)]
    command += ["--output", str(tmp_path), "--threads", "1", "--epochs", "200", "--patience", "200"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    checkpoint = tmp_path / "checkpoints" / "last.ckpt"
    wait_for(checkpoint)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + number, said
    assert f"stopped by {number.name}" in said
    assert "resume from the checkpoint" in said
    assert "Traceback" not in said
    assert checkpoint.exists()
    assert not (tmp_path / "training.lock").exists()
