"""Wheel and source distribution: built, installed outside of the checkout, and used."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from conftest import REPOSITORY


def run(*command: object, cwd: Path, path: Path | None = None) -> str:
    """Run a command; modules come from ``path``, or from the environment alone, not from here."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment["PIP_NO_INDEX"] = "1"
    if path:
        environment["PYTHONPATH"] = str(path)
        environment["PATH"] = f"{path / 'bin'}{os.pathsep}{environment['PATH']}"
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def built(folder: Path, target: str) -> Path:
    run(sys.executable, "-m", "hatchling", "build", "-t", target, "-d", folder, cwd=REPOSITORY)
    (file,) = (path for path in folder.iterdir() if path.name.startswith("grubio"))
    return file


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("wheel"), "wheel")


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel alone in a folder; the libraries are those of the environment."""
    folder = tmp_path_factory.mktemp("site")
    run(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"),
        *("--target", folder, wheel),
        cwd=folder,
    )
    return folder


def test_the_wheel_holds_models_data_and_workflow(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for wanted in (
        "grubio/py.typed",
        "grubio/zoo/protein-ss/weights.safetensors",
        "grubio/zoo/protein-ss/CARD.md",
        "grubio/data/pdb_demo.tsv.xz",
        "grubio/shipped/workflow/Snakefile",
        "grubio/shipped/workflow/rules/train.smk",
        "grubio/shipped/config/config.yaml",
    ):
        assert wanted in names
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"grubio"}
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


def test_the_source_distribution_gives_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    source = built(tmp_path, "sdist")
    with tarfile.open(source) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (folder,) = (tmp_path / "source").iterdir()
    assert (folder / "LICENSE").exists()
    assert (folder / "tests/conftest.py").exists()
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path, cwd=folder)
    again = zipfile.ZipFile(tmp_path / wheel.name)
    assert sorted(again.namelist()) == sorted(zipfile.ZipFile(wheel).namelist())


def test_the_installed_command_predicts(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "a.fasta").write_text(">a\nMKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ\n")
    assert str(installed) in run("grubio", "doctor", cwd=tmp_path, path=installed)
    run("grubio", "predict", "a.fasta", "-o", "a.tsv", cwd=tmp_path, path=installed)
    assert len((tmp_path / "a.tsv").read_text().splitlines()) == 34


@pytest.mark.workflow
@pytest.mark.parametrize("study", ["protein", "dna"])
def test_a_study_starts_from_the_installed_workflow(
    installed: Path, tmp_path: Path, study: str
) -> None:
    run("grubio", "workflow", "init", "mine", "--study", study, cwd=tmp_path, path=installed)
    snakefile = run("grubio", "workflow", "path", cwd=tmp_path, path=installed).strip()
    assert snakefile == str(installed / "grubio/shipped/workflow/Snakefile")
    plan = run("grubio", "workflow", "run", "mine", "-n", cwd=tmp_path, path=installed)
    for rule in ("prepare", "split", "train", "evaluate", "report"):
        assert f"\nrule {rule}:" in plan
    assert not (tmp_path / "mine/results").exists()
