"""A target of values scored: the model beside two baselines, with what is resampled.

The baselines are the mean of the training values, and a ridge regression on a window of residues.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grubio.config import EvaluationSettings
from grubio.config.model import VALUE_METRICS
from grubio.evaluation.baselines import WindowRidge
from grubio.metrics.bootstrap import Floats, Score, bootstrap_weights, scores_of, share
from grubio.metrics.value_scores import ValueScores
from grubio.metrics.values import NORMAL_95
from grubio.model.bundle import Bundle
from grubio.sequences.record import Record
from grubio.sequences.target import Target

MEAN, WINDOW_RIDGE = "mean", "window_ridge"
"""Names of the baselines."""


@dataclass(frozen=True)
class ScoredTarget:
    """A target of values on the records that have a known one.

    Attributes
    ----------
    target
        The target.
    places
        Indices of the records.
    model, baselines
        Scores of the model, and of each baseline.
    standardised
        Residuals of each record divided by the predicted deviations ``(residue,)``; None if the
        model predicts no deviations.
    weights
        How often each record is drawn, ``(replicate, record)``.
    training_residues
        Residues that the baselines were fitted to.
    """

    target: Target
    places: list[int]
    model: ValueScores
    baselines: Mapping[str, ValueScores]
    standardised: list[Floats] | None
    weights: Floats
    training_residues: int = 0

    def coverage(self, factors: npt.ArrayLike = 1.0) -> Score:
        """Return the share of values inside their 95 % interval, deviations times factors.

        There is one factor, or one for each record, ``(record,)``.
        """
        of_records = np.broadcast_to(factors, len(self.places))
        pairs = zip(self.standardised or (), of_records, strict=True)
        inside = [(np.abs(z) <= NORMAL_95 * factor).sum() for z, factor in pairs]
        return share(inside, self.model.counts, self.weights).score


def scored_target(
    target: Target,
    records: Sequence[Record],
    predicted: Sequence[npt.NDArray[np.float32]],
    train: Sequence[Record],
    bundle: Bundle,
    settings: EvaluationSettings,
    units: Sequence[int] | None = None,
) -> ScoredTarget | None:
    """Return the scores of a target of values; None if no value is known.

    Parameters
    ----------
    target
        The target of the model.
    records
        Records with their answers.
    predicted
        Predictions for each record; see :class:`grubio.inference.predictor.Prediction`.
    train
        Training records with their answers, for the baselines; may be empty.
    bundle
        The model.
    settings
        Number of bootstrap samples, their seed, and the window of the baseline.
    units
        What is resampled: the index of the unit of each record; by default each is its own.
    """
    answers = [_values(record, target) for record in records]
    places = [at for at, answer in enumerate(answers) if np.isfinite(answer).any()]
    if not places:
        return None
    observed = [answers[at] for at in places]
    chosen = [predicted[at] for at in places]
    found = [one[:, 0] if target.spread else one for one in chosen]
    baselines, residues = {}, 0
    known = [_values(record, target) for record in train]
    if any(np.isfinite(one).any() for one in known):
        mean = float(np.nanmean(np.concatenate(known)))
        ridge = WindowRidge(bundle.alphabet, settings.baseline_window, settings.seed)
        ridge.fit([record.sequence for record in train], known)
        residues = ridge.training_residues
        baselines = {
            MEAN: ValueScores(observed, [np.full(len(one), mean) for one in observed]),
            WINDOW_RIDGE: ValueScores(
                observed, [ridge.values(records[at].sequence) for at in places]
            ),
        }
    standardised = None
    if target.spread:
        pairs = zip(observed, chosen, strict=True)
        residuals = [(one - two[:, 0]) / two[:, 1] for one, two in pairs]
        standardised = [one[np.isfinite(one)].astype(np.float64) for one in residuals]
    drawn = np.unique([at if units is None else units[at] for at in places], return_inverse=True)[1]
    weights = bootstrap_weights(max(drawn) + 1, settings.bootstrap, settings.seed)[:, drawn]
    model = ValueScores(observed, found)
    return ScoredTarget(target, places, model, baselines, standardised, weights, residues)


def further_value_scores(scored: ScoredTarget) -> dict[str, Score]:
    """Return the scores of a target besides the main one; those of a baseline begin with its name.

    The gain is that of the rank correlation over the window baseline.
    """
    weights = scored.weights
    overall = scored.model.overall(weights)
    scores = scores_of(overall) | scored.model.chain_means(weights)
    for name, baseline in scored.baselines.items():
        theirs = baseline.overall(weights)
        scores |= {f"{name}_{key}": one.score for key, one in theirs.items() if one.score.known}
        if name == WINDOW_RIDGE:
            key = VALUE_METRICS[0]
            scores[f"gain_over_{name}"] = (overall[key] - theirs[key]).score
    if scored.standardised is not None:
        scores["coverage"] = scored.coverage()
    return scores


def _values(record: Record, target: Target) -> npt.NDArray[np.floating]:
    answer = record.answers.get(target.name)
    if isinstance(answer, np.ndarray):
        return answer
    return np.full(len(record), np.nan)
