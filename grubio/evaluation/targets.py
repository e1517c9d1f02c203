"""Scores of additional targets, each over the residues whose answer is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from grubio.config import EvaluationSettings
from grubio.evaluation.overall import class_scores
from grubio.inference.predictor import Additional
from grubio.metrics.bootstrap import Floats, Score, bootstrap_weights, estimated, ratio
from grubio.sequences.record import Record
from grubio.sequences.target import Target

Values = npt.NDArray[np.float32]


def additional_scores(
    records: Sequence[Record],
    predicted: Sequence[Additional],
    known: Sequence[Target],
    settings: EvaluationSettings,
) -> dict[str, dict[str, Score]]:
    """Return the scores of additional targets, by name.

    Parameters
    ----------
    records
        Records with their answers.
    predicted
        Predictions of the model for each record.
    known
        Additional targets of the dataset. A target that the dataset lacks, or has with other
        classes or another range, is not scored.
    settings
        Number of bootstrap samples and their seed.
    """
    scores = {}
    theirs = {target.name: target for target in known}
    for target in predicted[0]:
        answers: list[Any] = [record.answers.get(target.name) for record in records]
        there = [place for place, answer in enumerate(answers) if answer is not None]
        if not there or not target.is_like(theirs[target.name]):
            continue
        found = [predicted[place][target] for place in there]
        if target.scheme is None:
            weights = bootstrap_weights(len(there), settings.bootstrap, settings.seed)
            scores[target.name] = value_scores([answers[i] for i in there], found, weights)
        elif not target.shares:
            chains = [replace(records[i], labels=answers[i], mask=None) for i in there]
            scores[target.name] = class_scores(chains, found, target.scheme, settings)
    return scores


def value_scores(
    observed: Sequence[Values | None], predicted: Sequence[Values], weights: Floats
) -> dict[str, Score]:
    """Return Pearson's correlation and the mean absolute error, over residues.

    Parameters
    ----------
    observed
        Values of each chain, ``(residue,)``; NaN does not count, nor does a chain without values.
    predicted
        Predicted values of each chain, ``(residue,)``.
    weights
        How often each chain is drawn, ``(replicate, chain)``.
    """
    sums = np.stack([_sums(o, p) for o, p in zip(observed, predicted, strict=True)])
    return {
        "pearson": estimated(_correlation, sums, weights).score,
        "mean_absolute_error": estimated(_error, sums, weights).score,
    }


def _sums(observed: Values | None, predicted: Values) -> Floats:
    # Number, sums, squares, product and absolute differences of the known values: (7,).
    if observed is None:
        return np.zeros(7)
    known = np.isfinite(observed)
    x, y = observed[known].astype(np.float64), predicted[known].astype(np.float64)
    return np.array(
        [len(x), x.sum(), y.sum(), x @ x, y @ y, x @ y, np.abs(x - y).sum()], dtype=np.float64
    )


def _correlation(sums: Floats) -> Floats:
    n, x, y, xx, yy, xy, _ = np.moveaxis(sums, -1, 0)
    spread = np.sqrt(np.maximum((n * xx - x * x) * (n * yy - y * y), 0))
    return ratio(n * xy - x * y, spread)


def _error(sums: Floats) -> Floats:
    return ratio(sums[..., 6], sums[..., 0])
