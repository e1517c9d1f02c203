"""Validation score and speed of one process against two that train together, over seeds.

A small network on some training chains of the demonstration data, scored on its validation chains.
Two processes take half the batch each, so that a step has about as many residues as that of one.
Each process has one thread. Writes benchmarks/parallel_training.json.

    python benchmarks/parallel_training.py
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import tempfile
from pathlib import Path

from grubio.config import ModelSettings, TrainingSettings
from grubio.datasets.parquet import DatasetHeader, write_dataset
from grubio.fetching.embedded import embedded_path
from grubio.model.bundle import load_metadata
from grubio.readers.table import read_table
from grubio.runs.files import HISTORY_FILE
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.scheme import SS8
from grubio.training.train import train_model

RESULTS = Path(__file__).with_name("parallel_training.json")
SMALL = ModelSettings(hidden_size=48, layers=1)
# The width of protein-ss.
WIDE = ModelSettings(hidden_size=192)
BATCH = 6000
# A few chains are enough for a rate.
TIMED_CHAINS = 500


def trained(
    dataset: Path, folder: Path, shape: ModelSettings, settings: TrainingSettings
) -> tuple[float, list[float]]:
    """Train with one thread for each process; return the score and the rate of each pass."""
    model = train_model(dataset, folder, shape, settings, device="cpu", threads=settings.processes)
    with open(folder / HISTORY_FILE) as lines:
        rates = [float(row["residues_per_second"]) for row in csv.DictReader(lines)]
    return load_metadata(model)["training"]["valid_score"], rates


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chains", type=int, default=1500)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    arguments = parser.parse_args()
    chains = [r for r in read_table(embedded_path("pdb-demo")) if r.split in ("train", "valid")]
    learned = [record for record in chains if record.split == "train"]
    judged = [record for record in chains if record.split == "valid"]
    scores: dict[str, list[float]] = {"1": [], "2": []}
    rates: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as scratch:

        def dataset_of(count: int) -> Path:
            path = Path(scratch, f"{count}.parquet")
            write_dataset(path, DatasetHeader(PROTEIN, SS8, {}), [*learned[:count], *judged])
            return path

        dataset = dataset_of(arguments.chains)
        for seed in arguments.seeds:
            for processes in (1, 2):
                settings = TrainingSettings(
                    seed=seed,
                    epochs=arguments.epochs,
                    batch_residues=BATCH // processes,
                    processes=processes,
                )
                folder = Path(scratch, f"{processes}-{seed}")
                scores[str(processes)].append(trained(dataset, folder, SMALL, settings)[0])
        dataset = dataset_of(TIMED_CHAINS)
        for name, shape in (("small", SMALL), ("wide", WIDE)):
            rates[name] = {}
            for way, processes, batch in (
                ("one process", 1, BATCH),
                ("two, half the batch each", 2, BATCH // 2),
                ("two, the same batch each", 2, BATCH),
            ):
                settings = TrainingSettings(epochs=3, batch_residues=batch, processes=processes)
                folder = Path(scratch, f"{name}-{processes}-{batch}")
                rates[name][way] = statistics.median(trained(dataset, folder, shape, settings)[1])
    means = {name: statistics.mean(values) for name, values in scores.items()}
    result = {
        "chains": arguments.chains,
        "residues": sum(map(len, learned[: arguments.chains])),
        "epochs": arguments.epochs,
        "seeds": arguments.seeds,
        "valid_scores": scores,
        "mean_valid_score": means,
        "difference_of_means": means["2"] - means["1"],
        "standard_deviation_of_one": statistics.stdev(scores["1"]),
        "timed_chains": TIMED_CHAINS,
        "width": {"small": SMALL.hidden_size, "wide": WIDE.hidden_size},
        "median_residues_per_second": rates,
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
