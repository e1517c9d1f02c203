"""``grubio workflow``: the folder of a study, and which study is run in it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import wait_for

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


@pytest.mark.workflow
def test_a_study_that_fails_ends_with_the_last_lines_of_the_log(
    grubio: Runner, study: Path
) -> None:
    (study / "config/config.yaml").write_text(
        "datasets: {a: {records: bad.tsv, prepare: {format: tsv}}}\nruns: {one: {dataset: a}}\n"
    )
    (study / "bad.tsv").write_text("id\tsequence\tss8\nx\tMKT\tH\n")
    done = grubio("workflow", "run", "study", "--cores", "1")
    assert done.returncode == 1
    end = done.stderr[done.stderr.index("1 of 2 jobs failed:") :]
    assert "  prepare a: study/logs/prepare/a.log\n" in end
    assert "ERROR error: resources/datasets/a/records0/bad.tsv: record 'x': 3 residues" in end
    assert "    hint: give one character per residue\n" in end
    assert "all that Snakemake said: study/.snakemake/log/" in end
    status = grubio("workflow", "status", "study", "--watch")
    assert (status.returncode, status.stderr) == (0, "")
    assert "one  failed: prepare" in status.stdout


@pytest.mark.workflow
def test_a_signal_reaches_snakemake(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(
        "rule all:\n    shell: 'touch begun; sleep 2; touch ended'\n"
    )
    command = [sys.executable, "-m", "grubio", "workflow", "run", str(tmp_path), "--cores", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        wait_for(tmp_path / "begun")
        process.terminate()
        _, said = process.communicate(timeout=60)
    # Snakemake lets what runs end, and starts nothing after it.
    assert process.returncode == 1, said
    assert (tmp_path / "ended").exists()
    assert b"finishing currently running jobs" in said
