"""What Snakemake's newest log says of the jobs of a study."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from grubio.text import plural

JobState = Literal["started", "finished", "failed"]

_LINES = 12
_STARTED = re.compile(r" {0,4}(?:local)?(?:rule|checkpoint) (\S+):")
_FAILED = re.compile(r" {0,4}Error in rule (\S+):")
_FAILED_IN_GROUP = re.compile(r" {8}rule (\S+):")
_FINISHED = re.compile(r" {0,4}Finished jobid: (\d+)\b.*")
_DETAIL = re.compile(r" +(jobid|log|wildcards|output): (.*)")
_STOPPED = re.compile(r"SLURM-job '.*|.*\b(?:OUT_OF_MEMORY|TIMEOUT|NODE_FAIL)\b.*")


@dataclass
class Job:
    """A job that Snakemake started.

    Attributes
    ----------
    rule
        Name of its rule.
    state
        What became of it; a job that failed and was started again is ``started``.
    log
        Its log file, relative to the folder of the study; None if it has none.
    wildcards
        Such as ``{"run": "demo"}``.
    """

    rule: str
    state: JobState = "started"
    log: str | None = None
    wildcards: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The rule and the values of its wildcards, such as ``train demo``."""
        return " ".join([self.rule, *self.wildcards.values()])


@dataclass(frozen=True)
class SnakemakeLog:
    """The newest log of Snakemake in a folder.

    Attributes
    ----------
    path
        The log; None if there is none.
    jobs
        All jobs that it tells of, in the order in which they were started first.
    running
        Whether a Snakemake works in the folder now.
    remarks
        What the scheduler said of jobs that it stopped.
    """

    path: Path | None = None
    jobs: tuple[Job, ...] = ()
    running: bool = False
    remarks: tuple[str, ...] = ()

    @property
    def failed(self) -> list[Job]:
        """Jobs that failed and were not done again."""
        return [job for job in self.jobs if job.state == "failed"]


def read_snakemake_log(folder: Path, after: float = 0.0) -> SnakemakeLog:
    """Return what the newest log in the folder of a study says; nothing if there is no log.

    Parameters
    ----------
    folder
        Folder of the study.
    after
        Only a log that was written later counts: seconds as of :func:`time.time`.
    """
    locks = folder / ".snakemake/locks"
    running = locks.is_dir() and any(locks.iterdir())
    logs = [
        path
        for path in (folder / ".snakemake/log").glob("*.snakemake.log")
        if path.stat().st_mtime >= after
    ]
    if not logs:
        return SnakemakeLog(running=running)
    newest = max(logs, key=lambda path: path.name)
    lines = newest.read_text("utf-8", errors="replace").splitlines()
    remarks = dict.fromkeys(line.strip() for line in lines if _STOPPED.fullmatch(line))
    return SnakemakeLog(newest, tuple(jobs_of(lines)), running, tuple(remarks))


def jobs_of(lines: list[str]) -> list[Job]:
    """Return the jobs that the lines of a log tell of.

    Examples
    --------
    >>> lines = ["rule train:", "    jobid: 3", "    wildcards: run=a", "Error in rule train:"]
    >>> [(job.title, job.state) for job in jobs_of([*lines, "    jobid: 3"])]
    [('train a', 'failed')]
    """
    jobs: dict[str, Job] = {}
    current, failing = Job(""), False
    for line in lines:
        if found := _STARTED.fullmatch(line):
            current, failing = Job(found[1]), False
        elif found := _FAILED.fullmatch(line) or _FAILED_IN_GROUP.fullmatch(line):
            current, failing = Job(found[1], "failed"), True
        elif found := _FINISHED.fullmatch(line):
            if found[1] in jobs:
                jobs[found[1]].state = "finished"
        elif found := _DETAIL.fullmatch(line):
            _add(found[1], found[2], current, failing, jobs)
    return list(jobs.values())


def _add(name: str, value: str, current: Job, failing: bool, jobs: dict[str, Job]) -> None:
    if name == "jobid":
        known = jobs.setdefault(value, current)
        known.state = "failed" if failing else "started"
        known.log = known.log or current.log
    elif name == "wildcards":
        current.wildcards = dict(pair.split("=", 1) for pair in value.split(", ") if "=" in pair)
    elif name == "log":
        current.log = value.removesuffix(" (check log file(s) for error details)").split(", ")[0]


def failure_report(folder: Path, log: SnakemakeLog) -> list[str]:
    """Return lines for people: each job that failed, its log, and the last lines of that.

    Empty if no job failed.
    """
    if not log.failed:
        return []
    lines = [f"{len(log.failed)} of {plural(len(log.jobs), 'job')} failed:"]
    for job in log.failed:
        lines.append(f"  {job.title}: {folder / job.log if job.log else 'it has no log'}")
        lines += [f"    {line}" for line in last_lines(folder / job.log if job.log else None)]
    lines += [f"  {remark}" for remark in log.remarks]
    return [*lines, f"  all that Snakemake said: {log.path}"]


def last_lines(path: Path | None) -> list[str]:
    """Return the last lines of a log but for details; none if it is missing."""
    if path is None or not path.is_file():
        return []
    lines = path.read_text("utf-8", "replace").splitlines()
    return [line for line in lines if line.strip() and " DEBUG " not in line][-_LINES:]
