"""How long a command takes and how much memory it needs at most."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import NamedTuple

# A process counts the memory of the one that started it as its own, so a small one starts it.
_STARTER = """
import json, os, subprocess, sys, time
started = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
taken = time.perf_counter() - started
print(json.dumps([status, taken, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6]))
"""


class Cost(NamedTuple):
    """Seconds from start to end, CPU seconds, and peak memory in megabytes."""

    seconds: float
    cpu_seconds: float
    megabytes: float


def cost_of(command: list[str]) -> Cost:
    """Run a command and return what it cost.

    Raises
    ------
    RuntimeError
        If it fails.
    """
    done = subprocess.run(
        [sys.executable, "-S", "-c", _STARTER, *command],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    status, *cost = json.loads(done.stdout)
    if status:
        raise RuntimeError(f"{command} ended with status {status}")
    return Cost(*cost)
