"""``grubio workflow``: the folder of a study, and which study is run in it."""

from __future__ import annotations

import os
import signal
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
    config = study / "config/config.yaml"
    config.write_text(config.read_text() + "training: {epochs: 1}\n")
    done = grubio("workflow", "run", "study", "-n")
    assert (done.returncode, done.stdout) == (2, "")
    assert "study/config/config.yaml: cannot be read as YAML: line " in done.stderr
    assert "key 'training' was given before, on line " in done.stderr
    both = ("--configfile", "wrong.yaml", "--configfile", "config/config.yaml")
    for more in (both, ("--config", "device=cpu")):
        done = grubio("workflow", "run", "study", "-n", *more)
        assert (done.returncode, done.stdout) == (2, "")
        assert "key 'training' was given before, on line " in done.stderr
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


@pytest.mark.workflow
def test_bare_snakemake_refuses_a_key_that_comes_twice(study: Path) -> None:
    config = study / "config/config.yaml"
    config.write_text(config.read_text() + "training: {epochs: 1}\n")
    command = [sys.executable, "-m", "snakemake", "-n"]
    done = subprocess.run(command, cwd=study, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "config/config.yaml: cannot be read as YAML: line" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.workflow
def test_after_a_power_failure_it_goes_on(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(
        "rule all:\n    output: 'out.txt'\n    shell: 'test -e begun || "
        "(echo half > out.txt; touch begun; sleep 100); echo whole > out.txt'\n"
    )
    command = [sys.executable, "-m", "grubio", "workflow", "run", str(tmp_path), "--cores", "1"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, start_new_session=True, **quiet) as process:  # type: ignore[call-overload]
        wait_for(tmp_path / "begun")
        os.killpg(process.pid, signal.SIGKILL)
    subprocess.run([*command, "--unlock"], check=True, **quiet)  # type: ignore[call-overload]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.txt").read_text() == "whole\n"
