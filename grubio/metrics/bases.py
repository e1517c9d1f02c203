"""Scores of a class over the bases of each strand, with bootstrap intervals over blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from grubio.metrics.bootstrap import Estimate, Floats, Score, estimated
from grubio.metrics.candidates import LabelledStrand
from grubio.metrics.classification import average_precision, class_scores, confusion_counts


def base_average_precision(
    strands: Sequence[LabelledStrand],
    scores: Sequence[npt.NDArray[np.floating]],
    index: int,
    classes: int,
    weights: Floats,
    near: Sequence[npt.NDArray[np.bool_]] | None = None,
) -> Score:
    """Return the average precision over the scored bases of all strands.

    Parameters
    ----------
    strands
        What was scanned.
    scores
        Score of each base, ``(base,)``, for each strand.
    index, classes
        The class, and the number of classes.
    weights
        How often each block is drawn, ``(replicate, block)``.
    near
        Bases that count, ``(base,)``, for each strand; all by default.
    """
    observed = np.concatenate([strand.classes for strand in strands])
    counted = observed < classes
    if near is not None:
        counted &= np.concatenate(near)
    block = np.repeat([s.block for s in strands], [len(s.classes) for s in strands])
    kept = np.concatenate(scores)[counted]
    return average_precision(kept, observed[counted] == index, block[counted], weights).score


def dense_metrics(
    strands: Sequence[LabelledStrand],
    called: Sequence[npt.NDArray[np.bool_]],
    index: int,
    classes: int,
    weights: Floats,
) -> dict[str, Estimate]:
    """Return MCC, sensitivity, precision and F1 of a class over the bases of each strand.

    Parameters
    ----------
    strands
        What was labelled.
    called
        Whether each base was given the class, bool ``(base,)``, for each strand.
    index, classes
        The class, and the number of classes.
    weights
        How often each block is drawn, ``(replicate, block)``.
    """
    counts = np.zeros((weights.shape[1], 2, 2))
    for strand, is_called in zip(strands, called, strict=True):
        counted = strand.classes < classes
        observed = (strand.classes[counted] == index).astype(np.uint8)
        counts[strand.block] += confusion_counts(observed, is_called[counted].astype(np.uint8), 2)
    names = {"mcc": "mcc", "sensitivity": "recall", "precision": "precision", "f1": "f1"}

    def score(name: str) -> Estimate:
        return estimated(lambda sums: class_scores(sums)[name][..., 1], counts, weights)

    return {ours: score(theirs) for ours, theirs in names.items()}
