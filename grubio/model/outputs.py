"""Outputs of a model for each residue, and how they become answers; all in numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from grubio.sequences.target import Target

Floats: TypeAlias = npt.NDArray[np.floating]
Outputs: TypeAlias = Mapping[str, npt.NDArray[np.float32]]
"""By name of target: the logits of classes, float32 ``(residue, class)``; a value as networks learn
it (:meth:`grubio.sequences.target.Target.scaled`), float32 ``(residue,)``; or that and the
logarithm of its standard deviation, float32 ``(residue, 2)``, if the target has one
(``spread``)."""

LARGEST_LOG_DEVIATION = 4.0
"""Predicted deviations lie between this power of e and its inverse, in deviations of training."""


def log_softmax(scores: Floats) -> Floats:
    """Return the logarithm of the softmax over the last axis."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def softmax(scores: Floats) -> Floats:
    """Return the softmax over the last axis."""
    found = np.exp(scores - scores.max(axis=-1, keepdims=True))
    found /= found.sum(axis=-1, keepdims=True)
    return np.asarray(found)


def output_of(target: Target, scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the output for a target, given the scores ``(residue, size)`` of its head."""
    if target.kind == "classes":
        return scores
    if target.spread:
        limited = LARGEST_LOG_DEVIATION * np.tanh(scores[:, 1] / LARGEST_LOG_DEVIATION)
        return np.asarray(np.column_stack((scores[:, 0], limited)), dtype=np.float32)
    if not target.bounded:
        return np.ascontiguousarray(scores[:, 0])
    half = np.float32(0.5)
    # The logistic function, without an overflow.
    return np.asarray(half * np.tanh(half * scores[:, 0]) + half)


def mean_outputs(targets: Sequence[Target], answers: Sequence[Outputs]) -> Outputs:
    """Return the mean over several outputs: of log-probabilities for classes, else of values.

    The deviation of a value is that of the mixture of the normal distributions.
    """
    if len(answers) == 1:
        return answers[0]
    means: dict[str, npt.NDArray[np.float32]] = {}
    for target in targets:
        parts = [answer[target.name] for answer in answers]
        if target.kind == "classes":
            parts = [np.asarray(log_softmax(logits), dtype=np.float32) for logits in parts]
        if target.spread:
            means[target.name] = _mixture(np.stack(parts))
        else:
            means[target.name] = np.asarray(np.mean(parts, axis=0, dtype=np.float32))
    return means


def _mixture(parts: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    # Of (member, residue, 2).
    value, log_deviation = parts[..., 0], parts[..., 1]
    mean = value.mean(axis=0)
    variance = (np.exp(2 * log_deviation) + (value - mean) ** 2).mean(axis=0)
    return np.asarray(np.column_stack((mean, np.log(variance) / 2)), dtype=np.float32)
