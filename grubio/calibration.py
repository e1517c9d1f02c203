"""Calibration: probabilities that mean what they say.

Temperature scaling and the expected calibration error follow Guo et al., ICML 2017.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

BINS = 15
"""Number of equal bins of confidence."""

Floats = npt.NDArray[np.floating]


def fit_temperature(logits: Floats, classes: npt.NDArray[np.integer]) -> float:
    """Return the temperature that makes the mean negative log-likelihood smallest.

    Parameters
    ----------
    logits
        Scores before the softmax, ``(residue, class)``.
    classes
        Class of each residue, ``(residue,)``; residues whose class has no column in ``logits``
        do not count. Where none counts the temperature is 1.
    """
    counted = (classes >= 0) & (classes < logits.shape[1])
    if not counted.any():
        return 1.0
    logits, classes = logits[counted], classes[counted]
    rows = np.arange(len(classes))

    def loss(log_temperature: float) -> float:
        scores = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -float(scores[rows, classes].mean(dtype=np.float64))

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def calibration(logits: Floats, classes: npt.NDArray[np.integer]) -> tuple[float, float]:
    """Return the temperature of :func:`fit_temperature` and the calibration error that it leaves.

    Parameters are the same; every class must have a column.
    """
    temperature = fit_temperature(logits, classes)
    confidences = np.exp(log_softmax(logits / temperature, axis=1))
    right = confidences.argmax(axis=1) == classes
    error = expected_calibration_error(reliability(confidences.max(axis=1), right))
    return temperature, float(error)


def at_temperature(probabilities: Floats, temperature: float) -> Floats:
    """Return probabilities ``(residue, class)`` as a softmax at another temperature gives them."""
    tiny = np.finfo(np.float32).tiny
    logits = np.log(np.maximum(probabilities, tiny)) / temperature
    return np.asarray(np.exp(log_softmax(logits, axis=1)))


def reliability(confidence: Floats, correct: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return, per bin of confidence, the number, the summed confidence and the number right.

    Parameters
    ----------
    confidence
        Probability of the predicted class, ``(residue,)``.
    correct
        Whether the prediction is right, ``(residue,)``.

    Returns
    -------
    numpy.ndarray
        float64 ``(bin, 3)``.
    """
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return np.stack(
        [
            np.bincount(place, minlength=BINS).astype(float),
            np.bincount(place, weights=confidence, minlength=BINS),
            np.bincount(place, weights=correct, minlength=BINS),
        ],
        axis=1,
    )


def expected_calibration_error(sums: Floats) -> npt.NDArray[np.float64]:
    """Return the mean distance of confidence and accuracy, weighted by residues.

    Parameters
    ----------
    sums
        What :func:`reliability` returns, ``(..., bin, 3)``, possibly summed over chains.
    """
    total = sums[..., 0].sum(axis=-1)
    distance = np.abs(sums[..., 1] - sums[..., 2]).sum(axis=-1)
    return np.asarray(distance / np.maximum(total, 1), dtype=np.float64)
