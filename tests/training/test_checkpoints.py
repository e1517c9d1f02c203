"""Interrupted trainings: moved, damaged, of other settings; each ends as an uninterrupted one."""

from __future__ import annotations

import errno
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from grubio.config import ModelSettings, TrainingSettings
from grubio.datasets.parquet import read_header, write_dataset
from grubio.errors import GrubioError
from grubio.model.bundle import load_metadata
from grubio.sequences.record import Record
from grubio.training.checkpoints import best_weights
from grubio.training.lightning_module import Fitting
from grubio.training.train import train_model

TINY = ModelSettings(hidden_size=8, stem_channels=8, layers=1)
SETTINGS = TrainingSettings(epochs=4, batch_residues=2000, patience=2)


@pytest.fixture(scope="module")
def few(chains: list[Record], dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("few") / "split.parquet"
    write_dataset(path, read_header(dataset), [*chains[:30], *chains[200:215]])
    return path


@pytest.fixture
def falling_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first validation has the best score, each further one a worse one."""
    logged = Fitting.log_dict

    def log(self: Fitting, values: dict[str, Any]) -> None:
        score = 0.5 - 0.1 * self.current_epoch
        self.history[-1]["valid_score"] = score
        logged(self, {**values, "valid_score": score})

    monkeypatch.setattr(Fitting, "log_dict", log)


def train(dataset: Path, folder: Path, settings: TrainingSettings = SETTINGS) -> None:
    train_model(dataset, folder, TINY, settings, device="cpu", threads=1)


def interrupted(dataset: Path, folder: Path, epochs: int) -> Path:
    """Train for some epochs, and lose the process in the next one; return the checkpoints."""
    start = Fitting.on_train_epoch_start

    def lost(self: Fitting) -> None:
        if self.current_epoch == epochs:
            raise RuntimeError("lost")
        start(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Fitting, "on_train_epoch_start", lost)
        with pytest.raises(RuntimeError, match="lost"):
            train(dataset, folder)
    return folder / "checkpoints"


def assert_alike(one: Path, other: Path) -> None:
    """The same weights of the same epoch, after as many epochs."""
    ours, theirs = (load_file(run / "model" / "weights.safetensors") for run in (one, other))
    assert all(np.array_equal(value, theirs[name]) for name, value in ours.items())
    facts = [load_metadata(run / "model")["training"] for run in (one, other)]
    for key in ("valid_score", "best_epoch", "epochs_run"):
        assert facts[0][key] == facts[1][key], key


@pytest.mark.usefixtures("falling_scores")
def test_a_moved_folder_keeps_the_best_weights(few: Path, tmp_path: Path) -> None:
    train(few, tmp_path / "whole")
    interrupted(few, tmp_path / "before", 2)
    (tmp_path / "before").rename(tmp_path / "after")
    train(few, tmp_path / "after")
    assert_alike(tmp_path / "after", tmp_path / "whole")


@pytest.mark.parametrize("name", ["last.ckpt", "best.ckpt"])
def test_a_damaged_checkpoint_is_reported_and_left_out(
    name: str, few: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    train(few, tmp_path / "whole")
    damaged = interrupted(few, tmp_path / "cut", 2) / name
    damaged.write_bytes(damaged.read_bytes()[:1000])
    with caplog.at_level(logging.INFO):
        train(few, tmp_path / "cut")
    if name == "last.ckpt":
        assert "last.ckpt is damaged; best.ckpt is taken instead" in caplog.text
    else:
        assert "is damaged: training starts anew" in caplog.text
    assert_alike(tmp_path / "cut", tmp_path / "whole")


def test_a_full_disk_leaves_the_checkpoint_before(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(few, tmp_path / "whole")
    folder = interrupted(few, tmp_path / "full", 2)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    write = Path.write_bytes

    def full(self: Path, content: Any) -> int:
        if self.parent == folder:
            write(self, content[:1000])
            raise OSError(errno.ENOSPC, "full")
        return write(self, content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(GrubioError, match="No space left on device"):
            train(few, tmp_path / "full")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    train(few, tmp_path / "full")
    assert_alike(tmp_path / "full", tmp_path / "whole")


def test_other_settings_discard_the_checkpoint_and_say_so(
    few: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = interrupted(few, tmp_path, 2) / "notes.txt"
    kept.write_text("of the user")
    with caplog.at_level(logging.INFO):
        train(few, tmp_path, SETTINGS.model_copy(update={"epochs": 1}))
    said = "is of other data, other settings or another version: training starts anew"
    assert f"the checkpoint in {tmp_path / 'checkpoints'} {said}" in caplog.text
    assert [path.name for path in kept.parent.iterdir()] == ["notes.txt"]


def test_checkpoints_of_another_program_are_not_touched(few: Path, tmp_path: Path) -> None:
    own = tmp_path / "checkpoints" / "last.ckpt"
    own.parent.mkdir()
    own.write_text("mine")
    with pytest.raises(GrubioError, match="not a folder of checkpoints of grubio"):
        train(few, tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["checkpoints", "last.ckpt"]
    assert own.read_text() == "mine"


@pytest.mark.usefixtures("falling_scores")
def test_a_training_lost_after_its_early_stop_learns_no_more(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(few, tmp_path / "whole")
    assert load_metadata(tmp_path / "whole" / "model")["training"]["epochs_run"] == 3
    with monkeypatch.context() as patch:
        patch.setattr("grubio.training.train.best_weights", lost)
        with pytest.raises(RuntimeError, match="lost"):
            train(few, tmp_path / "lost")
    train(few, tmp_path / "lost")
    assert_alike(tmp_path / "lost", tmp_path / "whole")


def lost(*_: object) -> None:
    raise RuntimeError("lost")


def test_the_checkpoint_of_another_training_is_no_model(few: Path, tmp_path: Path) -> None:
    """As two trainings leave it where the file system knows no locks."""
    other = interrupted(few, tmp_path / "other", 1) / "best.ckpt"
    path = interrupted(few, tmp_path / "run", 1)
    history = torch.load(path / "best.ckpt", weights_only=True)["history"]
    best_weights(path, history)
    other.replace(path / "best.ckpt")
    with pytest.raises(GrubioError, match="of another training"):
        best_weights(path, history)
