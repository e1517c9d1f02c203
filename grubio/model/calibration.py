"""Calibration: temperature scaling and the calibration error, after Guo et al., ICML 2017."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from grubio.model.outputs import Floats, log_softmax

BINS = 15
"""Number of bins of confidence, all of equal width."""


def fit_temperature(logits: Floats, classes: npt.NDArray[np.integer]) -> float:
    """Return the temperature that minimises the mean negative log-likelihood.

    Parameters
    ----------
    logits
        Scores before the softmax, ``(residue, class)``.
    classes
        Class of each residue, ``(residue,)``; residues whose class has no column in ``logits``
        do not count. If none counts, the temperature is 1.
    """
    from scipy.optimize import minimize_scalar

    counted = (classes >= 0) & (classes < logits.shape[1])
    if not counted.any():
        return 1.0
    logits, classes = logits[counted], classes[counted]
    rows = np.arange(len(classes))

    def loss(log_temperature: float) -> float:
        scores = log_softmax(logits / np.exp(log_temperature))
        return -float(scores[rows, classes].mean(dtype=np.float64))

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def fit_offsets(
    logits: Floats, classes: npt.NDArray[np.integer]
) -> tuple[float, npt.NDArray[np.float64]]:
    """Return the temperature and the offsets of the classes that fit best together.

    Probabilities are the softmax of ``logits / temperature + offsets``: the vector scaling of Guo
    et al. with one scale for all classes. The offsets correct a model that was trained on windows
    where a class is more common than in the data.

    Parameters
    ----------
    logits
        Scores before the softmax, ``(residue, class)``, on data with the true frequencies.
    classes
        Class of each residue, ``(residue,)``; each must have a column.

    Returns
    -------
    tuple
        Temperature, and float64 ``(class,)`` with mean 0.
    """
    from scipy.optimize import minimize

    rows = np.arange(len(classes))
    observed = np.bincount(classes, minlength=logits.shape[1]) / len(classes)

    def loss(values: Floats) -> tuple[float, Floats]:
        scale = np.exp(values[0])
        scores = log_softmax(logits * scale + values[1:])
        probabilities = np.exp(scores)
        by_offset = probabilities.mean(axis=0) - observed
        right = logits[rows, classes]
        by_scale = scale * ((probabilities * logits).sum(axis=1) - right).mean()
        # A small penalty keeps the offset of a class that never occurs finite.
        penalty = 1e-6 * values[1:]
        total = -scores[rows, classes].mean() + (penalty * values[1:]).sum() / 2
        return float(total), np.concatenate(([by_scale], by_offset + penalty))

    start = np.zeros(1 + logits.shape[1])
    bounds = [(-3.0, 3.0)] + [(-20.0, 20.0)] * logits.shape[1]
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-12}
    ).x
    return float(np.exp(-found[0])), np.asarray(found[1:] - found[1:].mean())


def calibration_error(probabilities: Floats, classes: npt.NDArray[np.integer]) -> float:
    """Return the expected calibration error of probabilities ``(residue, class)``."""
    right = probabilities.argmax(axis=1) == classes
    return float(expected_calibration_error(reliability(probabilities.max(axis=1), right)))


def at_temperature(probabilities: Floats, temperature: float) -> Floats:
    """Return probabilities ``(residue, class)`` rescaled to a temperature."""
    tiny = np.finfo(np.float32).tiny
    logits = np.log(np.maximum(probabilities, tiny)) / temperature
    return np.asarray(np.exp(log_softmax(logits)))


def reliability(confidence: Floats, correct: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return, per bin of confidence, the counts, the sums of confidence and the correct counts.

    Parameters
    ----------
    confidence
        Probability of the predicted class, ``(residue,)``.
    correct
        Whether the predicted class is the observed one, ``(residue,)``.

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
    """Return the mean difference between confidence and accuracy, weighted by residues.

    Parameters
    ----------
    sums
        The result of :func:`reliability`, ``(..., bin, 3)``, possibly summed over chains.
    """
    total = sums[..., 0].sum(axis=-1)
    distance = np.abs(sums[..., 1] - sums[..., 2]).sum(axis=-1)
    return np.asarray(distance / np.maximum(total, 1), dtype=np.float64)
