"""What a grammar changes: scores of labels and probabilities with and without it, and its cost.

python benchmarks/grammar.py MODEL DATASET [--split valid] [--output benchmarks/grammar.json]

Both read the same outputs of the network; differences have paired 95 % bootstrap intervals over
chains. The cost is CPU time of labelling from sequence to labels, in one thread, with and without
the grammar in turn, the median of --repeats: of all chains together, and of chains one by one.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from grubio.datasets.parquet import read_records
from grubio.evaluation.scoring import SchemeScores
from grubio.inference.labelled_sequence import all_labelled
from grubio.inference.predictor import Predictor
from grubio.metrics.bootstrap import Score, bootstrap_weights
from grubio.model.bundle import Bundle, load_bundle
from grubio.model.calibration import calibration_error
from grubio.model.zoo import find_model
from grubio.sequences.record import Record, scored_classes
from grubio.sequences.segments import label_runs

SHORT = 3


def main() -> None:
    """Measure a model on one split of a dataset."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="Name or folder.")
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--split", default="valid")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    bundle = load_bundle(find_model(arguments.model))
    records = list(read_records(arguments.dataset, arguments.split))
    result = {
        "model": arguments.model,
        "chains": len(records),
        "scores": scores(bundle, records),
        "cpu_microseconds_per_residue": {
            "together": costs(bundle, records, arguments.repeats, len(records)),
            "one_by_one": costs(bundle, records[:50], arguments.repeats, 1),
        },
    }
    text = json.dumps(result, indent=1) + "\n"
    print(text)
    if arguments.output:
        arguments.output.write_text(text)


def scores(bundle: Bundle, records: Sequence[Record]) -> dict[str, Any]:
    """Return the scores with the grammar, without it, and the differences."""
    scheme = bundle.scheme
    weights = bootstrap_weights(len(records), 1000, 1)
    observed = [scored_classes(record, scheme) for record in records]
    found: dict[str, list[SchemeScores]] = {}
    result: dict[str, Any] = {}
    for name, kept in (("with", True), ("without", False)):
        predictor = Predictor(bundle, "cpu", 1, grammar=kept)
        own = predictor.bundle.scheme
        rows = [prediction.probabilities for prediction in predictor.predict(records)]
        coarse = own.headline
        matrix = own.reduction_matrix(coarse)
        found[name] = [
            SchemeScores(
                coarse,
                [own.reduced_classes(classes, coarse) for classes in observed],
                [one @ matrix for one in rows],
            ),
            SchemeScores(own, observed, rows),
        ]
        result[name] = {
            key: rounded(score)
            for one in found[name]
            for key, score in renamed(one, one.overall(weights))
        }
        counted = np.concatenate(observed) < scheme.size
        known = np.concatenate(observed)[counted].astype(np.int64)
        chosen = np.concatenate(rows)[counted]
        likelihood = np.maximum(chosen[np.arange(len(known)), known], 1e-9)
        result[name] |= {
            "calibration_error": round(calibration_error(chosen, known), 5),
            "log_loss": round(-float(np.log(likelihood).mean()), 5),
            "short_helices": short_runs(found[name][0]),
        }
    result["difference"] = {
        f"{metric}_{one.scheme.name}": difference(metric, one, other, weights)
        for one, other in zip(found["with"], found["without"], strict=True)
        for metric in ("accuracy", "sov")
    }
    return result


def renamed(one: SchemeScores, found: dict[str, Score]) -> Iterable[tuple[str, Score]]:
    """Yield the scores that are told, by the name of the scheme."""
    for key in (next(iter(found)), "sov", "mcc"):
        yield f"{key}_{one.scheme.name}" if key in ("sov", "mcc") else key, found[key]


def rounded(score: Score) -> list[float | None]:
    """Return the value and its interval."""
    return [
        None if part is None else round(part, 5) for part in (score.value, score.low, score.high)
    ]


def difference(metric: str, ours: SchemeScores, theirs: SchemeScores, weights: Any) -> list[float]:
    """Return our score minus theirs with a paired interval over chains."""
    if metric == "accuracy":
        return rounded((ours.estimate(metric, weights) - theirs.estimate(metric, weights)).score)  # type: ignore[return-value]
    gains = ours.overlaps["sov"] - theirs.overlaps["sov"]
    kept = np.isfinite(gains)
    replicates = (weights[:, kept] @ gains[kept]) / weights[:, kept].sum(axis=1)
    low, high = np.percentile(replicates, (2.5, 97.5))
    return [round(float(value), 5) for value in (gains[kept].mean(), low, high)]


def short_runs(found: SchemeScores) -> float:
    """Return the share of the predicted helices that are shorter than three residues."""
    texts = [found.scheme.decode(classes) for classes in found.predicted]
    runs = [
        end - start for text in texts for letter, start, end in label_runs(text) if letter == "H"
    ]
    return round(sum(run < SHORT for run in runs) / max(len(runs), 1), 5)


def costs(
    bundle: Bundle, records: Sequence[Record], repeats: int, together: int
) -> dict[str, float]:
    """Return CPU microseconds for a residue, from sequences to labels of the headline scheme."""
    spent: dict[str, list[float]] = {"with": [], "without": []}
    residues = sum(map(len, records))
    for _ in range(repeats):
        for name, kept in (("with", True), ("without", False)):
            predictor = Predictor(bundle, "cpu", 1, grammar=kept)
            started = time.process_time()
            for start in range(0, len(records), together):
                answers = predictor.predict(records[start : start + together])
                for _ in all_labelled(answers, predictor.bundle.scheme.headline):
                    pass
            spent[name].append((time.process_time() - started) / residues * 1e6)
    found = {name: round(median(times), 2) for name, times in spent.items()}
    return found | {"rate_kept": round(found["without"] / found["with"], 3)}


if __name__ == "__main__":
    main()
