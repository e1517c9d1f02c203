"""Scores of predicted values, with intervals over chains and beside two baselines.

The baselines are the mean of the training values, and a ridge regression on a window of residues.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from grubio.config import EvaluationSettings, Metric
from grubio.config.model import VALUE_METRICS
from grubio.datasets.audit import NEAREST_COLUMNS, AuditRow
from grubio.errors import GrubioError
from grubio.evaluation.bands import by_identity, by_length
from grubio.evaluation.baselines import WindowRidge
from grubio.evaluation.overall import tables_of_no_classes
from grubio.files import table_text
from grubio.inference.predictor import Prediction
from grubio.metrics.bootstrap import (
    Estimate,
    Floats,
    Score,
    bootstrap_weights,
    estimated,
    mean_over_chains,
    ratio,
    scores_of,
    share,
)
from grubio.metrics.values import NORMAL_95, pearson, spearman, spearman_estimate
from grubio.model.bundle import Bundle
from grubio.runs.files import CHAINS_FILE, DEVIATIONS_FILE
from grubio.runs.metrics import Counts, Headline, Metrics
from grubio.sequences.record import Record
from grubio.sequences.target import Target

MEAN, WINDOW_RIDGE = "mean", "window_ridge"
"""Names of the baselines."""

_LEAST_OF_CHAIN = 10
_DEVIATION_BINS = 15


@dataclass(frozen=True)
class ValueScores:
    """Scores of one set of predictions, from what is known and predicted of each chain.

    Attributes
    ----------
    observed, predicted
        Values of each chain, float ``(residue,)``; NaN where the value is not known.
    """

    observed: Sequence[npt.NDArray[np.floating]]
    predicted: Sequence[npt.NDArray[np.floating]]

    @cached_property
    def _pairs(self) -> list[tuple[Floats, Floats]]:
        found = []
        for observed, predicted in zip(self.observed, self.predicted, strict=True):
            known = np.isfinite(observed)
            found.append((observed[known].astype(np.float64), predicted[known].astype(np.float64)))
        return found

    @cached_property
    def _sums(self) -> Floats:
        # Of each chain: number, sums, squares, product, absolute and squared differences, (8,).
        rows = [
            [len(x), x.sum(), y.sum(), x @ x, y @ y, x @ y, np.abs(x - y).sum(), (x - y) @ (x - y)]
            for x, y in self._pairs
        ]
        return np.array(rows, dtype=np.float64)

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """Known values of each chain, int64 ``(chain,)``."""
        return self._sums[:, 0].astype(np.int64)

    def estimate(
        self, metric: str, weights: Floats, chosen: Sequence[int] | None = None
    ) -> Estimate:
        """Return a score over the residues of all or of chosen chains, with its replicates.

        ``metric`` is ``spearman``, ``pearson``, ``mean_absolute_error`` or ``rmse``.
        """
        chains = np.arange(len(self._pairs)) if chosen is None else np.array(chosen)
        if metric != "spearman":
            return estimated(_OF_SUMS[metric], self._sums[chains], weights[:, chains])
        pairs = [self._pairs[at] for at in chains]
        observed, predicted = (np.concatenate(one) for one in zip(*pairs, strict=True))
        place = np.repeat(np.arange(len(chains)), [len(one) for one, _ in pairs])
        return spearman_estimate(observed, predicted, place, weights[:, chains])

    @cached_property
    def of_chains(self) -> dict[str, Floats]:
        """Scores of each chain, ``(chain,)``; correlations of few values are NaN."""
        enough = [len(x) >= _LEAST_OF_CHAIN for x, _ in self._pairs]
        measures = {"spearman": spearman, "pearson": pearson}
        found = {
            name: np.array(
                [
                    measure(*pair) if many else np.nan
                    for pair, many in zip(self._pairs, enough, strict=True)
                ]
            )
            for name, measure in measures.items()
        }
        return found | {"mean_absolute_error": _error(self._sums)}

    def overall(self, weights: Floats) -> dict[str, Estimate]:
        """Return the scores over all residues."""
        metrics = ("spearman", *_OF_SUMS)
        return {metric: self.estimate(metric, weights) for metric in metrics}

    def chain_means(self, weights: Floats) -> dict[str, Score]:
        """Return the means of the scores of chains; every chain counts the same."""
        kept = ("spearman", "mean_absolute_error")
        return {
            f"{name}_chain_mean": mean_over_chains(self.of_chains[name], weights) for name in kept
        }


def _correlation(sums: Floats) -> Floats:
    n, x, y, xx, yy, xy, *_ = np.moveaxis(sums, -1, 0)
    # What rounding leaves of a variable that does not vary is no variation.
    own, other = n * xx - x * x, n * yy - y * y
    varies = (own > 1e-9 * n * xx) & (other > 1e-9 * n * yy)
    return ratio(n * xy - x * y, np.where(varies, np.sqrt(np.maximum(own * other, 0)), 0))


def _error(sums: Floats) -> Floats:
    return ratio(sums[..., 6], sums[..., 0])


def _root_mean_square(sums: Floats) -> Floats:
    return np.sqrt(ratio(sums[..., 7], sums[..., 0]))


_OF_SUMS = {
    "pearson": _correlation,
    "mean_absolute_error": _error,
    "rmse": _root_mean_square,
}


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

    def coverage(self, factor: float = 1.0) -> Score:
        """Return the share of values inside their 95 % interval, deviations times a factor."""
        inside = [(np.abs(z) <= NORMAL_95 * factor).sum() for z in self.standardised or ()]
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


def score_values(
    records: Sequence[Record],
    predictions: Sequence[Prediction],
    train: Sequence[Record],
    bundle: Bundle,
    settings: EvaluationSettings,
    audit: Mapping[str, AuditRow],
    *,
    headline: Metric | None = None,
    units: Sequence[int] | None = None,
) -> tuple[Metrics, dict[str, str], int]:
    """Return the metrics of a model whose main target is a value, tables, and training residues.

    Parameters
    ----------
    records, predictions
        Labelled records, and what is predicted for them.
    train
        Training records, for the baselines.
    bundle, settings, units
        As for :func:`scored_target`.
    audit
        Nearest training record of each record by id, or empty.
    headline
        The score that comes first, ``spearman`` by default.

    Returns
    -------
    tuple
        The metrics, the text of tables by file name, and the residues that the baselines were
        fitted to.

    Raises
    ------
    GrubioError
        If no residue can be scored.
    """
    target = bundle.targets[0]
    predicted = [one.additional[target] for one in predictions]
    scored = scored_target(target, records, predicted, train, bundle, settings, units)
    if scored is None:
        raise GrubioError(f"no residue of the split has a known value of {target.name}")
    model, weights = scored.model, scored.weights
    first = headline if headline in VALUE_METRICS else VALUE_METRICS[0]
    overall = model.overall(weights)
    lengths = [len(records[at]) for at in scored.places]
    identities = [audit[records[at].id].identity for at in scored.places] if audit else []

    def of_chains(chosen: Sequence[int]) -> Score:
        return model.estimate(first, weights, chosen).score

    metrics = Metrics(
        headline=Headline(key=first, name=target.name),
        baselines={
            name: scores_of(one.overall(weights)) | one.chain_means(weights)
            for name, one in scored.baselines.items()
        },
        by_length=by_length(first, of_chains, lengths) if units is None else [],
        by_identity=by_identity(first, of_chains, lengths, identities) if audit else [],
        counts=Counts(
            chains=len(records),
            scored_chains=len(scored.places),
            residues=sum(map(len, records)),
            scored_residues=int(model.counts.sum()),
        ),
    )
    metrics.add(scores_of(overall) | model.chain_means(weights))
    if scored.standardised is not None:
        factor = bundle.calibration(target).deviation
        before = scored.coverage(1 / factor)
        metrics.add({"coverage": scored.coverage(), "coverage_uncalibrated": before})
    for name, baseline in scored.baselines.items():
        gain = (overall[first] - baseline.estimate(first, weights)).score
        if gain.known:
            metrics.scores[f"gain_over_{name}"] = gain
    tables = {
        CHAINS_FILE: _chains_table(records, scored, audit),
        DEVIATIONS_FILE: _deviations_table(scored, predicted),
        **tables_of_no_classes(),
    }
    return metrics, tables, scored.training_residues


def _values(record: Record, target: Target) -> npt.NDArray[np.floating]:
    answer = record.answers.get(target.name)
    if isinstance(answer, np.ndarray):
        return answer
    return np.full(len(record), np.nan)


def _chains_table(
    records: Sequence[Record], scored: ScoredTarget, audit: Mapping[str, AuditRow]
) -> str:
    columns = scored.model.of_chains
    rows: list[list[object]] = []
    place_of = {at: place for place, at in enumerate(scored.places)}
    for at, record in enumerate(records):
        cells: list[object] = [0, *(None for _ in columns)]
        if (place := place_of.get(at)) is not None:
            values = (column[place] for column in columns.values())
            cells = [int(scored.model.counts[place]), *(_cell(value) for value in values)]
        found = audit.get(record.id)
        known = found is not None and found.identity is not None
        nearest = found.nearest_cells() if found and known else [None] * len(NEAREST_COLUMNS)
        rows.append([record.id, len(record), *cells, *nearest])
    return table_text(["id", "residues", "scored", *columns, *NEAREST_COLUMNS], rows)


def _cell(value: float) -> str | None:
    return f"{value:.4f}" if np.isfinite(value) else None


def _deviations_table(scored: ScoredTarget, predicted: Sequence[npt.NDArray[np.float32]]) -> str:
    # Residues in groups of equal number by predicted deviation: its root mean square, and that of
    # the errors. A header line alone if no deviations are predicted.
    names = ("deviation", "error", "count")
    if scored.standardised is None:
        return table_text(names, [])
    pairs = [
        np.column_stack((predicted[at][:, 1], observed - predicted[at][:, 0]))
        for at, observed in zip(scored.places, scored.model.observed, strict=True)
    ]
    together = np.concatenate(pairs).astype(np.float64)
    together = together[np.isfinite(together[:, 1])]
    ordered = together[np.argsort(together[:, 0], kind="stable")]
    rows = []
    for group in np.array_split(ordered, min(_DEVIATION_BINS, len(ordered))):
        deviation, error = np.sqrt((group**2).mean(axis=0))
        rows.append((f"{deviation:.6g}", f"{error:.6g}", len(group)))
    return table_text(names, rows)
