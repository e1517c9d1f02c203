"""The workflow on a real SLURM: through sbatch, with a job cancelled, with a node drained."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import REPOSITORY
from grubio.datasets.parquet import read_records
from grubio.sequences.record import Record
from slurm_cluster import NODES, SlurmCluster, reason_to_skip, slurm_cluster

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.skipif(reason_to_skip() is not None, reason=str(reason_to_skip())),
]

RUNS = ("first", "second")
STUDY: dict[str, Any] = {
    "datasets": {"tiny": {"records": "chains.tsv", "prepare": {"format": "tsv", "scheme": "ss8"}}},
    "model": {"hidden_size": 12, "layers": 1},
    "training": {"epochs": 1},
    "evaluation": {"bootstrap": 20, "baseline_window": 5},
    "device": "cpu",
    "runs": {RUNS[0]: {"dataset": "tiny"}, RUNS[1]: {"dataset": "tiny", "training": {"seed": 2}}},
    "prediction": {"inputs": {"new": "new.fasta"}, "formats": ["tsv", "parquet"], "shards": 2},
}
# Two cores are all that a test may count on, and what is computed depends on the threads.
ONE_THREAD = [f"{rule}=1" for rule in ("split", "train", "evaluate", "label")]
# Snakemake, but for the rhythm in which it asks for states: it waits ten seconds longer each time.
SNAKEMAKE = """
from snakemake.cli import main
from snakemake_executor_plugin_slurm import Executor

Executor.next_seconds_between_status_checks = property(lambda self: 2, lambda self, seconds: None)
main()
"""
OPTIONS = ["--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "10"]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmCluster]:
    with slurm_cluster(tmp_path_factory.mktemp("slurm")) as started:
        yield started


@contextlib.contextmanager
def snakemake(
    cluster: SlurmCluster, folder: Path, *arguments: str, profile: str = "slurm"
) -> Iterator[subprocess.Popen[bytes]]:
    """Start the workflow with a profile of SLURM; what it says goes to ``snakemake.txt``."""
    path = f"{Path(sys.executable).parent}:{cluster.environment['PATH']}"
    with open(folder / "snakemake.txt", "wb") as output:
        started = subprocess.Popen(
            [
                *(sys.executable, "-c", SNAKEMAKE),
                *("--snakefile", str(REPOSITORY / "workflow/Snakefile")),
                *("--profile", str(REPOSITORY / "workflow/profiles" / profile)),
                *OPTIONS,
                *("--set-threads", *ONE_THREAD),
                *arguments,
            ],
            cwd=folder,
            env={**cluster.environment, "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield started
    finally:
        if started.poll() is None:
            started.terminate()
            started.wait(60)


def ended_well(started: subprocess.Popen[bytes], folder: Path) -> None:
    code = started.wait(400)
    logs = sorted((folder / "logs/slurm").rglob("*.log"), key=lambda path: path.stat().st_mtime)
    told = [(folder / "snakemake.txt").read_text()[-4000:], *(log.read_text() for log in logs[-1:])]
    assert code == 0, "\n".join(told)


def wait_for(what: str, condition: Callable[[], Any], seconds: float = 150) -> Any:
    """Return what the condition returns once it is true."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.2)
    return found


def products(folder: Path) -> dict[str, bytes]:
    """Return weights and predictions, by path."""
    names = ["model/weights.safetensors", "predictions/new.tsv", "predictions/new.parquet"]
    paths = [f"results/{run}/{name}" for run in RUNS for name in names]
    return {path: (folder / path).read_bytes() for path in paths}


def jobs_in(cluster: SlurmCluster, rule: str, states: set[str]) -> list[dict[str, str]]:
    return [
        job for job in cluster.jobs() if f"rule_{rule}" in job["comment"] and job["state"] in states
    ]


def tasks_of_one_array(jobs: list[dict[str, str]]) -> list[str]:
    """Return the numbers of the tasks, in their order; jobs have ids such as ``17_2``."""
    arrays, tasks = zip(*(job["id"].split("_") for job in jobs), strict=True)
    assert len(set(arrays)) == 1
    return sorted(tasks)


