"""``grubio workflow``: the folder of a study, and which study is run in it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Runner = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def study(grubio: Runner, tmp_path: Path) -> Path:
    done = grubio("workflow", "init", "study")
    assert done.returncode == 0, done.stderr
    return tmp_path / "study"


@pytest.mark.workflow
@pytest.mark.parametrize("place", [".", "study"])
def test_another_study_takes_the_place_of_the_default(
    grubio: Runner, study: Path, tmp_path: Path, place: str
) -> None:
    text = (study / "config/config.yaml").read_text()
    other = text.replace("pdb-demo:", "other:").replace("dataset: pdb-demo", "dataset: other")
    assert other != text
    (tmp_path / place / "other.yaml").write_text(other)
    done = grubio("workflow", "run", "study", "--configfile", "other.yaml", "-n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "results/datasets/other/split.parquet" in done.stdout + done.stderr
    assert "results/datasets/pdb-demo" not in done.stdout + done.stderr


def test_a_study_that_is_missing_or_wrong_is_told_before_snakemake_starts(
    grubio: Runner, study: Path, tmp_path: Path
) -> None:
    done = grubio("workflow", "run", "study", "--configfile", "none.yaml", "-n")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: none.yaml: no such file\nhint: ")
    (tmp_path / "wrong.yaml").write_text("datasets: {}\n")
    done = grubio("workflow", "run", "--configfile", "wrong.yaml", "study", "-n")
    assert (done.returncode, done.stdout) == (2, "")
    assert "wrong.yaml: datasets: " in done.stderr
    assert "Traceback" not in done.stderr
