"""What a grammar changes: scores of labels and probabilities with and without it, and its cost.

python benchmarks/grammar.py scores MODEL DATASET [--split valid] [--output benchmarks/grammar.json]
python benchmarks/grammar.py cost MODEL SEQUENCES [--sequences 300]

Scores with and without it read the same outputs of the network; differences have paired 95 %
bootstrap intervals over chains.

The cost is CPU time in one thread, part by part, the least of --repeats: of all sequences of a
FASTA file together, and of the first ones one by one. It goes into benchmarks/decoding.json, from
which docs/performance.md is made, beside the costs of other models.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path
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
from grubio.readers.fasta import read_fasta
from grubio.sequences.posteriors import grammar_posteriors
from grubio.sequences.record import Record, scored_classes
from grubio.sequences.segments import label_runs

SHORT = 3
ALONE = 30
COSTS = Path(__file__).with_name("decoding.json")


def main() -> None:
    """Measure the scores, or the cost, of a model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("scores", "cost"):
        command = commands.add_parser(name)
        command.add_argument("model", help="Name or folder.")
        command.add_argument("data", type=Path)
        if name == "scores":
            command.add_argument("--split", default="valid")
            command.add_argument("--output", type=Path)
        else:
            command.add_argument("--sequences", type=int, default=300)
            command.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    bundle = load_bundle(find_model(arguments.model))
    if arguments.command == "cost":
        records = list(islice(read_fasta(arguments.data), arguments.sequences))
        found = json.loads(COSTS.read_text()) if COSTS.exists() else {}
        found[arguments.model] = cost(bundle, records, arguments.repeats)
        COSTS.write_text(json.dumps(found, indent=1) + "\n")
        print(json.dumps(found[arguments.model], indent=1))
        return
    records = list(read_records(arguments.data, arguments.split))
    result = {"model": arguments.model, "chains": len(records), "scores": scores(bundle, records)}
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


def cost(bundle: Bundle, records: Sequence[Record], repeats: int) -> dict[str, Any]:
    """Return CPU microseconds for a residue, from sequences to labels, and what follows of them."""
    graph = bundle.scheme.graph
    together = parts_of_cost(bundle, records, repeats, len(records))
    residues = sum(map(len, records))
    return {
        "parameters": bundle.metadata["parameters"],
        "states": 0 if graph is None else graph.size,
        "sequences": len(records),
        "residues": residues,
        "cpu_microseconds_per_residue": {
            "together": together,
            "one_by_one": parts_of_cost(bundle, records[:ALONE], repeats, 1),
        },
        "sequences_per_second": round(len(records) / residues / sum(together.values()) * 1e6, 1),
    }


def parts_of_cost(
    bundle: Bundle, records: Sequence[Record], repeats: int, together: int
) -> dict[str, float]:
    """Return CPU microseconds for a residue of the network, the posteriors and the labels."""
    predictor = Predictor(bundle, "cpu", 1, grammar=False)
    scheme, transitions = bundle.scheme, bundle.calibration().transitions
    spent: dict[str, list[float]] = {}
    for _ in range(repeats):
        clock = dict.fromkeys(("network", "posteriors", "labels"), 0.0)
        for start in range(0, len(records), together):
            times = [time.process_time()]
            found = list(predictor.predict(records[start : start + together]))
            times.append(time.process_time())
            if scheme.graph is not None:
                rows = [one.probabilities for one in found]
                rows = grammar_posteriors(rows, scheme.graph, transitions)
                found = [
                    replace(one, probabilities=own, scheme=scheme)
                    for one, own in zip(found, rows, strict=True)
                ]
            times.append(time.process_time())
            for _ in all_labelled(found, scheme.headline):
                pass
            times.append(time.process_time())
            for part, (before, after) in zip(clock, pairwise(times), strict=True):
                clock[part] += after - before
        for part, seconds in clock.items():
            spent.setdefault(part, []).append(seconds / sum(map(len, records)) * 1e6)
    return {part: round(min(values), 2) for part, values in spent.items()}


if __name__ == "__main__":
    main()
