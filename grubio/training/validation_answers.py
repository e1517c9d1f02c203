"""Predictions of a fitted model for validation records, and its calibration on them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from grubio.inference.predictor import Predictor
from grubio.model.bundle import Bundle, Calibration
from grubio.model.calibration import calibration_error, fit_offsets, fit_temperature
from grubio.sequences.record import Record, scored_classes

Floats = npt.NDArray[np.floating]
Classes = npt.NDArray[np.int64]


def validation_answers(
    raw: Bundle, records: Iterable[Record], threads: int | None
) -> tuple[Floats, Classes]:
    """Return logits ``(residue, class)`` and observed classes of the residues that count.

    ``raw`` is an uncalibrated model.
    """
    logits, classes = [], []
    for prediction in Predictor(raw, "cpu", threads).predict(records):
        observed = scored_classes(prediction.record, raw.scheme)
        counted = observed < raw.scheme.size
        # The logarithms of probabilities are logits of the same softmax.
        logits.append(np.log(np.maximum(prediction.probabilities[counted], 1e-12)))
        classes.append(observed[counted].astype(np.int64))
    return np.concatenate(logits), np.concatenate(classes)


def calibrated(logits: Floats, observed: Classes, *, offsets: bool) -> tuple[Calibration, float]:
    """Return the calibration and the remaining calibration error.

    ``offsets`` tells whether training changed the class frequencies or their weights, which a
    temperature alone cannot correct.
    """
    temperature, of_classes = fit_temperature(logits, observed), np.zeros(0)
    scaled = logits / temperature
    if offsets:
        temperature, of_classes = fit_offsets(logits, observed)
        scaled = logits / temperature + of_classes
    error = calibration_error(softmax(scaled, axis=1), observed)
    return Calibration(temperature, tuple(of_classes.tolist())), error