@pytest.fixture(scope="module")
def finished(
    cluster: SlurmCluster, chains: list[Record], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder in which SLURM ran the whole workflow undisturbed.

    The two trainings are tasks of one array, and the three steps of a prediction go as one job.
    """
    folder = tmp_path_factory.mktemp("study")
    rows = [f"{r.id}\t{r.sequence}\t{r.labels}\t{r.split}" for r in chains[::3]]
    (folder / "chains.tsv").write_text("id\tsequence\tss8\tsplit\n" + "\n".join(rows) + "\n")
    (folder / "new.fasta").write_text("".join(f">{r.id}\n{r.sequence}\n" for r in chains[:30]))
    (folder / "config").mkdir()
    (folder / "config/config.yaml").write_text(yaml.safe_dump(STUDY))
    groups = ["prepare=dataset", "split=dataset", "cut=new", "label=new", "gather=new"]
    options = ["--groups", *groups, "--slurm-keep-successful-logs"]
    with snakemake(cluster, folder, *options, profile="slurm-arrays") as started:
        ended_well(started, folder)
    return folder


def copy_without(finished: Path, folder: Path, *results: str) -> Path:
    """Return a copy of the finished study in which some results are still to be made."""
    shutil.copytree(finished, folder, symlinks=True)
    for name in results:
        shutil.rmtree(folder / "results" / name)
    (folder / "results/comparison.tsv").unlink()
    return folder


def test_the_whole_workflow_runs_through_sbatch(cluster: SlurmCluster, finished: Path) -> None:
    for run in RUNS:
        for name in ("report.html", "metrics.json", "predictions/new.tsv"):
            assert (finished / "results" / run / name).stat().st_size > 0
    assert (finished / "results/comparison.html").exists()
    jobs = cluster.jobs()
    assert {job["state"] for job in jobs} == {"COMPLETED"}
    # Local rules make no job; two small steps, and here three, go as one.
    assert len(jobs) == 1 + 2 + 2 + 2
    assert tasks_of_one_array(jobs_in(cluster, "train", {"COMPLETED"})) == ["1", "2"]
    assert {job["node"] for job in jobs} == set(NODES)
    logs = {path.name: path.read_text() for path in (finished / "logs/slurm").rglob("*.log")}
    assert len(logs) == len(jobs)
    # The plugin starts the first task of an array without srun, and so without the prolog of tasks.
    logs = {name: log for name, log in logs.items() if not name.endswith("_1.log")}
    assert all(f"tmpdir={cluster.folder}/scratch" in log for log in logs.values())
    assert not list(finished.glob("results/*/shards/*/*"))


def test_a_cancelled_job_and_a_drained_node_change_nothing(
    cluster: SlurmCluster, finished: Path, tmp_path: Path
) -> None:
    expected = products(finished)
    cancelled = copy_without(finished, tmp_path / "cancelled", "second")
    drained = copy_without(finished, tmp_path / "drained", "first/predictions")
    with (
        snakemake(cluster, cancelled) as one,
        snakemake(cluster, drained, profile="slurm-arrays") as other,
    ):
        known = {job["id"] for job in cluster.jobs()}

        def running(rule: str) -> list[dict[str, str]]:
            return [j for j in jobs_in(cluster, rule, {"RUNNING"}) if j["id"] not in known]

        training = wait_for("a training", lambda: running("train"))[0]
        cluster.ask("scancel", training["id"])
        node = wait_for("a cut", lambda: running("cut"))[0]["node"]
        cluster.ask("scontrol", "update", f"nodename={node}", "state=drain", "reason=test")
        assert "drain" in cluster.ask("sinfo", "--nodes", node, "--noheader", "--format=%T")
        labelling = wait_for("a shard", lambda: running("label"))
        assert node not in {job["node"] for job in labelling}
        cluster.ask("scontrol", "update", f"nodename={node}", "state=resume")
        ended_well(one, cancelled)
        ended_well(other, drained)
    states = {job["id"]: job["state"] for job in cluster.jobs()}
    assert states[training["id"]] == "CANCELLED"
    again = [job for job in jobs_in(cluster, "train", {"COMPLETED"}) if job["id"] not in known]
    assert [job["comment"] for job in again] == [training["comment"]]
    new = [job for job in jobs_in(cluster, "label", {"COMPLETED"}) if job["id"] not in known]
    of_shards = [job for job in new if "_" in job["id"]]
    assert tasks_of_one_array(of_shards) == ["1", "2"]
    assert products(cancelled) == expected
    assert products(drained) == expected


def test_one_switch_asks_for_a_gpu_and_says_if_there_is_none(
    cluster: SlurmCluster, finished: Path, tmp_path: Path
) -> None:
    folder = copy_without(finished, tmp_path / "gpu", "first/predictions")
    arguments = ["--config", "device=cuda", "--retries", "0"]
    arguments += ["--until", "label", "--rerun-triggers", "mtime", "--"]
    arguments += ["results/first/predictions/new.tsv"]
    known = {job["id"] for job in cluster.jobs()}
    with snakemake(cluster, folder, *arguments) as started:
        assert started.wait(200) == 1
    failed = [job for job in jobs_in(cluster, "label", {"FAILED"}) if job["id"] not in known]
    assert len(failed) == STUDY["prediction"]["shards"]
    # Only one node has a card.
    assert {job["node"] for job in failed} == {NODES[1]}
    said = next((folder / "logs/slurm").rglob("rule_label/**/*.log")).read_text()
    assert "error: device 'cuda' was asked for, but this machine has cpu" in said
    assert "hint: use --device auto" in said
    assert "Traceback" not in said


def test_srun_starts_the_processes_of_two_nodes(
    cluster: SlurmCluster, dataset: Path, tmp_path: Path
) -> None:
    """Names of nodes are no addresses here, so that the first process is named by its own."""
    command = ["srun", "--nodes=2", "--ntasks-per-node=1", "--mem=2G"]
    command += [sys.executable, "-c", "from grubio.cli import main; main()", "train", str(dataset)]
    command += ["--nodes", "2", "--batch-residues", "2000", "--epochs", "1", "--threads", "1"]
    command += ["--hidden-size", "16", "--layers", "1", "--device", "cpu", "-o", str(tmp_path)]
    command += ["--select-by", "average_precision", "--weight-averaging", "0.5"]
    environment = {**cluster.environment, "MASTER_ADDR": "127.0.0.1"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr + cluster.logs()
    assert done.stdout.splitlines() == [str(tmp_path / "model")]
    training = json.loads((tmp_path / "model" / "model.json").read_text())["training"]
    assert training["settings"]["nodes"] == 2
    rows = (tmp_path / "history.csv").read_text().splitlines()
    residues = sum(len(record) for record in read_records(dataset, "train"))
    assert float(rows[-1].split(",")[2]) == pytest.approx(residues, rel=1e-4)
