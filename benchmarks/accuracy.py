"""Accuracy on the benchmark sets CB513 and TS115, as JSON and as the page docs/benchmarks.md.

A model that is in the JSON already is not run again: each test set is read once for
each model. --train names the split dataset of the models; the window logistic regression is
fitted to it. --peers is the folder of benchmarks/peers.py.

    python benchmarks/accuracy.py --sets DIR --train split.parquet --peers results/peers
    python benchmarks/accuracy.py --page docs/benchmarks.md

The FASTA that ``config/protein_ss.yaml`` keeps out of training:

    python benchmarks/accuracy.py --sets DIR --fasta resources/benchmark_sets.fasta
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from grubio.config import EvaluationSettings, SplitSettings
from grubio.datasets.parquet import read_header, read_records
from grubio.datasets.validation import checked_records
from grubio.evaluation.baselines import WindowLogisticRegression, class_frequencies
from grubio.evaluation.scoring import SchemeScores
from grubio.files import sha256_of_file, write_text_whole
from grubio.inference.predictor import Predictor
from grubio.metrics.bootstrap import bootstrap_weights
from grubio.model.bundle import load_bundle
from grubio.model.devices import available_threads, use_threads
from grubio.model.zoo import find_model
from grubio.readers.fasta import read_fasta
from grubio.readers.table import read_table
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.record import Record, scored_classes
from grubio.sequences.scheme import SS3, SS8, LabelScheme
from grubio.splits.homology.search import find_hits

RESULTS = Path(__file__).with_name("accuracy.json")
SETS = ("cb513", "ts115")
COLUMNS = ("id", "sequence", "ss8", "mask")
MODELS = ("protein-ss", "protein-ss-fast")
PLAIN = SS8.with_grammar(None)
Probabilities = npt.NDArray[np.float32]


def scores_of(
    records: Sequence[Record],
    answers: Sequence[Probabilities],
    settings: EvaluationSettings,
    scheme: LabelScheme = PLAIN,
) -> dict[str, Any]:
    """Return the scores of answers ``(residue, class)`` in SS8, or in SS3 without a grammar."""
    coarse_scheme = scheme.headline
    matrix = scheme.reduction_matrix(coarse_scheme)
    pairs = [
        (observed, answer)
        for record, answer in zip(records, answers, strict=True)
        if ((observed := scored_classes(record, SS8)) < SS8.size).any()
    ]
    coarse = SchemeScores(
        coarse_scheme,
        [SS8.reduced_classes(observed, SS3) for observed, _ in pairs],
        [rows @ matrix if rows.shape[1] == SS8.size else rows for _, rows in pairs],
    )
    weights = bootstrap_weights(len(pairs), settings.bootstrap, settings.seed)
    result: dict[str, Any] = {k: v.as_dict() for k, v in coarse.overall(weights).items()}
    result["f1"] = {
        letter: one.scores["f1"].as_dict() for letter, one in coarse.classes(weights).items()
    }
    if pairs[0][1].shape[1] == SS8.size:
        fine = SchemeScores(scheme, [o for o, _ in pairs], [rows for _, rows in pairs])
        result["q8"] = fine.overall(weights)["q8"].as_dict()
        result["f1_ss8"] = {
            letter: one.scores["f1"].as_dict() for letter, one in fine.classes(weights).items()
        }
    result["chains"] = len(pairs)
    result["residues"] = int(coarse.per_chain.sum())
    return result


def records_of(sets: Path, name: str) -> list[Record]:
    """Return the chains of a benchmark set; residues without a known label are masked."""
    path = sets / f"{name}.tsv"
    return list(checked_records(read_table(path, COLUMNS), PROTEIN, "mask", scheme=SS8, path=path))


def one_hot(labels: str) -> Probabilities:
    """Return labels in SS3 as certain probabilities, float32 ``(residue, class)``."""
    return np.eye(SS3.size, dtype=np.float32)[SS3.encode(labels)]


def measured(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return all results, the ones that were there already among them."""
    use_threads(arguments.threads)
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    settings = EvaluationSettings()
    known = {(row["set"], row["predictor"]): row for row in results.get("rows", [])}
    # A model that was trained further has learned from both datasets.
    searches = {search["train_sha256"]: search for search in results.get("leak", [])}
    if arguments.train and (digest := sha256_of_file(arguments.train)) not in searches:
        by_chance = leak(arguments.sets, arguments.train, backwards=True)["related"]
        found = leak(arguments.sets, arguments.train)
        searches[digest] = {**found, "related_by_chance": len(by_chance)}
    related = {chain for search in searches.values() for chain in search["related"]}
    for name in SETS:
        records = records_of(arguments.sets, name)
        facts = {"set": name, "set_sha256": sha256_of_file(arguments.sets / f"{name}.tsv")}
        for model in arguments.models:
            bundle = load_bundle(find_model(model))
            digest = bundle.metadata["sha256"]
            if known.get((name, model), {}).get("model_sha256") == digest:
                continue
            answers = [
                p.probabilities
                for p in Predictor(bundle, "cpu", arguments.threads).predict(records)
            ]
            known[name, model] = {
                **facts,
                "predictor": model,
                "weights_sha256": bundle.metadata["weights_sha256"],
                "model_sha256": digest,
                "parameters": bundle.metadata["parameters"],
                **scores_of(records, answers, settings, bundle.scheme),
            }
            if bundle.metadata["training"]["dataset_sha256"] in searches:
                apart = [i for i, r in enumerate(records) if f"{name}|{r.id}" not in related]
                known[name, model]["unrelated"] = scores_of(
                    [records[i] for i in apart],
                    [answers[i] for i in apart],
                    settings,
                    bundle.scheme,
                )
        if (name, "window logistic regression") not in known:
            window, majority = fitted_baselines(arguments.train, settings)
            for text, answers in (
                ("window logistic regression", [window.probabilities(r.sequence) for r in records]),
                ("majority class", [np.tile(majority, (len(r), 1)) for r in records]),
            ):
                known[name, text] = {
                    **facts,
                    "predictor": text,
                    "train_sha256": sha256_of_file(arguments.train),
                    **scores_of(records, answers, settings),
                }
        for labels in sorted(arguments.peers.glob(f"{name}.*.fasta")) if arguments.peers else []:
            peer = labels.name.split(".")[1]
            label_of = {r.id: r.sequence for r in read_fasta(labels)}
            answers = [one_hot(label_of[r.id]) for r in records]
            known[name, peer] = {
                **facts,
                "predictor": peer,
                **scores_of(records, answers, settings),
            }
    return {
        "settings": settings.model_dump(),
        "rows": list(known.values()),
        "leak": list(searches.values()),
    }


