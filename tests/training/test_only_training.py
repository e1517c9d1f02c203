"""Two trainings in one folder: the second is refused, a killed one is in nobody's way."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import wait_for
from grubio.config import ModelSettings, TrainingSettings
from grubio.errors import GrubioError
from grubio.training.only_training import only_training_in
from grubio.training.train import train_model

HOLD = """
import sys, time, pathlib
from grubio.training.only_training import only_training_in
with only_training_in(pathlib.Path(sys.argv[1])):
    pathlib.Path(sys.argv[1], "held").touch()
    time.sleep(600)
"""


def test_a_second_training_is_refused_while_the_first_lives(dataset: Path, tmp_path: Path) -> None:
    first = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)])
    try:
        wait_for(tmp_path / "held")
        said = f"another training is at work in this folder: process {first.pid} of "
        with pytest.raises(GrubioError, match=said):
            train_model(dataset, tmp_path, ModelSettings(), TrainingSettings(), threads=1)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["held", "training.lock"]
    finally:
        first.kill()
        first.wait()
    assert (tmp_path / "training.lock").exists()
    with only_training_in(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["held"]


def test_one_ends_and_the_next_begins(tmp_path: Path) -> None:
    with (
        only_training_in(tmp_path / "new"),
        pytest.raises(GrubioError, match="another training"),
        only_training_in(tmp_path / "new"),
    ):
        raise AssertionError("two at once")
    with only_training_in(tmp_path / "new"):
        pass


def test_without_locks_a_warning_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("fcntl.flock", no_locks)
    with caplog.at_level(logging.WARNING), only_training_in(tmp_path):
        assert "is on a file system without locks" in caplog.text
