"""Stand-ins for the commands of LSF, PBS and HTCondor: they note what was asked, and run the job.

``install`` writes them into a folder for the front of the PATH; each calls this file.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

COMMANDS = {
    "lsf": ("bsub", "bjobs"),
    "pbs": ("qsub", "qstat"),
    "htcondor": ("condor_submit", "condor_q"),
}
SAYS = {
    "lsf": "Job <{id}> is submitted to queue <normal>.",
    "pbs": "{id}",
    "htcondor": "{id}.0 - {id}.0",
}
VARIABLES = {"lsf": "LSB_JOBID", "pbs": "PBS_JOBID", "htcondor": "GRUBIO_JOB"}


def install(folder: Path, scheduler: str) -> Path:
    """Write the commands of a scheduler; return the file in which they note what was asked."""
    folder.mkdir(parents=True)
    for name, role in zip(COMMANDS[scheduler], ("submit", "query"), strict=True):
        command = folder / name
        command.write_text(
            f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" {scheduler} {role} "{folder}" "$@"\n'
        )
        command.chmod(0o755)
    return folder / "asked.jsonl"


def submit(scheduler: str, folder: Path, words: list[str]) -> int:
    script = Path(words[-1])
    text = script.read_text()
    if scheduler == "htcondor":
        script = Path(re.findall(r"executable = (.*)", text)[0])
    with open(folder / "asked.jsonl", "a", encoding="utf-8") as asked:
        asked.write(json.dumps({"words": words, "text": text}) + "\n")
    number = str(len((folder / "asked.jsonl").read_text().splitlines()) + 100)
    number += ".server" if scheduler == "pbs" else ""
    with open(folder / f"{number}.log", "wb") as log:
        job = subprocess.Popen(
            ["sh", str(script)],
            env={**os.environ, VARIABLES[scheduler]: number},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    (folder / f"{number}.pid").write_text(str(job.pid))
    sys.stdout.write(SAYS[scheduler].format(id=number) + "\n")
    return 0


def query(scheduler: str, folder: Path, words: list[str]) -> int:
    mark = folder / f"{words[-1]}.pid"
    alive = mark.exists() and Path(f"/proc/{mark.read_text()}").exists()
    if alive:
        sys.stdout.write("RUN\n" if scheduler == "lsf" else "2\n")
        return 0
    return 0 if scheduler == "htcondor" else 255


if __name__ == "__main__":
    role = {"submit": submit, "query": query}[sys.argv[2]]
    sys.exit(role(sys.argv[1], Path(sys.argv[3]), sys.argv[4:]))
