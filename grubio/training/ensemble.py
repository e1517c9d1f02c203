"""Several models in, one model out: of their mean log-probabilities, or of their mean weights."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from grubio.datasets.parquet import DatasetHeader, read_header, read_records, require_splits
from grubio.errors import GrubioError
from grubio.files import sha256_of_file, write_text_whole
from grubio.model.architecture import WeightPrecision
from grubio.model.batching import labelled_examples
from grubio.model.bundle import METADATA_FILE, Bundle, Calibration, load_bundle, save_bundle
from grubio.model.members import averaged, common_precision, joined
from grubio.model.training_sketch import read_sketches
from grubio.overwriting import keeps_inputs, refuse_input, require_once
from grubio.runs.files import HISTORY_FILE, MODEL_FOLDER, REACH_FILE
from grubio.sequences.posteriors import Transitions
from grubio.sequences.record import Record
from grubio.training.gradient_reach import gradient_reach
from grubio.training.lightning_module import HISTORY_COLUMNS, history_as_csv
from grubio.training.site_thresholds import genome_sites
from grubio.training.transitions import answers_with_grammar, label_answers, with_transitions
from grubio.training.validation_answers import (
    Known,
    calibrated_targets,
    changes_frequencies,
    validation_answers,
    validation_predictions,
)
from grubio.training.validation_score import validation_score
from grubio.training.window_sampling import rare_classes

logger = logging.getLogger(__name__)


@keeps_inputs("models", "dataset")
def combine_models(
    models: Sequence[Path],
    dataset: Path,
    output: Path,
    *,
    average_weights: bool = False,
    weight_precision: WeightPrecision | None = None,
    threads: int | None = None,
) -> Path:
    """Write the mean of models with the same targets; return its bundle's folder.

    It is an ensemble, which holds all networks and answers with their mean log-probabilities; or,
    of ``average_weights``, one network of their mean weights. Either is calibrated on the
    validation records of the dataset, which must be the one that the models were trained on.
    Weights are stored as those of the models, or in a ``weight_precision``. Writes ``model/``,
    ``history.csv``, of one row, and ``gradient_reach.tsv`` into ``output``. A warning says so if
    mean weights score less on the validation records than each of the models.

    Raises
    ------
    GrubioError
        If a model is given twice, the models differ in targets, alphabet or dataset, or one is an
        ensemble itself; and of ``average_weights``, if the networks differ in shape.
    """
    if len(models) < 2:
        raise GrubioError("a mean needs two models or more")
    require_once(models)
    refuse_input(output / MODEL_FOLDER / METADATA_FILE)
    header = read_header(dataset)
    bundles = [load_bundle(model) for model in models]
    _require_alike(models, bundles, dataset, header)
    raw = averaged(bundles) if average_weights else joined(bundles)
    raw = raw.stored_in(weight_precision or common_precision(bundles))
    training = [bundle.metadata["training"] for bundle in bundles]
    read = read_records(dataset, "valid", targets=True, profiles=raw.reads_profiles)
    records = list(read)
    require_splits(dataset, records, "valid")
    settings = [one["settings"] for one in training]
    calibrations, remaining, answers = _calibrated(
        raw,
        records,
        _mean_transitions(bundles),
        threads,
        offsets=any(map(changes_frequencies, settings)),
    )
    score = validation_score(
        raw.targets[0], training[0].get("score", "accuracy"), rare_classes(header)
    )
    score.add(*map(torch.from_numpy, answers))
    row = dict.fromkeys(HISTORY_COLUMNS, 0.0) | {
        "epoch": max(one["epochs_run"] for one in training),
        "valid_score": score.value(torch.device("cpu")),
    }
    if average_weights:
        _tell_if_worse(row["valid_score"], [one["valid_score"] for one in training])
    write_text_whole(output / HISTORY_FILE, history_as_csv([row]))
    seen = [
        example
        for record in records
        for example in labelled_examples(record, header.alphabet, header.scheme)
    ]
    write_text_whole(output / REACH_FILE, gradient_reach(raw, seen))
    combined = replace(raw, calibrations=calibrations)
    rate = min(one["false_positives_per_kb"] for one in settings)
    save_bundle(
        output / MODEL_FOLDER,
        replace(combined, sites=genome_sites(combined, dataset, header, rate, threads)),
        {
            **training[0],
            "valid_score": row["valid_score"],
            **remaining,
            "epochs_run": row["epoch"],
            "best_epoch": row["epoch"],
            "seconds": sum(one["seconds"] for one in training),
            "settings": {key: _common([one[key] for one in settings]) for key in settings[0]},
            "members": [bundle.metadata["weights_sha256"] for bundle in bundles],
        },
        # All have the same training sequences, but may have been started from other models.
        [
            sketch
            for path, bundle in zip(models, bundles, strict=True)
            for sketch in read_sketches(path, bundle.metadata, output.name)
        ],
    )
    return output / MODEL_FOLDER


def _calibrated(
    raw: Bundle,
    records: Sequence[Record],
    transitions: Transitions | None,
    threads: int | None,
    *,
    offsets: bool,
) -> tuple[dict[str, Calibration], dict[str, float], Known]:
    # The calibration of each target, what remains of its error, and what the main target is scored
    # by: probabilities or values, and what was observed.
    predictions = validation_predictions(raw, records, threads)
    answers = validation_answers(raw, predictions)
    calibrations, remaining = calibrated_targets(raw, answers, offsets=offsets)
    main = raw.targets[0]
    predicted, observed = answers[main.name]
    found = predicted if main.scheme is None else np.exp(predicted)
    if raw.scheme.graph is not None and transitions is not None:
        labels = label_answers(predictions)
        if transitions.learned:
            # Training scores its network with them too.
            trained = Calibration(transitions=replace(transitions, strength=1.0))
            found, observed = answers_with_grammar(trained, labels, raw.scheme)
        calibrations[main.name], remaining["valid_ece"] = with_transitions(
            calibrations[main.name], labels, raw.scheme, transitions
        )
    return calibrations, remaining, (found, observed)


def _tell_if_worse(mean: float, scores: Sequence[float]) -> None:
    # Networks that did not start alike have their units in different orders, and the mean of such
    # knows nothing.
    if mean < min(scores):
        logger.warning(
            "warning: the mean of the weights has a validation score of %.4f, and the models have "
            "%.4f to %.4f: average weights only of models that were trained from one model "
            "(--from), or train the mean further",
            mean,
            min(scores),
            max(scores),
        )


def _mean_transitions(bundles: Sequence[Bundle]) -> Transitions | None:
    found = [bundle.calibration().transitions for bundle in bundles]
    known = [transitions for transitions in found if transitions is not None]
    if len(known) < len(found):
        return None
    scores = np.mean([transitions.scores for transitions in known], axis=0).round(6).tolist()
    return replace(known[0], scores=tuple(map(tuple, scores)))


def _require_alike(
    models: Sequence[Path], bundles: Sequence[Bundle], dataset: Path, header: DatasetHeader
) -> None:
    digest = sha256_of_file(dataset)
    for path, bundle in zip(models, bundles, strict=True):
        if bundle.members > 1:
            raise GrubioError("is an ensemble already", path=path)
        if (bundle.alphabet, bundle.scheme) != (header.alphabet, header.scheme):
            raise GrubioError(f"has other residues or labels than {dataset}", path=path)
        if bundle.metadata["training"]["dataset_sha256"] != digest:
            raise GrubioError(f"was not trained on {dataset}", path=path)
        targets = [[replace(t, weight=1.0) for t in one.targets] for one in (bundle, bundles[0])]
        if targets[0] != targets[1]:
            raise GrubioError(f"has other targets than {models[0]}", path=path)


def _common(values: Sequence[Any]) -> Any:
    # The value that all members share, or a list of theirs.
    return values[0] if all(value == values[0] for value in values) else ", ".join(map(str, values))
