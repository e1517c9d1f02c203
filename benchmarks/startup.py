"""How long a short command takes from the shell and back; writes benchmarks/startup.json.

python benchmarks/startup.py
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from grubio.embedded import embedded_path
from grubio.readers.fasta import read_fasta

RUNS = 10
RESULTS = Path(__file__).with_name("startup.json")


def seconds_of(command: list[str]) -> list[float]:
    """Return how long each of several runs of a command takes, after one that warms up."""
    taken = []
    for _ in range(RUNS + 1):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.perf_counter() - started)
    return taken[1:]


def main() -> None:
    """Measure and write."""
    program = shutil.which("grubio") or "grubio"
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    (protein, *_) = read_fasta(str(embedded_path("example-proteins")))
    with tempfile.TemporaryDirectory() as scratch:
        fasta = Path(scratch, "one.fasta")
        fasta.write_text(f">{protein.id}\n{protein.sequence}\n")
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "import torch": [sys.executable, "-c", "import torch"],
            "grubio --help": [program, "--help"],
            "grubio predict of one protein": [program, "predict", str(fasta)],
        }
        taken = {name: seconds_of(command) for name, command in commands.items()}
    result = {
        "runs": RUNS,
        "residues": len(protein),
        "median_seconds": {name: statistics.median(values) for name, values in taken.items()},
        "slowest_seconds": {name: max(values) for name, values in taken.items()},
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
