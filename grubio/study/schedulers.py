"""Jobs of the workflow on LSF, SGE, PBS and HTCondor: one request in, the scheduler's words out.

Snakemake's plugin ``cluster-generic`` calls this with what a rule declares. Each job writes its
exit code into a file of the shared folder, so that its end is known when the scheduler has
forgotten it. SLURM and Kubernetes have plugins of their own.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from grubio.errors import GrubioError

JobState = Literal["running", "success", "failed"]

_FOLDER = Path(".snakemake/grubio-jobs")
# A node's file may be seen late, and a job be unknown for a moment after it was submitted.
_GRACE = 30.0


@dataclass(frozen=True)
class JobRequest:
    """What a job asks for.

    Attributes
    ----------
    name
        Name of the rule.
    threads
        Cores, on one machine.
    memory
        Memory of the whole job, in MB.
    minutes
        Run time.
    gpus
        Number of GPUs.
    script
        What to run.
    log
        File for what the scheduler and the job write.
    extra
        Further words for the submit command, such as ``["-q", "long"]``; for HTCondor, lines of the
        submit description.
    """

    name: str
    threads: int
    memory: int
    minutes: int
    gpus: int
    script: Path
    log: Path
    extra: tuple[str, ...] = ()

    @property
    def clock(self) -> str:
        """The run time as hours, minutes and seconds.

        Examples
        --------
        >>> JobRequest("train", 4, 4000, 90, 0, Path("a"), Path("b")).clock
        '01:30:00'
        """
        return f"{self.minutes // 60:02d}:{self.minutes % 60:02d}:00"


@dataclass(frozen=True)
class Scheduler:
    """One scheduler.

    Attributes
    ----------
    title
        Its name, for people.
    submit
        Returns the command that submits a job; the last word is added: the script, or for HTCondor
        the submit description.
    number
        Finds the id of a job in what the submit command says.
    variable
        The variable that holds the id inside of a job.
    query
        The command that knows a job as long as it waits or runs; its id is added.
    over
        Finds in the answer that a job is over, or will never run; None if the command fails then.
    """

    title: str
    submit: Callable[[JobRequest], list[str]]
    number: str
    variable: str
    query: tuple[str, ...]
    over: str | None = None


def _lsf(job: JobRequest) -> list[str]:
    gpus = ["-gpu", f"num={job.gpus}"] if job.gpus else []
    one_machine = f"span[hosts=1] rusage[mem={job.memory}MB]"
    return [
        *("bsub", "-J", f"grubio.{job.name}", "-n", str(job.threads), "-R", one_machine),
        *("-M", f"{job.memory}MB", "-W", str(job.minutes), "-o", str(job.log)),
        *gpus,
        *job.extra,
    ]


def _sge(job: JobRequest) -> list[str]:
    # Limits of memory are for one slot.
    memory = -(-job.memory // job.threads)
    gpus = ["-l", f"gpu={job.gpus}"] if job.gpus else []
    slots = ["-pe", "smp", str(job.threads)] if job.threads > 1 else []
    return [
        *("qsub", "-terse", "-cwd", "-V", "-S", "/bin/sh", "-N", f"grubio.{job.name}"),
        *("-j", "y", "-o", str(job.log), "-l", f"h_rt={job.clock}", "-l", f"h_vmem={memory}M"),
        *slots,
        *gpus,
        *job.extra,
    ]


def _pbs(job: JobRequest) -> list[str]:
    gpus = f":ngpus={job.gpus}" if job.gpus else ""
    chunk = f"select=1:ncpus={job.threads}:mem={job.memory}mb{gpus}"
    return [
        *("qsub", "-V", "-S", "/bin/sh", "-N", f"grubio.{job.name}"[:15], "-j", "oe"),
        *("-o", str(job.log), "-l", chunk, "-l", f"walltime={job.clock}"),
        *job.extra,
    ]


def _condor(job: JobRequest) -> list[str]:
    return ["condor_submit", "-terse"]


SCHEDULERS: Mapping[str, Scheduler] = {
    "lsf": Scheduler(
        *("LSF", _lsf, r"Job <(\d+)>", "LSB_JOBID", ("bjobs", "-noheader", "-o", "stat")),
        over=r"DONE|EXIT|ZOMBI",
    ),
    # A job in error (Eqw) waits for ever.
    "sge": Scheduler("SGE", _sge, r"(\d+)", "JOB_ID", ("qstat", "-j"), over=r"error reason"),
    "pbs": Scheduler("PBS", _pbs, r"(\d+\S*)", "PBS_JOBID", ("qstat",)),
    "htcondor": Scheduler(
        *("HTCondor", _condor, r"(\d+)\.\d+", "GRUBIO_JOB", ("condor_q", "-af", "JobStatus")),
        # Removed, completed, held; nothing for one that it does not know.
        over=r"^\s*(?:[345]\s*)?$",
    ),
}
"""The schedulers by name; the profiles of the workflow have the same names."""


def submit(name: str, job: JobRequest) -> str:
    """Submit a job and return its id.

    Raises
    ------
    GrubioError
        If the scheduler's command is missing or refuses the job; with what it said.
    """
    scheduler = SCHEDULERS[name]
    _FOLDER.mkdir(parents=True, exist_ok=True)
    job.log.parent.mkdir(parents=True, exist_ok=True)
    wrapper = _FOLDER.absolute() / f"{job.name}.{time.time_ns()}.sh"
    wrapper.write_text(
        "#!/bin/sh\n"
        f"cd {shlex.quote(str(Path.cwd()))} || exit 1\n"
        f"sh {shlex.quote(str(job.script))}\n"
        "code=$?\n"
        f'echo $code > "{_FOLDER}/${scheduler.variable}.exit"\n'
        "exit $code\n"
    )
    wrapper.chmod(0o755)
    last = wrapper if name != "htcondor" else _description(job, wrapper)
    said = _said([*scheduler.submit(job), str(last)])
    found = re.search(scheduler.number, said)
    if found is None:
        raise GrubioError(f"{scheduler.title} did not say the number of the job: {said[:200]}")
    return found[1]


def _description(job: JobRequest, wrapper: Path) -> Path:
    path = wrapper.with_suffix(".sub")
    lines = {
        "universe": "vanilla",
        "executable": wrapper,
        "initialdir": Path.cwd(),
        "getenv": "True",
        "environment": '"GRUBIO_JOB=$(ClusterId)"',
        "should_transfer_files": "NO",
        "output": job.log,
        "error": job.log,
        "log": job.log.with_suffix(".events"),
        "batch_name": f"grubio.{job.name}",
        "request_cpus": job.threads,
        "request_memory": f"{job.memory}MB",
        "allowed_execute_duration": job.minutes * 60,
        **({"request_gpus": job.gpus} if job.gpus else {}),
    }
    text = "".join(f"{key} = {value}\n" for key, value in lines.items())
    path.write_text(text + "".join(f"{line}\n" for line in job.extra) + "queue\n")
    return path


def state_of(name: str, job: str) -> JobState:
    """Return what became of a job.

    Its own exit code counts; without it, a job that the scheduler no longer knows has failed, after
    half a minute of grace.
    """
    scheduler = SCHEDULERS[name]
    code = _FOLDER / f"{job}.exit"
    if code.is_file() and (text := code.read_text().strip()):
        return "success" if text == "0" else "failed"
    done = subprocess.run(
        [*scheduler.query, job], capture_output=True, text=True, timeout=60, check=False
    )
    over = done.returncode != 0 or (
        scheduler.over is not None and re.search(scheduler.over, done.stdout) is not None
    )
    mark = _FOLDER / f"{job}.gone"
    if not over:
        mark.unlink(missing_ok=True)
        return "running"
    if not mark.exists():
        mark.touch()
    return "failed" if time.time() - mark.stat().st_mtime >= _GRACE else "running"


def _said(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise GrubioError(
            f"there is no {command[0]} on this machine",
            hint="start Snakemake where jobs are submitted, with the profile of its scheduler",
        ) from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[:1000]
        raise GrubioError(f"{command[0]} refused the job: {said}", hint=shlex.join(command))
    return done.stdout
