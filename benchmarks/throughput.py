"""Residues labelled per second by the models of the zoo, as ratios within one run.

The chains are those of the demonstration data; each way is timed several times in turns, and the
median counts. Writes benchmarks/throughput.json.

    python benchmarks/throughput.py --threads 1
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import torch

from grubio.bundle import Bundle, find_model, load_bundle
from grubio.devices import use_threads
from grubio.embedded import embedded_path
from grubio.inference import Predictor
from grubio.readers.table import read_table
from grubio.record import Record

MODELS = ("protein-ss", "protein-ss-fast")
RESULTS = Path(__file__).with_name("throughput.json")


def seconds_in_batches(bundle: Bundle, records: list[Record], threads: int) -> float:
    """Return how long the batched predictor takes."""
    predictor = Predictor(bundle, "cpu", threads)
    started = time.perf_counter()
    for _ in predictor.predict(records):
        pass
    return time.perf_counter() - started


def seconds_one_by_one(bundle: Bundle, records: list[Record], threads: int) -> float:
    """Return how long it takes to label each record on its own."""
    predictor = Predictor(bundle, "cpu", threads)
    started = time.perf_counter()
    for record in records:
        next(iter(predictor.predict([record])))
    return time.perf_counter() - started


def matrix_rate(seconds: float = 1.0) -> float:
    """Return floating-point operations per second of a single-precision matrix product."""
    a, b = torch.randn(1536, 1536), torch.randn(1536, 1536)
    a @ b
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        a @ b
        count += 1
    return count * 2 * 1536**3 / (time.perf_counter() - started)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--chains", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    records = list(read_table(embedded_path("pdb-demo")))[: arguments.chains]
    few = records[: max(len(records) // 10, 1)]
    residues, residues_of_few = sum(map(len, records)), sum(map(len, few))
    rates: dict[str, list[float]] = {}
    for _ in range(arguments.repeats):
        for name in MODELS:
            bundle = load_bundle(find_model(name))
            taken = seconds_in_batches(bundle, records, arguments.threads)
            rates.setdefault(name, []).append(residues / taken)
            taken = seconds_one_by_one(bundle, few, arguments.threads)
            rates.setdefault(f"{name}, one by one", []).append(residues_of_few / taken)
    medians = {name: statistics.median(values) for name, values in rates.items()}
    result = {
        "threads": arguments.threads,
        "chains": len(records),
        "residues": residues,
        "matrix_gflops": matrix_rate() / 1e9,
        "residues_per_second": medians,
        "fast_over_accurate": medians["protein-ss-fast"] / medians["protein-ss"],
        "batched_over_one_by_one": {
            name: medians[name] / medians[f"{name}, one by one"] for name in MODELS
        },
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
