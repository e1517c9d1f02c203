"""Fixtures shared by the tests: a tiny labelled dataset and a tiny model trained on it."""

from __future__ import annotations

import lzma
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import hypothesis
import numpy as np
import numpy.typing as npt
import pytest

from grubio.config import FORMER_TARGETS
from grubio.datasets.parquet import DatasetHeader, write_dataset
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS8
from grubio.sequences.target import values_of_tenths

# How long an example takes says nothing on a machine that has other work.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

ACCESSIBILITY, PROFILE = FORMER_TARGETS
REPOSITORY = Path(__file__).parents[1]
# A program of its own, with libraries that the tests' environment lacks.
collect_ignore = ["cluster/fake_kubernetes.py"]


def wait_for(path: Path) -> None:
    """Wait until a file is there, for up to two minutes."""
    end = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < end, f"no {path}"
        time.sleep(0.002)


@pytest.fixture(scope="session")
def chains() -> list[Record]:
    """The first 300 chains of 40 to 300 residues of the PDB set, split 200 / 50 / 50."""
    records: list[Record] = []
    with lzma.open(REPOSITORY / "data" / "pdb_chains.tsv.xz", "rt") as lines:
        next(lines)
        for line in lines:
            name, sequence, labels = line.rstrip("\n").split("\t")
            if 40 <= len(sequence) <= 300:
                split = "train" if len(records) < 200 else "valid" if len(records) < 250 else "test"
                records.append(Record(name, "", sequence, labels, None, None, split))
            if len(records) == 300:
                return records
    raise AssertionError("the PDB set is too small")


@pytest.fixture(scope="session")
def dataset(chains: list[Record], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dataset") / "split.parquet"
    write_dataset(path, DatasetHeader(PROTEIN, SS8, {"chains.tsv": "0" * 64}), chains)
    return path


@pytest.fixture(scope="session")
def rich(chains: list[Record], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset whose chains have all targets, a third of them coarse labels alone."""
    records = []
    for number, record in enumerate(chains):
        labels = record.labels or ""
        if number % 3 == 0 and record.split == "train":
            labels = "".join(SS8.reduction[letter].lower() for letter in labels)
        digits = "".join(str(place % 10) for place in range(len(record)))
        records.append(
            replace(
                record,
                labels=labels,
                answers={
                    "accessibility": values_of_tenths(digits, ACCESSIBILITY),
                    "profile": profile_of(record.sequence, number),
                },
            )
        )
    path = tmp_path_factory.mktemp("rich") / "split.parquet"
    write_dataset(path, DatasetHeader(PROTEIN, SS8, targets=FORMER_TARGETS), records)
    return path


def profile_of(sequence: str, seed: int = 0) -> npt.NDArray[np.uint8]:
    """Return random substitution counts of a sequence, as a record holds them."""
    counts = np.random.default_rng(seed).integers(0, 63, (len(sequence), 20))
    return counts.astype(np.uint8)


@pytest.fixture(scope="session")
def run_folder(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run trained for one epoch."""
    from grubio.config import ModelSettings, TrainingSettings
    from grubio.training.train import train_model

    folder = tmp_path_factory.mktemp("run")
    train_model(
        dataset,
        folder,
        ModelSettings(hidden_size=16, layers=2),
        TrainingSettings(epochs=1, batch_residues=4000),
        device="cpu",
        threads=1,
    )
    return folder


@pytest.fixture
def grubio(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line in a process of its own, in an empty folder."""

    def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from grubio.cli import main; main()", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=300,
            check=False,
            **options,  # type: ignore[call-overload]
        )

    return run
