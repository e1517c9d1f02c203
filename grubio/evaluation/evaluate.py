"""Evaluation: a model and a labelled split in, scores with intervals and baselines out.

All shares, SOV among them, are fractions from 0 to 1. Intervals are 95 % percentile bootstrap
intervals over chains; for a genome over blocks, both strands together. Residues that are masked or
whose label is unknown are never scored.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from grubio import __version__
from grubio.config import Device, EvaluationSettings
from grubio.datasets.audit import AuditRow, read_audit
from grubio.datasets.parquet import read_header, read_records, require_splits
from grubio.errors import GrubioError
from grubio.evaluation.accessibility import accessibility_scores
from grubio.evaluation.baselines import WindowLogisticRegression, class_frequencies
from grubio.evaluation.genome.evaluate import add_genome_scores, block_of_records
from grubio.evaluation.scoring import (
    CalibrationScores,
    SchemeScores,
    accuracy_name,
    by_identity,
    by_length,
    calibration_table,
    confusion_table,
    gain,
)
from grubio.files import sha256_of_file, write_text_whole, written_whole
from grubio.inference.labelled_sequence import labelled
from grubio.inference.predictor import Predictor
from grubio.metrics import classification as metrics
from grubio.metrics.candidates import strands_of
from grubio.model.bundle import Bundle, load_bundle
from grubio.model.devices import use_threads
from grubio.progress import watched
from grubio.runs.files import (
    CALIBRATION_FILE,
    CHAINS_FILE,
    CONFUSION_FILE,
    METRICS_FILE,
    TEST_PREDICTIONS_FILE,
)
from grubio.sequences.record import Record
from grubio.sequences.scheme import UNKNOWN_LABEL, LabelScheme
from grubio.sequences.scored_classes import scored_classes
from grubio.writers.parquet import ParquetPredictions

Probabilities = npt.NDArray[np.float32]

ALL = "all"
"""The name of a split that is the whole dataset."""

logger = logging.getLogger(__name__)


def evaluate_model(
    model: Path,
    dataset: Path,
    output: Path,
    settings: EvaluationSettings,
    *,
    split: str = "test",
    audit: Path | None = None,
    device: Device = "auto",
    threads: int | None = None,
) -> dict[str, Any]:
    """Score a model on one split of a dataset; write the results and return the metrics.

    Writes ``metrics.json``, ``per_chain.tsv``, ``confusion.tsv``, ``calibration.tsv`` and
    ``test_predictions.parquet`` into ``output``. The split ``all`` is every record of the dataset;
    then, and where there are no training records, there are no baselines. For records of a genome,
    ``sites.tsv`` and ``site_curve.tsv`` are written besides; see
    :mod:`grubio.evaluation.genome.evaluate`.

    Raises
    ------
    GrubioError
        If the model, the dataset and the audit do not fit, or the split has nothing to score.
    """
    bundle = load_bundle(model)
    header = read_header(dataset)
    for what, ours, theirs in (
        ("alphabet", bundle.alphabet.name, header.alphabet.name),
        ("label scheme", _described(bundle.scheme), _described(header.scheme)),
    ):
        if ours != theirs:
            raise GrubioError(f"the dataset's {what} is {theirs}, the model's {ours}", path=dataset)
    chosen = None if split == ALL else split
    exposed = bundle.model.architecture.accessibility
    records = [_labelled(record) for record in read_records(dataset, chosen, targets=exposed)]
    require_splits(dataset, records, split)
    train = [] if split == ALL else list(read_records(dataset, "train"))
    placed = None if header.sites is None else strands_of(records, header.scheme)
    blocks = None if placed is None else block_of_records(placed)
    nearest = _audit_of(audit, records) if audit else {}
    # PyTorch has a limit of its own; this one is for NumPy, SciPy and scikit-learn.
    with threadpool_limits(use_threads(threads)):
        probabilities, accessibility = [], []
        with (
            written_whole(output / TEST_PREDICTIONS_FILE) as temporary,
            ParquetPredictions(temporary, bundle.scheme, observed=True) as table,
        ):
            for prediction in watched(Predictor(bundle, device, threads).predict, records):
                table.write(labelled(prediction, bundle.scheme), prediction.record)
                probabilities.append(prediction.probabilities)
                if prediction.accessibility is not None:
                    accessibility.append(prediction.accessibility)
        logger.info(
            "%d %s labelled; %s",
            len(records),
            "chains" if blocks is None else "strands of blocks",
            "fitting the baselines" if train else "no training records, so no baselines",
        )
        baselines: dict[str, list[Probabilities]] = {}
        fitted_to = 0
        if train and blocks is None:
            baselines, fitted_to = baseline_probabilities(train, records, bundle, settings)
        elif train:
            baselines = {"majority": constant_probabilities(train, records, bundle.scheme)}
        result = score_predictions(
            records, probabilities, baselines, bundle, settings, nearest, blocks
        )
        if placed is not None and header.sites is not None:
            valid = [] if split == ALL else list(read_records(dataset, "valid"))
            add_genome_scores(
                result, placed, probabilities, train, valid, bundle.scheme, header.sites, settings
            )
    if exposed and any(record.accessibility for record in records):
        weights = metrics.bootstrap_weights(len(records), settings.bootstrap, settings.seed)
        scores = accessibility_scores(records, accessibility, weights)
        result["accessibility"] = {name: score.as_dict() for name, score in scores.items()}
    content = result.pop("files")
    result["provenance"] = {
        "grubio_version": __version__,
        "weights_sha256": bundle.metadata["weights_sha256"],
        "dataset_sha256": sha256_of_file(dataset),
        "dataset_sources": dict(header.sources),
        "settings": settings.model_dump(),
        "split": split,
        "baseline_training_residues": fitted_to,
    }
    for name, text in content.items():
        write_text_whole(output / name, text)
    text = json.dumps(result, indent=2, sort_keys=True, allow_nan=False)
    write_text_whole(output / METRICS_FILE, text + "\n")
    return result


def baseline_probabilities(
    train: Sequence[Record], test: Sequence[Record], bundle: Bundle, settings: EvaluationSettings
) -> tuple[dict[str, list[Probabilities]], int]:
    """Fit the baselines; return their probabilities, and the residues that the window saw.

    Probabilities are ``(residue, class)`` of each test record, by the name of the baseline.

    Raises
    ------
    GrubioError
        If no training residue has a known label.
    """
    window = WindowLogisticRegression(
        bundle.alphabet, bundle.scheme, settings.baseline_window, settings.seed
    ).fit(train)
    return {
        "majority": constant_probabilities(train, test, bundle.scheme),
        "window_logistic": [window.probabilities(record.sequence) for record in test],
    }, window.training_residues


def constant_probabilities(
    train: Sequence[Record], test: Sequence[Record], scheme: LabelScheme
) -> list[Probabilities]:
    """Return the frequencies of the classes in training, ``(residue, class)`` of each record."""
    frequencies = class_frequencies(train, scheme)
    return [np.tile(frequencies, (len(record), 1)) for record in test]


def score_predictions(
    records: Sequence[Record],
    probabilities: Sequence[Probabilities],
    baselines: Mapping[str, Sequence[Probabilities]],
    bundle: Bundle,
    settings: EvaluationSettings,
    audit: Mapping[str, AuditRow],
    blocks: Sequence[int] | None = None,
) -> dict[str, Any]:
    """Return the content of ``metrics.json`` and, under ``files``, that of the tables.

    Parameters
    ----------
    records
        Labelled records.
    probabilities
        Calibrated probabilities ``(residue, class)`` of each record.
    baselines
        The same for each baseline.
    bundle
        The model; its scheme and temperature are used.
    settings
        Number of bootstrap samples and their seed.
    audit
        Nearest training record of each record by id, or empty.
    blocks
        For records of a genome, the index of the block of each: blocks are resampled then, and
        neither the overlap of segments nor bands of length are scored.

    Raises
    ------
    GrubioError
        If no residue can be scored.
    """
    scheme, headline = bundle.scheme, bundle.scheme.headline
    observed = [scored_classes(record, scheme) for record in records]
    usable = [i for i, classes in enumerate(observed) if (classes < scheme.size).any()]
    if not usable:
        raise GrubioError("no residue of the split has a known label")
    chosen = [observed[i] for i in usable]
    segments = blocks is None
    fine, coarse = _scores(chosen, [probabilities[i] for i in usable], scheme, segments=segments)
    calibration = CalibrationScores(bundle.temperature, bundle.offsets)
    for i in usable:
        calibration.add(observed[i], probabilities[i])
    units = usable if blocks is None else [blocks[i] for i in usable]
    places = np.unique(units, return_inverse=True)[1]
    drawn = metrics.bootstrap_weights(max(places) + 1, settings.bootstrap, settings.seed)
    weights = drawn[:, places]
    result: dict[str, Any] = _overall(fine, coarse, weights)
    result |= {name: value.as_dict() for name, value in calibration.errors(weights).items()}
    by_scheme = {coarse.scheme.name: coarse, fine.scheme.name: fine}
    result["classes"] = {name: scores.classes(weights) for name, scores in by_scheme.items()}
    result["baselines"] = {}
    for name, theirs in baselines.items():
        their_fine, their_coarse = _scores(
            chosen, [theirs[i] for i in usable], scheme, segments=segments
        )
        result["baselines"][name] = _overall(their_fine, their_coarse, weights)
        result[f"gain_over_{name}"] = gain(coarse, their_coarse, weights).as_dict()
    lengths = [len(records[i]) for i in usable]
    result["by_length"] = by_length(coarse, weights, lengths) if segments else []
    identities = [audit[records[i].id].identity for i in usable] if audit else []
    result["by_identity"] = by_identity(coarse, weights, lengths, identities) if audit else []
    result["counts"] = {
        "chains": len(records),
        "scored_chains": len(usable),
        "residues": sum(len(record) for record in records),
        "scored_residues": int(coarse.per_chain.sum()),
    }
    result["reduction"] = (
        f"{headline.name} from {scheme.name}: "
        + ", ".join(f"{a} to {b}" for a, b in scheme.reduction.items())
        if scheme is not headline
        else f"{scheme.name}, not reduced"
    )
    result["files"] = {
        CHAINS_FILE: _per_chain_table(records, usable, fine, coarse, audit),
        CONFUSION_FILE: confusion_table(by_scheme.values()),
        CALIBRATION_FILE: calibration_table(calibration),
    }
    return result


def _described(scheme: LabelScheme) -> str:
    return f"{scheme.name} ({scheme.letters})"


def _labelled(record: Record) -> Record:
    return record if record.labels else replace(record, labels=UNKNOWN_LABEL * len(record))


def _audit_of(audit: Path, records: Sequence[Record]) -> dict[str, AuditRow]:
    rows = read_audit(audit)
    for record in records:
        # A record without a row would look like one without a homolog.
        if record.id not in rows:
            raise GrubioError(
                "a record of the dataset is not in this audit",
                path=audit,
                record=record.id,
                hint="give the audit that was written with this dataset: grubio split --audit",
            )
    return rows


def _scores(
    observed: Sequence[npt.NDArray[np.uint8]],
    probabilities: Sequence[Probabilities],
    scheme: LabelScheme,
    *,
    segments: bool,
) -> tuple[SchemeScores, SchemeScores]:
    fine = SchemeScores(scheme, segments)
    headline = scheme.headline
    coarse = fine if headline is scheme else SchemeScores(headline, segments)
    matrix = scheme.reduction_matrix(headline)
    for classes, rows in zip(observed, probabilities, strict=True):
        fine.add(classes, rows)
        if coarse is not fine:
            coarse.add(scheme.reduced_classes(classes, headline), rows @ matrix)
    return fine, coarse


def _overall(
    fine: SchemeScores, coarse: SchemeScores, weights: metrics.Floats
) -> dict[str, dict[str, float | None]]:
    scores = coarse.overall(weights)
    scores[f"{accuracy_name(coarse.scheme)}_chain_mean"] = scores.pop("chain_mean")
    if fine is not coarse:
        theirs = fine.overall(weights)
        name = accuracy_name(fine.scheme)
        scores[name] = theirs[name]
        scores |= {f"{key}_{fine.scheme.name}": theirs[key] for key in ("sov", "mcc", "macro_f1")}
    if accuracy_name(coarse.scheme) == "accuracy":
        # Segment overlap is a measure of secondary structure.
        scores = {key: value for key, value in scores.items() if not key.startswith("sov")}
    return {key: value.as_dict() for key, value in scores.items()}


def _per_chain_table(
    records: Sequence[Record],
    usable: Sequence[int],
    fine: SchemeScores,
    coarse: SchemeScores,
    audit: Mapping[str, AuditRow],
) -> str:
    columns = {accuracy_name(coarse.scheme): coarse.accuracies()}
    columns[accuracy_name(fine.scheme)] = fine.accuracies()
    if coarse.segments:
        columns |= {"sov": np.array(coarse.sov), "sov_refine": np.array(coarse.refined)}
    scored = coarse.per_chain.sum(axis=(1, 2))
    row_of = {index: row for row, index in enumerate(usable)}
    lines = ["\t".join(["id", "residues", "scored", *columns, "nearest", "identity"])]
    for index, record in enumerate(records):
        row = row_of.get(index)
        found = audit.get(record.id)
        cells = [record.id, str(len(record)), str(0 if row is None else scored[row])]
        cells += ["" if row is None else f"{values[row]:.4f}" for values in columns.values()]
        cells += ["", ""]
        if found is not None and found.identity is not None:
            cells[-2:] = [found.nearest, f"{found.identity:.3f}"]
        lines.append("\t".join(cells))
    return "\n".join(lines) + "\n"
