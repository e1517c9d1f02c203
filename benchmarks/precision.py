"""The demonstration study in float32 and in bfloat16, over seeds: validation scores and speed.

Each training has one thread. With one job the two precisions of a seed are trained one after the
other, so that their speeds can be compared. Writes benchmarks/precision.json when all are done,
with what the file has of other seeds of the same study.

    python benchmarks/precision.py
    python benchmarks/precision.py --seeds 3 4 5 --jobs 6
    python benchmarks/precision.py --seeds 1 --epochs 12 --results benchmarks/precision_long.json
"""

from __future__ import annotations

import argparse
import csv
import json
import multiprocessing
import platform
import re
import statistics
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from grubio.config.loading import load_config
from grubio.datasets.parquet import DatasetHeader, write_dataset
from grubio.fetching.embedded import embedded_path
from grubio.readers.table import read_table
from grubio.runs.files import HISTORY_FILE
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.scheme import SS8
from grubio.training.train import train_model

RESULTS = Path(__file__).with_name("precision.json")
STUDY = Path(__file__).parents[1] / "config" / "config.yaml"
PRECISIONS = ("32", "bf16")


def trained(
    dataset: Path, folder: Path, changed: dict[str, int], of_run: tuple[int, str]
) -> dict[str, Any]:
    """Return the scores and the speed of a training with one seed in one precision."""
    run, (seed, precision) = load_config(STUDY).runs["demo"], of_run
    own = {key: value for key, value in changed.items() if key in type(run.model).model_fields}
    rest = {key: value for key, value in changed.items() if key not in own}
    settings = run.training.model_copy(update={"seed": seed, "precision": precision, **rest})
    output = folder / f"{precision}-{seed}"
    train_model(
        dataset, output, run.model.model_copy(update=own), settings, device="cpu", threads=1
    )
    with open(output / HISTORY_FILE) as lines:
        history = list(csv.DictReader(lines))
    rates = [float(row["residues_per_second"]) for row in history]
    return {
        "seed": seed,
        "precision": precision,
        "valid_scores": [float(row["valid_score"]) for row in history],
        "valid_losses": [float(row["valid_loss"]) for row in history],
        "residues_per_second": statistics.median(rates),
    }


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean and standard deviation of each precision, and the runs."""
    scores = {
        precision: [max(row["valid_scores"]) for row in rows if row["precision"] == precision]
        for precision in PRECISIONS
    }
    timed = [row for row in rows if row["residues_per_second"]]
    rates = [
        [row["residues_per_second"] for row in timed if row["precision"] == precision]
        for precision in PRECISIONS
    ]
    gains = [b / a for a, b in zip(*rates, strict=True)]
    several = len(rows) > len(PRECISIONS)
    return {
        "mean_valid_score": {name: statistics.mean(found) for name, found in scores.items()},
        "standard_deviation": {
            name: statistics.stdev(found) if several else None for name, found in scores.items()
        },
        "mean_difference": statistics.mean(
            b - a for a, b in zip(*(scores[precision] for precision in PRECISIONS), strict=True)
        ),
        "median_gain_in_speed": statistics.median(gains) if gains else None,
        "runs": rows,
    }


def processor() -> str:
    """Return the name of the processor, as Linux gives it."""
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.processor()


def of_other_seeds(results: Path, study: dict[str, int], seeds: Sequence[int]) -> list[Any]:
    """Return the runs of a file of results that are of the same study and of none of the seeds."""
    if not results.exists():
        return []
    found = json.loads(results.read_text())
    same = all(found[name] == value for name, value in study.items())
    return [row for row in found["runs"] if same and row["seed"] not in seeds]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time")
    parser.add_argument("--busy", action="store_true", help="the machine does more: keep no speeds")
    parser.add_argument("--hidden-size", type=int, help="by default that of the study")
    parser.add_argument("--epochs", type=int, help="by default those of the study")
    parser.add_argument("--chains", type=int, help="training chains, by default all")
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    wanted = {"hidden_size": arguments.hidden_size, "epochs": arguments.epochs}
    changed = {name: value for name, value in wanted.items() if value}
    chains = list(read_table(embedded_path("pdb-demo")))
    learned = [record for record in chains if record.split == "train"][: arguments.chains]
    judged = [record for record in chains if record.split == "valid"]
    runs = [(seed, precision) for seed in arguments.seeds for precision in PRECISIONS]
    with tempfile.TemporaryDirectory() as scratch:
        dataset = Path(scratch, "split.parquet")
        write_dataset(dataset, DatasetHeader(PROTEIN, SS8, {}), [*learned, *judged])
        rows = []
        # Threads of PyTorch do not survive a fork.
        spawned = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(arguments.jobs, mp_context=spawned) as pool:
            for row in pool.map(partial(trained, dataset, Path(scratch), changed), runs):
                row |= {"jobs": arguments.jobs, "processor": processor()}
                rows.append({**row, "residues_per_second": None} if arguments.busy else row)
                print(json.dumps(row), flush=True)
    run = load_config(STUDY).runs["demo"]
    study = {"hidden_size": run.model.hidden_size, "epochs": run.training.epochs} | changed
    study["chains"] = len(learned)
    rows += of_other_seeds(arguments.results, study, arguments.seeds)
    rows.sort(key=lambda row: (row["seed"], PRECISIONS.index(row["precision"])))
    result = {**study, **summary(rows)}
    arguments.results.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
