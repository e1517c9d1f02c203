"""Training by two processes: the same answer as by one, one writer, exact resume."""

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
from grubio.datasets.parquet import read_records
from grubio.errors import GrubioError
from grubio.model.batching import dealt_batches, is_dealt
from grubio.training.distributed import other_processes
from grubio.training.train import train_model

SMALL = ModelSettings(hidden_size=16, layers=1)
ALONE = TrainingSettings(epochs=2, batch_residues=4000, precision="bf16")
TOGETHER = ALONE.model_copy(update={"batch_residues": 2000, "processes": 2})
OPTIONS = ["--threads", "2", "--device", "cpu", "--hidden-size", "16", "--layers", "1"]
OPTIONS += ["--epochs", "2", "--batch-residues", "2000", "--processes", "2"]
OPTIONS += ["--precision", "bf16"]


def history(folder: Path) -> list[dict[str, float]]:
    with open(folder / "history.csv") as lines:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(lines)]


def weights(folder: Path) -> dict[str, np.ndarray]:
    return load_file(folder / "model" / "weights.safetensors")


@pytest.fixture(scope="module")
def together(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("together")
    train_model(dataset, folder, SMALL, TOGETHER, device="cpu", threads=2)
    return folder


def test_two_processes_learn_what_one_learns(dataset: Path, together: Path, tmp_path: Path) -> None:
    """Half the batch in each of two processes is about the batch of one, and as many residues."""
    train_model(dataset, tmp_path, SMALL, ALONE, device="cpu", threads=1)
    one, two = history(tmp_path), history(together)
    residues = sum(len(record) for record in read_records(dataset, "train"))
    assert [row["residues"] for row in two] == pytest.approx([residues, 2 * residues], rel=1e-4)
    assert [row["epoch"] for row in two] == [1, 2]
    assert two[-1]["step"] == pytest.approx(one[-1]["step"], abs=3)
    # The score of one process moves by more than this from seed to seed.
    assert two[-1]["valid_score"] == pytest.approx(one[-1]["valid_score"], abs=0.02)
    assert two[-1]["valid_loss"] == pytest.approx(one[-1]["valid_loss"], rel=0.03)
    training = json.loads((together / "model" / "model.json").read_text())["training"]
    assert training["settings"]["processes"] == 2
    assert len(list((together / "tensorboard").glob("events.out.tfevents.*"))) == 1
    assert not (together / "checkpoints").exists()


def test_two_processes_have_the_further_targets_of_one(
    rich: Path, together: Path, tmp_path: Path
) -> None:
    """A teacher, accessibility and profiles."""
    shape = SMALL.model_copy(update={"targets": ("accessibility",)})
    teacher = together / "model"
    found = []
    for settings, threads in ((ALONE, 1), (TOGETHER, 2)):
        once = settings.model_copy(update={"epochs": 1, "target_weights": {"profile": 0.1}})
        folder = tmp_path / str(threads)
        train_model(rich, folder, shape, once, teacher=teacher, device="cpu", threads=threads)
        found.append(history(folder)[-1])
    assert found[1]["valid_loss"] == pytest.approx(found[0]["valid_loss"], rel=0.05)


def test_killed_and_started_again_by_torchrun_they_end_with_the_same_weights(
    dataset: Path, together: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", "from grubio.cli import main; main()", "train", str(dataset)]
    command += ["--output", str(tmp_path), *OPTIONS]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    checkpoint = tmp_path / "checkpoints" / "last.ckpt"
    wait_for(checkpoint)
    process.send_signal(signal.SIGKILL)
    # Its other process has the same standard error: this ends when that one has ended too.
    process.communicate(timeout=60)
    assert checkpoint.exists()
    assert not (tmp_path / "model").exists(), "killed too late to show anything"

    program = tmp_path / "bin" / "grubio"
    program.parent.mkdir()
    program.write_text("from grubio.cli import main\nmain()\n")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", str(program), "train", str(dataset)]
    command += ["--output", str(tmp_path), *OPTIONS]
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("resuming from the checkpoint") == 1
    assert again.stdout.splitlines() == [str(tmp_path / "model")], "only the first process speaks"
    ours, theirs = weights(tmp_path), weights(together)
    assert all(np.array_equal(value, theirs[name]) for name, value in ours.items())


def test_no_batch_is_seen_twice_and_none_is_left_out() -> None:
    for batches in range(1, 12):
        taken = [
            number
            for process in range(3)
            for turn, number in enumerate(dealt_batches(batches, process, 3))
            if is_dealt(turn, batches, process, 3)
        ]
        assert sorted(taken) == list(range(batches))
        assert len({len(dealt_batches(batches, process, 3)) for process in range(3)}) == 1


@pytest.mark.parametrize(
    ("changed", "environment", "message"),
    [
        ({"processes": 50}, {}, "50 processes cannot share .* batches"),
        ({"nodes": 2}, {}, "2 machines must be started on each of them"),
        ({}, {"RANK": "0", "WORLD_SIZE": "4"}, "torchrun started 4 processes"),
        ({}, {"SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "3"}, "srun started 3 processes"),
    ],
)
def test_processes_that_make_no_sense_are_refused(
    changed: dict[str, int],
    environment: dict[str, str],
    message: str,
    dataset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = TOGETHER.model_copy(update=changed)
    with pytest.raises(GrubioError, match=message):
        train_model(dataset, tmp_path / "run", SMALL, settings, device="cpu", threads=2)
    assert not (tmp_path / "run").exists()


def test_a_process_that_dies_ends_the_training_with_a_message(tmp_path: Path) -> None:
    with (
        pytest.raises(GrubioError, match="process 1 of 2 of the training ended with code 3"),
        other_processes(2, "raise SystemExit(3)", {}),
    ):
        raise AssertionError("it did not take part")
