"""How long a short command takes and how much memory; writes benchmarks/startup.json.

python benchmarks/startup.py
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from grubio.fetching.embedded import embedded_path
from grubio.readers.fasta import read_fasta
from measured_command import Cost, cost_of

RUNS = 10
RESULTS = Path(__file__).with_name("startup.json")


def costs_of(command: list[str]) -> list[Cost]:
    """Return what each of several runs of a command costs, after one that warms up."""
    return [cost_of(command) for _ in range(RUNS + 1)][1:]


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
        taken = {name: costs_of(command) for name, command in commands.items()}
    result = {
        "runs": RUNS,
        "residues": len(protein),
        "median_seconds": {n: statistics.median(c.seconds for c in v) for n, v in taken.items()},
        "median_cpu_seconds": {
            n: statistics.median(c.cpu_seconds for c in v) for n, v in taken.items()
        },
        "peak_megabytes": {n: max(c.megabytes for c in v) for n, v in taken.items()},
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
