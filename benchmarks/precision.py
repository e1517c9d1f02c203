"""The demonstration study in float32 and in bfloat16, over seeds: validation scores and seconds.

The two precisions of a seed are trained one after the other. Writes benchmarks/precision.json after
each seed.

    python benchmarks/precision.py
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import tempfile
from pathlib import Path

from grubio.config import load_config
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


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--hidden-size", type=int, help="default: that of the study")
    parser.add_argument("--epochs", type=int, help="default: those of the study")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    run = load_config(STUDY).runs["demo"]
    changes = {"hidden_size": arguments.hidden_size, "epochs": arguments.epochs}
    changed = {name: value for name, value in changes.items() if value}
    model = run.model.model_copy(
        update={k: v for k, v in changed.items() if k in type(run.model).model_fields}
    )
    training = run.training.model_copy(
        update={k: v for k, v in changed.items() if k in type(run.training).model_fields}
    )
    chains = [r for r in read_table(embedded_path("pdb-demo")) if r.split in ("train", "valid")]
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        dataset = Path(scratch, "split.parquet")
        write_dataset(dataset, DatasetHeader(PROTEIN, SS8, {}), chains)
        for seed in arguments.seeds:
            for precision in PRECISIONS:
                settings = training.model_copy(update={"seed": seed, "precision": precision})
                folder = Path(scratch, f"{precision}-{seed}")
                train_model(
                    dataset, folder, model, settings, device="cpu", threads=arguments.threads
                )
                with open(folder / HISTORY_FILE) as lines:
                    history = list(csv.DictReader(lines))
                rows.append(
                    {
                        "seed": seed,
                        "precision": precision,
                        "valid_scores": [float(row["valid_score"]) for row in history],
                        "valid_losses": [float(row["valid_loss"]) for row in history],
                        "residues_per_second": statistics.median(
                            float(row["residues_per_second"]) for row in history
                        ),
                    }
                )
                print(json.dumps(rows[-1]), flush=True)
            arguments.results.write_text(
                json.dumps(summary(rows, model, training), indent=1) + "\n"
            )


def summary(rows: list[dict], model: object, training: object) -> dict:
    """Return the rows with the mean and standard deviation of each precision."""
    best = {p: [max(r["valid_scores"]) for r in rows if r["precision"] == p] for p in PRECISIONS}
    rates = [
        [row["residues_per_second"] for row in rows if row["precision"] == p] for p in PRECISIONS
    ]
    return {
        "hidden_size": model.hidden_size,
        "epochs": training.epochs,
        "mean_valid_score": {p: statistics.mean(scores) for p, scores in best.items()},
        "standard_deviation": {
            p: statistics.stdev(scores) if len(scores) > 1 else None for p, scores in best.items()
        },
        "mean_difference": statistics.mean(
            b - a for a, b in zip(best["32"], best["bf16"], strict=True)
        ),
        "median_gain_in_speed": statistics.median(b / a for a, b in zip(*rates, strict=True)),
        "runs": rows,
    }


if __name__ == "__main__":
    main()
