"""Scores of a class over the bases of each strand, and their bootstrap intervals over blocks."""

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
    kept, positive, block = [], [], []
    for number, strand in enumerate(strands):
        counted = strand.classes < classes
        if near is not None:
            counted = counted & near[number]
        kept.append(scores[number][counted])
        positive.append(strand.classes[counted] == index)
        block.append(np.full(int(counted.sum()), strand.block))
    return average_precision(
        np.concatenate(kept), np.concatenate(positive), np.concatenate(block), weights
    ).score


def dense_metrics(
    strands: Sequence[LabelledStrand],
    called: Sequence[npt.NDArray[np.bool_]],
    index: int,
    classes: int,
    weights: Floats,
) -> dict[str, Score]:
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
    counts = _called_counts(strands, called, index, classes, weights.shape[1])
    names = {"mcc": "mcc", "sensitivity": "recall", "precision": "precision", "f1": "f1"}
    return {ours: _of_called(counts, theirs, weights).score for ours, theirs in names.items()}


def dense_gain(
    strands: Sequence[LabelledStrand],
    ours: Sequence[npt.NDArray[np.bool_]],
    theirs: Sequence[npt.NDArray[np.bool_]],
    index: int,
    classes: int,
    weights: Floats,
) -> Score:
    """Return our MCC of :func:`dense_metrics` minus theirs, both on the same bootstrap samples."""
    mine, other = (
        _of_called(
            _called_counts(strands, called, index, classes, weights.shape[1]), "mcc", weights
        )
        for called in (ours, theirs)
    )
    return (mine - other).score


def _of_called(counts: Floats, name: str, weights: Floats) -> Estimate:
    return estimated(lambda sums: class_scores(sums)[name][..., 1], counts, weights)


def _called_counts(
    strands: Sequence[LabelledStrand],
    called: Sequence[npt.NDArray[np.bool_]],
    index: int,
    classes: int,
    blocks: int,
) -> Floats:
    # (block, observed, called)
    counts = np.zeros((blocks, 2, 2))
    for strand, is_called in zip(strands, called, strict=True):
        counted = strand.classes < classes
        observed = (strand.classes[counted] == index).astype(np.uint8)
        counts[strand.block] += confusion_counts(observed, is_called[counted].astype(np.uint8), 2)
    return counts
