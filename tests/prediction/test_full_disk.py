"""A disk that is full while something is written: one line, exit code 2, nothing half-written."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from genome_model import dna, save_genome_model
from grubio.sequences.record import Record

Run = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(scope="module")
def fasta(chains: list[Record], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sequences") / "in.fasta"
    path.write_text("".join(f">{r.id}\n{r.sequence}\n" for r in chains[:40]))
    return path


def refused(done: subprocess.CompletedProcess[str], folder: Path) -> None:
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert "No space left on device" in line or "File too large" in line
    assert str(folder) in line
    assert not [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("kind", ["tsv", "parquet"])
def test_predictions(full: Path, fasta: Path, run_folder: Path, grubio: Run, kind: str) -> None:
    output = full / f"out.{kind}"
    refused(grubio("predict", fasta, "-m", run_folder / "model", "-o", output), full)


def test_tracks_of_a_genome(full: Path, tmp_path: Path, grubio: Run) -> None:
    save_genome_model(tmp_path / "model")
    (tmp_path / "in.fna").write_text(f">c\n{dna(30_000, 1)}\n")
    done = grubio("predict", "in.fna", "-m", "model", "-o", full / "tracks.bw")
    refused(done, full)


def test_shards(
    full: Path, chains: list[Record], run_folder: Path, grubio: Run, tmp_path: Path
) -> None:
    fasta = tmp_path / "in.fasta"
    fasta.write_text("".join(f">{r.id}\n{r.sequence}\n" for r in chains))
    model = ("--model", run_folder / "model")
    refused(grubio("shards", "cut", fasta, "--shards", 1, "-o", full, *model), full)
    done = grubio("shards", "cut", fasta, "--shards", 1, "-o", tmp_path, *model)
    assert done.returncode == 0, done.stderr
    output = full / "out.parquet"
    refused(grubio("shards", "label", "1-of-1.records.parquet", "-o", output, *model), full)


def test_a_trained_model(full: Path, dataset: Path, grubio: Run) -> None:
    options = ("--epochs", 1, "--hidden-size", 12, "--layers", 1, "--threads", 1)
    done = grubio("train", dataset, "-o", full / "run", *options)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "No space left on device" in done.stderr
    assert not (full / "run/model/model.json").exists()
