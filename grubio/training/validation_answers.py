"""Predictions of a fitted model for validation records, and its calibration on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from grubio.inference.predictor import Prediction, Predictor
from grubio.metrics.values import coverage_of
from grubio.model.bundle import Bundle, Calibration
from grubio.model.calibration import calibration_error, fit_offsets, fit_temperature
from grubio.sequences.record import Record, answered_record, scored_classes
from grubio.sequences.target import LABELS, Target

Floats = npt.NDArray[np.floating]
Classes = npt.NDArray[np.int64]
Known: TypeAlias = tuple[Floats, npt.NDArray[np.generic]]


class CalibratedTargets(NamedTuple):
    """The calibration of each target, and how far off the calibrated main target is.

    ``remaining`` is the calibration error of classes (``valid_ece``), the share of values inside
    their 95 % interval (``valid_coverage``), or empty.
    """

    calibrations: dict[str, Calibration]
    remaining: dict[str, float]


def validation_predictions(
    raw: Bundle, records: Iterable[Record], threads: int | None
) -> Iterable[Prediction]:
    """Return what an uncalibrated model predicts, without its grammar, for records with labels.

    They can be read once, unless the model has a grammar: its transitions are chosen on them too.
    """
    predictions = Predictor(raw, "cpu", threads, grammar=False).predict(records)
    return predictions if raw.scheme.graph is None else list(predictions)


def validation_answers(raw: Bundle, predictions: Iterable[Prediction]) -> dict[str, Known]:
    """Return what is predicted and known of the residues that count, by target.

    Of classes these are logits ``(residue, class)`` and observed classes, int64; of values the
    prediction ``(residue,)``, or with its deviation ``(residue, 2)``, and the known values, both in
    the user's unit. The predictions are :func:`validation_predictions` of ``raw``. Targets without
    an answer are left out.
    """
    found: dict[str, list[Known]] = {}
    for prediction in predictions:
        for target in raw.targets:
            predicted = (
                prediction.probabilities
                if target.name == LABELS
                else prediction.additional.get(target)
            )
            if predicted is not None and not target.shares:
                found.setdefault(target.name, []).append(
                    _known(target, prediction.record, predicted)
                )
    together = {
        name: (np.concatenate([one for one, _ in parts]), np.concatenate([two for _, two in parts]))
        for name, parts in found.items()
    }
    return {name: known for name, known in together.items() if len(known[0])}


def _known(target: Target, record: Record, predicted: npt.NDArray[np.float32]) -> Known:
    if target.scheme is None:
        values = record.answers.get(target.name, np.full(len(record), np.nan))
        values = np.asarray(values, dtype=np.float64)
        counted = np.isfinite(values)
        return predicted[counted].astype(np.float64), values[counted]
    known = record if target.name == LABELS else answered_record(record, target.name)
    observed = scored_classes(known, target.scheme)
    counted = observed < target.scheme.size
    # The logarithms of probabilities are logits of the same softmax.
    logits = np.log(np.maximum(predicted[counted], 1e-12))
    return logits, observed[counted].astype(np.int64)


def changes_frequencies(settings: Mapping[str, Any]) -> bool:
    """Return whether training with these settings changes how frequent the labels seem."""
    return bool(settings["background_ratio"] or settings["focal_gamma"])


def calibrated_targets(
    raw: Bundle, answers: Mapping[str, Known], *, offsets: bool
) -> CalibratedTargets:
    """Return the calibration of each target on :func:`validation_answers`.

    ``offsets`` tells whether training changed the frequencies of the labels
    (:func:`changes_frequencies`), which a temperature alone cannot correct.
    """
    calibrations: dict[str, Calibration] = {}
    remaining: dict[str, float] = {}
    for target in raw.targets:
        if target.name not in answers:
            continue
        predicted, observed = answers[target.name]
        main = target == raw.targets[0]
        if target.scheme is not None:
            calibration, error = calibrated(predicted, observed, offsets=offsets and main)
            left = {"valid_ece": error}
        elif target.spread:
            calibration, left = _calibrated_deviation(predicted, observed.astype(np.float64))
        else:
            continue
        calibrations[target.name] = calibration
        remaining |= left if main else {}
    return CalibratedTargets(calibrations, remaining)


def calibrated(
    logits: Floats, observed: npt.NDArray[np.generic], *, offsets: bool
) -> tuple[Calibration, float]:
    """Return the calibration of classes and the remaining calibration error.

    ``offsets`` is that of :func:`calibrated_targets`.
    """
    classes = observed.astype(np.int64)
    temperature, of_classes = fit_temperature(logits, classes), np.zeros(0)
    scaled = logits / temperature
    if offsets:
        temperature, of_classes = fit_offsets(logits, classes)
        scaled = logits / temperature + of_classes
    error = calibration_error(softmax(scaled, axis=1), classes)
    return Calibration(temperature, tuple(of_classes.tolist())), error


def _calibrated_deviation(
    predicted: Floats, observed: Floats
) -> tuple[Calibration, dict[str, float]]:
    # The factor with which the deviations make the known values most likely: standardised
    # residuals then have a mean square of 1 (Laves et al., MIDL 2020).
    residuals = (observed - predicted[:, 0]) / predicted[:, 1]
    factor = float(np.sqrt(np.mean(residuals**2))) or 1.0
    return Calibration(deviation=factor), {"valid_coverage": coverage_of(residuals / factor)}