def leak(sets: Path, train: Path, *, backwards: bool = False) -> dict[str, Any]:
    """Return which benchmark chains still have anything alike among the training records.

    Read backwards, chains resemble others by chance alone.
    """
    settings = SplitSettings(method="mmseqs")
    step = -1 if backwards else 1
    queries = {name: chain[::step] for name, chain in benchmark_sequences(sets).items()}
    targets = {record.id: record.sequence for record in read_records(train, "train")}
    threads = available_threads()
    hits = [
        h for h in find_hits(queries, targets, PROTEIN, settings, threads) if h.is_alike(settings)
    ]
    return {
        "queries": len(queries),
        "train": len(targets),
        "significant": len({hit.query for hit in hits if hit.evalue < settings.max_evalue}),
        "related": sorted({hit.query for hit in hits}),
        "train_sha256": sha256_of_file(train),
    }


def benchmark_sequences(sets: Path) -> dict[str, str]:
    """Return all sequences of the sets, by an id that no other file has."""
    return {
        f"{name}|{record.id}": record.sequence
        for name in SETS
        for record in read_table(sets / f"{name}.tsv", COLUMNS)
    }


def fitted_baselines(
    dataset: Path, settings: EvaluationSettings
) -> tuple[WindowLogisticRegression, npt.NDArray[np.float32]]:
    """Return the window baseline and the class frequencies of the training records."""
    header = read_header(dataset)
    train = list(read_records(dataset, "train"))
    window = WindowLogisticRegression(
        header.alphabet, header.scheme, settings.baseline_window, settings.seed
    ).fit(train)
    return window, class_frequencies(train, header.scheme)


def main() -> None:
    """Measure, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=Path, help="Folder of cb513.tsv and ts115.tsv.")
    parser.add_argument(
        "--fasta", type=Path, help="Write the sequences of the sets here, and nothing else."
    )
    parser.add_argument(
        "--train", type=Path, help="Split dataset of the models, in which homologs are looked for."
    )
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--models", nargs="*", default=MODELS)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--page", type=Path)
    arguments = parser.parse_args()
    if arguments.sets and arguments.fasta:
        sequences = benchmark_sequences(arguments.sets)
        write_text_whole(arguments.fasta, "".join(f">{k}\n{v}\n" for k, v in sequences.items()))
    elif arguments.sets:
        write_text_whole(RESULTS, json.dumps(measured(arguments), indent=1, sort_keys=True) + "\n")
    if arguments.page:
        from accuracy_page import page

        write_text_whole(arguments.page, page(json.loads(RESULTS.read_text())))


if __name__ == "__main__":
    main()
