"""The profiles of schedulers: of SGE for real, of the others with stand-ins for them."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from conftest import REPOSITORY
from fake_scheduler import COMMANDS, install
from grubio.errors import GrubioError
from grubio.study import schedulers
from grubio.study.schedulers import SCHEDULERS, JobRequest, state_of, submit

PROFILES = REPOSITORY / "workflow/profiles"
# One rule of each kind, with resources in the words of the workflow.
SNAKEFILE = """
rule all:
    input: "big.txt"

rule small:
    output: "small.txt"
    resources: mem_mb=2000, runtime=60
    shell: "echo small > {output}"

rule big:
    input: "small.txt"
    output: "big.txt"
    threads: 4
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=90,
        gpu=1,
    shell: "test {resources.mem_mb} = 8000 && cp {input} {output}"
"""
WITH_SGE = REPOSITORY / "tests/cluster/with_sge.sh"
NO_SGE = next(
    (
        reason
        for reason, missing in {
            "no Grid Engine: apt install gridengine-master gridengine-exec gridengine-client": not (
                Path("/usr/lib/gridengine/sge_qmaster").exists() and shutil.which("qconf")
            ),
            "Grid Engine is started by root alone": os.geteuid() != 0,
            "no unshare": shutil.which("unshare") is None,
        }.items()
        if missing
    ),
    None,
)


KUBERNETES = Path(sys.prefix) / "kubernetes"


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def snakemake(
    folder: Path, profile: str, *front: str, path: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start the small workflow with a profile; what it says is read from its error stream."""
    (folder / "Snakefile").write_text(SNAKEFILE)
    here = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.Popen(
        [
            *front,
            *(sys.executable, "-m", "snakemake", "--profile", str(PROFILES / profile)),
            *("--latency-wait", "5", "--max-status-checks-per-second", "10"),
            *("--seconds-between-status-checks", "1"),
        ],
        cwd=folder,
        env={**os.environ, "PATH": here, "PYTHONPATH": str(REPOSITORY), **(path or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.workflow
def test_profiles_ask_for_what_rules_declare_and_let_the_jobs_run(tmp_path: Path) -> None:
    started = {}
    for name in COMMANDS:
        folder = tmp_path / name
        asked = install(folder / "bin", name)
        path = f"{asked.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        started[name] = snakemake(folder, name, path={"PATH": path}), asked
    wanted = {
        "lsf": [
            ["-n 1", "rusage[mem=2000MB]", "-M 2000MB", "-W 60"],
            ["-n 4", "rusage[mem=4000MB]", "-M 4000MB", "-W 90", "-gpu num=1"],
            ["-n 4", "rusage[mem=8000MB]", "-M 8000MB", "-W 90", "-gpu num=1"],
        ],
        "pbs": [
            ["select=1:ncpus=1:mem=2000mb ", "walltime=01:00:00"],
            ["select=1:ncpus=4:mem=4000mb:ngpus=1 ", "walltime=01:30:00"],
            ["select=1:ncpus=4:mem=8000mb:ngpus=1 ", "walltime=01:30:00"],
        ],
        "htcondor": [
            ["request_cpus = 1\n", "request_memory = 2000MB\n", "duration = 3600\n"],
            ["request_cpus = 4\n", "request_memory = 4000MB\n", "duration = 5400\n"],
            ["request_memory = 8000MB\n", "request_gpus = 1\n", "should_transfer_files = NO"],
        ],
    }
    for name, (process, asked) in started.items():
        said, _ = process.communicate(timeout=400)
        assert process.returncode == 0, f"{name}:\n{said}"
        assert (asked.parents[1] / "big.txt").read_text() == "small\n"
        jobs = [json.loads(line) for line in asked.read_text().splitlines()]
        # The second attempt of a job that failed asks for more.
        assert len(jobs) == 3
        for job, texts in zip(jobs, wanted[name], strict=True):
            told = " ".join(job["words"]) + job["text"]
            for text in texts:
                assert text in told, f"{name}: {text!r} is not in {told}"


@pytest.mark.workflow
@pytest.mark.skipif(NO_SGE is not None, reason=str(NO_SGE))
def test_jobs_run_on_a_real_grid_engine(tmp_path: Path) -> None:
    (tmp_path / "sge").mkdir()
    front = ("unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child")
    ports = {f"SGE_{name}_PORT": str(free_port()) for name in ("QMASTER", "EXECD")}
    command = ("sh", str(WITH_SGE), str(tmp_path / "sge"))
    process = snakemake(tmp_path, "sge", *front, *command, path=ports)
    said, _ = process.communicate(timeout=400)
    assert process.returncode == 0, said
    assert (tmp_path / "big.txt").read_text() == "small\n"
    rows = (tmp_path / "sge/root/default/common/accounting").read_text().splitlines()
    told = [row for row in rows if "grubio." in row]
    # Memory of a slot: 2000 MB of one, 4000 and then 8000 of four.
    memory = [re.search(r"h_vmem=(\w+)", row) for row in told]
    assert [found and found[1] for found in memory] == ["2000M", "1000M", "2000M"]
    assert ["gpu=1" in row for row in told] == [False, True, True]
    assert all("h_rt=5400" in row for row in told[1:])
    assert all("-pe smp 4" in row for row in told[1:])


@pytest.mark.workflow
def test_trainings_of_an_array_of_slurm_all_ask_for_the_most_processes(tmp_path: Path) -> None:
    (tmp_path / "sbatch").write_text('#!/bin/sh\necho "$@" > asked\nexit 1\n')
    (tmp_path / "sbatch").chmod(0o755)
    runs = {"one": {"dataset": "a"}, "two": {"dataset": "a", "training": {"processes": 6}}}
    study = {"datasets": {"a": {"records": "a.tsv", "prepare": {"format": "tsv"}}}, "runs": runs}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    (tmp_path / "results/datasets/a").mkdir(parents=True)
    for name in ("split.parquet", "audit.tsv", "removed.tsv"):
        (tmp_path / "results/datasets/a" / name).touch()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--configfile", "study.yaml", "--retries", "0"),
            *("--snakefile", str(REPOSITORY / "workflow/Snakefile")),
            *("--profile", str(PROFILES / "slurm-arrays")),
            *("--default-resources", "slurm_partition=nodes", "--allowed-rules", "train", "--"),
            *(f"results/{name}/history.csv" for name in runs),
        ],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 1
    assert done.stderr.count("    threads: 6\n") == 2
    asked = (tmp_path / "asked").read_text()
    assert "--array=1-2" in asked
    assert (
        "--mem 11501 " in asked
    )  # 2,500 MB, 1,500 for each process, and the plugin's one for arrays


@pytest.mark.workflow
@pytest.mark.skipif(not KUBERNETES.exists(), reason="make test installs the plugin of Kubernetes")
def test_kubernetes_is_asked_for_what_rules_declare(tmp_path: Path) -> None:
    """A folder takes the place of the bucket; the rules ask for no GPU, as on a CPU."""
    # What copies into the folder, and what would install the plugin of the bucket into a pod.
    programs = {"rsync": 'for word; do from=$to; to=$word; done; cp "$from" "$to"', "pip": "exit 0"}
    for name, script in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    for name in ("pods", "bucket"):
        (tmp_path / name).mkdir()
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    search = os.pathsep.join([str(KUBERNETES), str(REPOSITORY)])
    here = os.pathsep.join([str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [
            *(sys.executable, str(REPOSITORY / "tests/cluster/fake_kubernetes.py"), "pods"),
            *("small.txt", "--profile", str(PROFILES / "kubernetes"), "--retries", "0"),
            *("--default-storage-provider", "fs"),
            *("--default-storage-prefix", str(tmp_path / "bucket")),
            *("--seconds-between-status-checks", "1", "--max-status-checks-per-second", "10"),
        ],
        cwd=tmp_path,
        env={**os.environ, "PATH": here, "PYTHONPATH": search},
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    logs = "".join(log.read_text() for log in (tmp_path / "pods").glob("*.log"))
    assert done.returncode == 0, done.stderr + logs
    assert (tmp_path / "bucket/small.txt").read_text() == "small\n"
    (asked,) = map(json.loads, (tmp_path / "pods/asked.jsonl").read_text().splitlines())
    assert (asked["namespace"], asked["image"]) == ("default", "my.registry/grubio:0.1.0")
    limits = asked["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    wanted = {"cpu": "1000m", "memory": "2000M", "ephemeral-storage": "5000M"}
    assert limits == wanted | {"nvidia.com/gpu": "0"}


def job(**changes: object) -> JobRequest:
    given = {"name": "train", "threads": 4, "memory": 4001, "minutes": 725, "gpus": 0}
    given |= {"script": Path("a.sh"), "log": Path("logs/a.log")}
    return JobRequest(**(given | changes))  # type: ignore[arg-type]


def test_grid_engine_is_asked_for_memory_of_each_slot_and_for_more_words() -> None:
    words = " ".join(SCHEDULERS["sge"].submit(job(gpus=2, extra=("-q", "long"))))
    for text in ("-l h_rt=12:05:00", "-l h_vmem=1001M", "-pe smp 4", "-l gpu=2", "-q long"):
        assert text in words
    words = " ".join(SCHEDULERS["sge"].submit(job(threads=1)))
    assert "-pe" not in words
    assert "gpu" not in words


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{install(tmp_path / 'bin', 'lsf').parent}:{os.environ['PATH']}")
    return tmp_path


@pytest.mark.parametrize(("code", "state"), [(0, "success"), (3, "failed")])
def test_the_exit_code_of_a_job_is_what_counts(fake: Path, code: int, state: str) -> None:
    script = fake / "a.sh"
    script.write_text(f"exit {code}\n")
    number = submit("lsf", job(script=script, log=fake / "logs/a.log"))
    end = time.monotonic() + 30
    while state_of("lsf", number) == "running":
        assert time.monotonic() < end
        time.sleep(0.02)
    assert state_of("lsf", number) == state


def test_a_job_that_was_killed_has_failed_after_a_while(
    fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fake / ".snakemake/grubio-jobs").mkdir(parents=True)
    assert state_of("lsf", "7") == "running"
    monkeypatch.setattr(schedulers, "_GRACE", 0.0)
    assert state_of("lsf", "7") == "failed"


def test_a_job_that_is_refused_and_a_missing_command_are_told(
    fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fake / "bin/bsub").write_text("#!/bin/sh\necho 'no such queue' >&2\nexit 255\n")
    with pytest.raises(GrubioError, match=r"bsub refused the job: no such queue\nhint: bsub -J"):
        submit("lsf", job(log=fake / "logs/a.log"))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(GrubioError, match="there is no bsub on this machine"):
        submit("lsf", job(log=fake / "logs/a.log"))


def test_every_scheduler_has_a_profile_and_all_profiles_ask_alike() -> None:
    texts = {path.parent.name: path.read_text() for path in PROFILES.glob("*/profile.yaml")}
    assert set(texts) == {"slurm", "slurm-arrays", "kubernetes", *SCHEDULERS}
    slurm, arrays = (yaml.safe_load(texts[name]) for name in ("slurm", "slurm-arrays"))
    changed = {key for key in arrays if arrays[key] != slurm.get(key)}
    assert changed == {"slurm-array-jobs", "slurm-array-limit", "jobs", "max-jobs-per-timespan"}
    assert set(slurm) <= set(arrays)
    asked = set()
    for name in SCHEDULERS:
        content = yaml.safe_load(texts[name])
        asked.add(content["cluster-generic-submit-cmd"].replace(f" {name} ", " NAME "))
        assert content["cluster-generic-status-cmd"] == f"grubio cluster status {name}"
        # Snakemake passes the ids as further words to one word.
        assert " " not in content["cluster-generic-cancel-cmd"]
    assert len(asked) == 1
