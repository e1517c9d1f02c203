"""Evaluation: a model and a labelled split in, scores with intervals and baselines out.

All shares, SOV among them, are fractions from 0 to 1. Intervals are 95 % percentile bootstrap
intervals over chains, or over blocks of a genome, both strands together. Residues that are masked
or have no label are never scored.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import tee
from pathlib import Path
from typing import Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from grubio import __version__
from grubio.config import Device, EvaluationSettings, Metric
from grubio.datasets.audit import AuditRow, read_audit
from grubio.datasets.parquet import DatasetHeader, read_header, read_records, require_splits
from grubio.errors import GrubioError
from grubio.evaluation.baselines import class_frequencies
from grubio.evaluation.genome.evaluate import GenomeEvaluation
from grubio.evaluation.overall import Probabilities, score_predictions
from grubio.evaluation.sequences import SequenceEvaluation
from grubio.evaluation.targets import additional_scores
from grubio.evaluation.values import score_values
from grubio.files import sha256_of_file, write_text_whole, written_whole
from grubio.inference.labelled_sequence import all_labelled
from grubio.inference.predictor import Prediction, Predictor
from grubio.model.bundle import Bundle, load_bundle
from grubio.model.devices import use_threads
from grubio.model.training_sketch import read_sketches
from grubio.overwriting import keeps_inputs
from grubio.progress import watched
from grubio.runs.files import SPEED_FILE, TEST_PREDICTIONS_FILE
from grubio.runs.metrics import Metrics, TrainingOverlap
from grubio.sequences.record import Record
from grubio.sequences.scheme import UNKNOWN_LABEL
from grubio.text import plural
from grubio.writers.parquet import ParquetPredictions

ALL = "all"
"""The name of a split that is the whole dataset."""

logger = logging.getLogger(__name__)


class Evaluation(Protocol):
    """What the evaluation of one kind of dataset adds to the scores of all of them.

    Attributes
    ----------
    blocks
        Index of the block of each record if blocks are resampled; None if records are.
    baseline_residues
        Number of residues that the baselines were fitted to.
    """

    blocks: Sequence[int] | None
    baseline_residues: int

    @property
    def headline(self) -> Metric | None:
        """The score that comes first, or None to choose it by the classes."""

    def baselines(self, train: Sequence[Record]) -> dict[str, list[Probabilities]]:
        """Fit baselines, and return their probabilities ``(residue, class)`` of each record."""

    def add_scores(
        self,
        metrics: Metrics,
        probabilities: Sequence[Probabilities],
        train: Sequence[Record],
        valid: Sequence[Record],
    ) -> dict[str, str]:
        """Add the scores of this kind of dataset; return the text of its tables by file name."""


@keeps_inputs("model", "dataset", "audit")
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
) -> Metrics:
    """Score a model on one split of a dataset; write the results and return the metrics.

    Writes ``metrics.json``, ``per_chain.tsv``, ``confusion.tsv``, ``calibration.tsv``, the reports
    of scikit-learn and ``test_predictions.parquet`` into ``output``, for a genome also
    ``sites.tsv`` and ``site_curve.tsv``. The split ``all`` is every record of the dataset; it has
    no baselines, nor has a dataset without training records.

    Raises
    ------
    GrubioError
        If the model, the dataset and the audit do not fit, or the split has nothing to score.
    """
    bundle, header = load_bundle(model), read_header(dataset)
    require_fit(bundle, header, dataset)
    test, train, valid = records_of(dataset, split, bundle)
    nearest = audit_of(audit, test) if audit else {}
    # PyTorch has a limit of its own; this one is for NumPy, SciPy and scikit-learn.
    with threadpool_limits(use_threads(threads)):
        predicted = _predicted(bundle, test, output / TEST_PREDICTIONS_FILE, device, threads)
        then = "fitting the baselines" if train else "no training records, so no baselines"
        logger.info("%s labelled; %s", plural(len(test), "record"), then)
        units = blocks_of(header, test)
        if bundle.labels is None:
            score = bundle.metadata["training"].get("score")
            metrics, tables, fitted = score_values(
                test, predicted, train, bundle, settings, nearest, headline=score, units=units
            )
        else:
            evaluation = evaluation_of(header, bundle, test, settings)
            metrics, tables = _scored_classes(
                evaluation, bundle, test, predicted, train, valid, settings, nearest
            )
            fitted = evaluation.baseline_residues
        answers = [one.additional for one in predicted]
        additional = additional_scores(
            test, answers, header.targets, train, bundle, settings, units=units
        )
    if additional:
        metrics.targets = additional
    if unlike := bundle.unlike_training([record.sequence for record in test]):
        logger.warning("the tested sequences are unlike those of the training: %s", unlike)
        metrics.unlike_training = unlike
    metrics.training_overlap = _training_overlap(model, bundle, test)
    metrics.provenance = {
        "grubio_version": __version__,
        "weights_sha256": bundle.metadata["weights_sha256"],
        "dataset_sha256": sha256_of_file(dataset),
        "dataset_sources": dict(header.sources),
        "settings": settings.model_dump(),
        "split": split,
        "baseline_training_residues": fitted,
    }
    for name, text in tables.items():
        write_text_whole(output / name, text)
    metrics.write(output)
    return metrics


def blocks_of(header: DatasetHeader, records: Sequence[Record]) -> list[int] | None:
    """Return the index of the block of each record, both strands one; None without a genome."""
    if header.kind != "genome":
        return None
    return [int(at) for at in np.unique([r.group or r.id for r in records], return_inverse=True)[1]]


def _scored_classes(
    evaluation: Evaluation,
    bundle: Bundle,
    test: Sequence[Record],
    predicted: Sequence[Prediction],
    train: Sequence[Record],
    valid: Sequence[Record],
    settings: EvaluationSettings,
    nearest: Mapping[str, AuditRow],
) -> tuple[Metrics, dict[str, str]]:
    probabilities = [one.probabilities for one in predicted]
    baselines = baselines_of(evaluation, bundle, test, train)
    metrics, tables = score_predictions(
        test,
        probabilities,
        baselines,
        bundle,
        settings,
        nearest,
        blocks=evaluation.blocks,
        headline=evaluation.headline,
    )
    return metrics, tables | evaluation.add_scores(metrics, probabilities, train, valid)


def baselines_of(
    evaluation: Evaluation, bundle: Bundle, test: Sequence[Record], train: Sequence[Record]
) -> dict[str, list[Probabilities]]:
    """Return the probabilities of each baseline for each test record; none without training."""
    if not train:
        return {}
    frequencies = class_frequencies(train, bundle.scheme)
    majority = [np.tile(frequencies, (len(record), 1)) for record in test]
    return {"majority": majority, **evaluation.baselines(train)}


def _training_overlap(model: Path, bundle: Bundle, test: Sequence[Record]) -> list[TrainingOverlap]:
    tested = {record.id: record.sequence for record in test}
    found = []
    for sketch in read_sketches(model, bundle.metadata, bundle.name):
        overlap = sketch.overlap(tested, bundle.alphabet)
        if warning := overlap.warning("tested records"):
            logger.warning("warning: %s", warning)
        found.append(TrainingOverlap(**overlap.as_dict()))
    return found


def evaluation_of(
    header: DatasetHeader, bundle: Bundle, test: Sequence[Record], settings: EvaluationSettings
) -> Evaluation:
    """Return what the evaluation of this kind of dataset adds to the scores of all."""
    if header.kind == "genome":
        radii = {letter: site.radius for letter, site in (bundle.sites or {}).items()}
        return GenomeEvaluation(bundle.scheme, header.sites or {}, test, settings, radii)
    return SequenceEvaluation(bundle, test, settings)


def require_fit(bundle: Bundle, header: DatasetHeader, dataset: Path) -> None:
    """Raise GrubioError if a dataset has other residues, classes or values than a model."""
    for what, ours, theirs in (
        ("alphabet", bundle.alphabet.name, header.alphabet.name),
        ("label scheme", *(f"{s.name} ({s.letters})" for s in (bundle.scheme, header.scheme))),
    ):
        if ours != theirs:
            raise GrubioError(f"the dataset's {what} is {theirs}, the model's {ours}", path=dataset)
    if bundle.labels is None:
        main = bundle.targets[0]
        known = [target for target in header.targets if target.name == main.name]
        if not known or not main.is_like(known[0]):
            has = "has in another range" if known else "does not have"
            wanted = f"{main.low:g}..{main.high:g}" if main.bounded else "value"
            raise GrubioError(
                f"the model predicts values of {main.name}, which the dataset {has}",
                path=dataset,
                hint=f"prepare it with --target {main.name}={wanted}",
            )


def records_of(
    dataset: Path, split: str, bundle: Bundle
) -> tuple[list[Record], list[Record], list[Record]]:
    """Return the records to score, and those of training and validation for the baselines.

    Raises
    ------
    GrubioError
        If there is nothing to score.
    """
    test = list(
        read_records(
            dataset,
            None if split == ALL else split,
            targets=bool(bundle.additional),
            profiles=bundle.reads_profiles,
        )
    )
    if bundle.labels is not None:
        test = [r if r.labels else replace(r, labels=UNKNOWN_LABEL * len(r)) for r in test]
    require_splits(dataset, test, split)
    if split == ALL:
        return test, [], []
    of_values = any(target.kind == "value" for target in bundle.additional)
    train = list(read_records(dataset, "train", targets=of_values))
    return test, train, list(read_records(dataset, "valid"))


def audit_of(audit: Path, records: Sequence[Record]) -> Mapping[str, AuditRow]:
    """Return the rows of an audit by id.

    Raises
    ------
    GrubioError
        If a record has no row.
    """
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


def _predicted(
    bundle: Bundle, records: Sequence[Record], table: Path, device: Device, threads: int | None
) -> list[Prediction]:
    found = []
    with (
        written_whole(table) as temporary,
        ParquetPredictions(
            temporary,
            bundle.scheme,
            observed=True,
            additional=bundle.additional,
            model=bundle.described,
            depth=bundle.reads_profiles,
        ) as written,
    ):
        predictor, started = Predictor(bundle, device, threads), time.monotonic()
        predicted = watched(predictor.predict, records)
        ours, theirs = tee(predicted)
        for prediction, one in zip(ours, all_labelled(theirs, bundle.scheme), strict=True):
            written.write(one, prediction.record)
            found.append(prediction)
    speed = {
        "residues": sum(map(len, records)),
        "seconds": round(time.monotonic() - started, 3),
        "device": str(predictor.device),
        "threads": threads,
    }
    write_text_whole(table.with_name(SPEED_FILE), json.dumps(speed, indent=2) + "\n")
    return found
