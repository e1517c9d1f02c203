"""What a prediction in shards survives: killed workers, a killed Snakemake, two at once."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import REPOSITORY
from grubio.config import Output, PredictionFormat, PredictionSettings
from grubio.prediction.predict_file import predict_file
from grubio.sequences.record import Record
from test_workflow import jobs, snakemake, write_study

pytestmark = pytest.mark.workflow

FORMATS: list[PredictionFormat] = ["tsv", "parquet", "ss2"]
OUTPUTS = [f"results/first/predictions/new.{kind}" for kind in FORMATS]
ARGUMENTS = ["--snakefile", str(REPOSITORY / "workflow/Snakefile"), "--cores", "1"]
TARGETS = ["--allowed-rules", "fetch", "predict", "cut", "label", "gather", "--", OUTPUTS[0]]


def study() -> dict[str, Any]:
    return {
        "datasets": {"tiny": {"records": "chains.tsv", "prepare": {"format": "tsv"}}},
        "runs": {"first": {"dataset": "tiny"}},
        "device": "cpu",
        "prediction": {
            "inputs": {"new": "new.fasta"},
            "formats": FORMATS,
            "shards": 3,
        },
    }


def content_of(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in OUTPUTS]


@pytest.fixture
def folder(chains: list[Record], run_folder: Path, tmp_path: Path) -> Path:
    """A study with a trained model that has still to predict."""
    shutil.copytree(run_folder / "model", tmp_path / "results/first/model")
    (tmp_path / "new.fasta").write_text("".join(f">{r.id}\n{r.sequence}\n" for r in chains[:60]))
    write_study(tmp_path, study())
    return tmp_path


@pytest.fixture(scope="module")
def expected(
    chains: list[Record], run_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[bytes]:
    """What is written without shards."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "new.fasta").write_text("".join(f">{r.id}\n{r.sequence}\n" for r in chains[:60]))
    (folder / OUTPUTS[0]).parent.mkdir(parents=True)
    # What is written names the model by its folder.
    model = shutil.copytree(run_folder / "model", folder / "results/first/model")
    outputs = [
        Output(f"{folder / name}", kind) for name, kind in zip(OUTPUTS, FORMATS, strict=True)
    ]
    settings = PredictionSettings(device="cpu")
    predict_file(str(folder / "new.fasta"), outputs, model, settings)
    return content_of(folder)


@contextlib.contextmanager
def started(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with open(folder / "snakemake.txt", "wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "snakemake", *ARGUMENTS, *arguments, *TARGETS],
            cwd=folder,
            env={**os.environ, "PATH": path},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(condition: Callable[[], Any], process: subprocess.Popen[bytes]) -> Any:
    end = time.monotonic() + 120
    while not (found := condition()):
        assert process.poll() is None, "it ended too early"
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def labelling(folder: Path) -> list[int]:
    """Return the processes that label a shard of a study."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (path / "cmdline").read_bytes().split(b"\0")
            here = (path / "cwd").resolve() == folder
            if here and words[2:4] == [b"shards", b"label"]:
                found.append(int(path.name))
    return found


def test_a_worker_that_is_killed_is_replaced_and_a_second_snakemake_is_turned_away(
    folder: Path, expected: list[bytes]
) -> None:
    with started(folder, "--retries", "1") as process:
        (worker, *_) = wait_for(lambda: labelling(folder), process)
        os.kill(worker, signal.SIGKILL)
        second = snakemake(folder, *ARGUMENTS, *TARGETS)
        assert second.returncode != 0
        # Whichever Snakemake looks at first, its lock or the output of the killed worker.
        refusals = ("Directory cannot be locked", "Incomplete files")
        assert any(refusal in second.stderr for refusal in refusals), second.stderr
        assert process.wait(300) == 0, (folder / "snakemake.txt").read_text()
    said = (folder / "snakemake.txt").read_text()
    assert said.count("Trying to restart job") == 1
    assert content_of(folder) == expected


def test_a_killed_snakemake_goes_on_at_the_last_finished_shard(
    folder: Path, expected: list[bytes]
) -> None:
    shards = folder / "results/first/shards/new"
    with started(folder) as process:
        said = folder / "snakemake.txt"
        wait_for(lambda: "(Rule: label)" in said.read_text(), process)
        (first,) = shards.glob("*.probabilities.parquet")
        wait_for(lambda: labelling(folder), process)
    written = first.stat().st_mtime_ns
    assert not any((folder / name).exists() for name in OUTPUTS)
    unlocked = snakemake(folder, *ARGUMENTS, "--unlock")
    assert unlocked.returncode == 0, unlocked.stderr
    again = snakemake(folder, *ARGUMENTS, "--rerun-incomplete", "--notemp", *TARGETS)
    assert again.returncode == 0, again.stderr
    assert jobs(again.stdout + again.stderr).get("label") == 2
    assert "cut" not in jobs(again.stdout + again.stderr)
    assert first.stat().st_mtime_ns == written
    assert content_of(folder) == expected
    # A changed input is seen, and all of it is labelled again.
    text = (folder / "new.fasta").read_text()
    (folder / "new.fasta").write_text(text.replace("A", "G", 1))
    planned = snakemake(folder, *ARGUMENTS, "-n", *TARGETS)
    assert planned.returncode == 0, planned.stderr
    found = jobs(planned.stdout + planned.stderr)
    assert (found["fetch"], found["cut"], found["label"], found["gather"]) == (1, 1, 3, 1)
