"""Scores of a class over the bases of each strand, and their bootstrap intervals over blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from grubio.metrics import classification as metrics
from grubio.metrics.candidates import LabelledStrand
from grubio.metrics.classification import Floats, Metric


def base_average_precision(
    strands: Sequence[LabelledStrand],
    scores: Sequence[npt.NDArray[np.floating]],
    index: int,
    classes: int,
    weights: Floats,
    near: Sequence[npt.NDArray[np.bool_]] | None = None,
) -> Metric:
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
    return metrics.average_precision(
        np.concatenate(kept), np.concatenate(positive), np.concatenate(block), weights
    )


def dense_metrics(
    strands: Sequence[LabelledStrand],
    called: Sequence[npt.NDArray[np.bool_]],
    index: int,
    classes: int,
    weights: Floats,
) -> dict[str, Metric]:
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
    total = metrics.class_scores(counts.sum(axis=0))
    drawn = metrics.class_scores(metrics.resampled(weights, counts))
    names = {"mcc": "mcc", "sensitivity": "recall", "precision": "precision", "f1": "f1"}
    return {
        ours: metrics.metric(float(total[theirs][1]), drawn[theirs][..., 1])
        for ours, theirs in names.items()
    }


def dense_gain(
    strands: Sequence[LabelledStrand],
    ours: Sequence[npt.NDArray[np.bool_]],
    theirs: Sequence[npt.NDArray[np.bool_]],
    index: int,
    classes: int,
    weights: Floats,
) -> Metric:
    """Return our MCC of :func:`dense_metrics` less theirs, scored on the same samples."""
    counts = [
        _called_counts(strands, called, index, classes, weights.shape[1])
        for called in (ours, theirs)
    ]
    values = [metrics.class_scores(one.sum(axis=0))["mcc"][1] for one in counts]
    drawn = [metrics.class_scores(metrics.resampled(weights, one))["mcc"][..., 1] for one in counts]
    return metrics.metric(float(values[0] - values[1]), drawn[0] - drawn[1])


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
        counts[strand.block] += metrics.confusion_counts(
            observed, is_called[counted].astype(np.uint8), 2
        )
    return counts
