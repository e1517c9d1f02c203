"""How many labelled chains a model saves that starts from another: fine-tuning against scratch.

The task is one that the parent, protein-ss-fast, was never trained on: ordered or disordered, by
CheZOD scores (below 8 is disordered; Dass et al., Scientific Reports 10:14780, 2020). The test
chains have no homolog among the parent's possible training chains nor among those that are drawn.

    python benchmarks/fine_tuning.py prepare FOLDER --shared DIR
    python benchmarks/fine_tuning.py run FOLDER --jobs 16
    python benchmarks/fine_tuning.py table FOLDER

The last writes ``benchmarks/fine_tuning.json``, of which fine_tuning_page.py makes the section of
docs/fine-tuning.md and its figure.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from grubio.files import write_text_whole
from grubio.sequences.record import Record

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_suffix(".json")
PARENT = "protein-ss-fast"
SIZES = (10, 30, 50, 100, 300, 1000)
DRAWS = 5
TEST_CHAINS = 150
THRESHOLD = 8.0
"""CheZOD score below which a residue is disordered."""
SCORE = "average_precision"
EPOCHS = {10: 60, 30: 40, 50: 40, 100: 30, 300: 20, 1000: 10}
COMMON = ("--batch-residues", "1500", "--patience", "10", "--select-by", SCORE)
ARMS = {
    "scratch": ("--hidden-size", "112"),
    "small": ("--hidden-size", "32"),
    "from": ("--from", PARENT, "--learning-rate", "0.004", "--layer-decay", "0.4"),
}
"""Options of the arms: a new network of the parent's size, a small one, and the parent. The rates
of the parent were chosen on the validation chains of a sixth draw; the others have the default."""


def main() -> None:
    """Do what is asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=("prepare", "run", "table"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shared", type=Path, help="folder with disorder/ and ss/")
    parser.add_argument("--jobs", type=int, default=1, help="runs side by side, one thread each")
    parser.add_argument("--draws", default=",".join(map(str, range(1, DRAWS + 1))))
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--minutes", type=float, default=1e9, help="no run starts after these")
    arguments = parser.parse_args()
    if arguments.step == "prepare":
        prepare(arguments.folder, arguments.shared)
    elif arguments.step == "run":
        sizes = [int(size) for size in arguments.sizes.split(",")]
        draws = [int(draw) for draw in arguments.draws.split(",")]
        run(arguments.folder, sizes, draws, arguments.jobs, arguments.minutes)
    else:
        write_text_whole(RESULTS, json.dumps(table(arguments.folder), indent=1) + "\n")


def prepare(folder: Path, shared: Path) -> None:
    """Write a dataset for each size and draw; the draw 0 is for choosing settings."""
    from grubio.config import SplitSettings, parse_scheme
    from grubio.datasets.parquet import DatasetHeader, write_dataset
    from grubio.model.devices import available_threads
    from grubio.readers.table import read_table
    from grubio.sequences.alphabet import PROTEIN
    from grubio.splits.homolog_groups import HomologSearch

    records = [r for r in read_chezod(shared / "disorder/chezod_train.tsv") if len(r) >= 20]
    sequences = {record.id: record.sequence for record in records}
    search = HomologSearch(PROTEIN, SplitSettings(), available_threads())
    parents = {r.id: r.sequence for r in read_table(ROOT / "data/pdb_chains.tsv.xz")}
    with gzip.open(shared / "ss/nsp2_train_val.tsv.gz", "rt", encoding="utf-8") as lines:
        parents |= {f"nsp2:{r['id']}": r["sequence"] for r in csv.DictReader(lines, delimiter="\t")}
    limits = search.stricter().settings
    close = {h.query for h in search.hits(sequences, parents) if h.is_homolog(limits)}
    free = [record for record in records if record.id not in close]
    chosen = np.random.default_rng(1).permutation(len(free))[:TEST_CHAINS]
    test = [replace(free[index], split="test") for index in chosen]
    held = {record.id: record.sequence for record in test}
    related = {h.target for h in search.hits(held, sequences) if h.is_homolog(limits)}
    pool = [record for record in records if record.id not in related | held.keys()]
    print(
        f"{len(records)} chains, {len(free)} without a homolog among {len(parents)} of the parent"
    )
    print(f"{len(test)} to test, {len(pool)} to draw from")
    header = DatasetHeader(PROTEIN, parse_scheme("disorder=O:ordered,D:disordered", "O"))
    for draw in range(DRAWS + 1):
        order = np.random.default_rng(100 + draw).permutation(len(pool))
        for size in SIZES:
            drawn = [pool[index] for index in order[:size]]
            held_out = max(2, len(drawn) // 5)
            parts = [
                *(replace(r, split="valid") for r in drawn[:held_out]),
                *(replace(r, split="train") for r in drawn[held_out:]),
                *test,
            ]
            write_dataset(dataset_of(folder, size, draw), header, parts)


def read_chezod(path: Path) -> Iterator[Record]:
    """Yield the chains with their labels; residues without a score are masked."""
    with open(path, encoding="utf-8") as lines:
        for number, row in enumerate(csv.DictReader(lines, delimiter="\t")):
            scores = [float(score) if score else None for score in row["chezod"].split(",")]
            labels = "".join("D" if s is not None and s < THRESHOLD else "O" for s in scores)
            mask = "".join("0" if score is None else "1" for score in scores)
            yield Record(f"chain{number}", row["id"], row["sequence"], labels, mask)


def dataset_of(folder: Path, size: int, draw: int) -> Path:
    """Return the path of the dataset of a draw."""
    return folder / f"datasets/{size}-{draw}.parquet"


def run(
    folder: Path, sizes: Sequence[int], draws: Sequence[int], jobs: int, minutes: float
) -> None:
    """Train and evaluate what is missing, the longest runs first."""
    until = time.monotonic() + 60 * minutes
    wanted = [
        (size, draw, arm)
        for size in sorted(sizes, reverse=True)
        for draw in draws
        for arm in ARMS
        if not (folder / f"{arm}-{size}-{draw}/metrics.json").exists()
    ]

    def one(job: tuple[int, int, str]) -> None:
        size, draw, arm = job
        if time.monotonic() > until:
            return
        output, dataset = folder / f"{arm}-{size}-{draw}", dataset_of(folder, size, draw)
        train = [*COMMON, *ARMS[arm], "--epochs", str(EPOCHS[size]), "--seed", str(draw)]
        commands = [
            ["train", str(dataset), "--output", str(output), *train],
            ["evaluate", "-m", str(output / "model"), "-d", str(dataset), "-o", str(output)],
        ]
        for command in commands:
            done = subprocess.run(
                [sys.executable, "-m", "grubio", *command, "--device", "cpu", "--threads", "1"],
                check=False,
                capture_output=True,
                text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
            )
            if done.returncode:
                print(f"{output.name}: {done.stderr[-400:]}", file=sys.stderr, flush=True)
                return

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, wanted))


def table(folder: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Return the scores on the test chains, by arm, number of chains and draw."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for arm in ARMS:
        for size in SIZES:
            paths = {
                str(draw): folder / f"{arm}-{size}-{draw}/metrics.json"
                for draw in range(1, DRAWS + 1)
            }
            scores = {
                draw: json.loads(path.read_text(encoding="utf-8"))[SCORE]["value"]
                for draw, path in paths.items()
                if path.exists()
            }
            if scores:
                found.setdefault(arm, {})[str(size)] = scores
    return found


if __name__ == "__main__":
    main()
