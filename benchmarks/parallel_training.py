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

from grubio.alphabet import PROTEIN
from grubio.bundle import load_metadata
from grubio.config import ModelSettings, TrainingSettings
from grubio.dataset import DatasetHeader, write_dataset
from grubio.embedded import embedded_path
from grubio.readers.table import read_table
from grubio.scheme import SS8
from grubio.trainer import HISTORY_FILE
from grubio.training import train_model

RESULTS = Path(__file__).with_name("parallel_training.json")
SHAPE = ModelSettings(hidden_size=48, layers=1)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chains", type=int, default=1500)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    arguments = parser.parse_args()
    records = [r for r in read_table(embedded_path("pdb-demo")) if r.split in ("train", "valid")]
    learned = [record for record in records if record.split == "train"][: arguments.chains]
    records = learned + [record for record in records if record.split == "valid"]
    scores: dict[str, list[float]] = {"1": [], "2": []}
    rates: dict[str, list[float]] = {"1": [], "2": []}
    with tempfile.TemporaryDirectory() as scratch:
        dataset = Path(scratch, "split.parquet")
        write_dataset(dataset, DatasetHeader(PROTEIN, SS8, {}), records)
        for seed in arguments.seeds:
            for processes in (1, 2):
                settings = TrainingSettings(
                    seed=seed,
                    epochs=arguments.epochs,
                    batch_residues=6000 // processes,
                    processes=processes,
                )
                folder = Path(scratch, f"{processes}-{seed}")
                model = train_model(
                    dataset, folder, SHAPE, settings, device="cpu", threads=processes
                )
                score = load_metadata(model)["training"]["valid_score"]
                scores[str(processes)].append(score)
                with open(folder / HISTORY_FILE) as lines:
                    rows = [float(row["residues_per_second"]) for row in csv.DictReader(lines)]
                rates[str(processes)] += rows
    means = {name: statistics.mean(values) for name, values in scores.items()}
    result = {
        "chains": arguments.chains,
        "residues": sum(map(len, learned)),
        "epochs": arguments.epochs,
        "seeds": arguments.seeds,
        "valid_scores": scores,
        "mean_valid_score": means,
        "difference_of_means": means["2"] - means["1"],
        "standard_deviation_of_one": statistics.stdev(scores["1"]),
        "median_residues_per_second": {k: statistics.median(v) for k, v in rates.items()},
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
