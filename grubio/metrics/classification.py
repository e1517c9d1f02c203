"""Scores of predicted labels, and their bootstrap intervals over chains.

Everything that is a function of a confusion matrix is computed from counts per chain, so that a
bootstrap sample is a weighted sum of matrices. Definitions are those of scikit-learn
(``precision_recall_fscore_support``, ``matthews_corrcoef``), and tested equal to it. Where a
score is not defined, for a class that is absent, it is NaN, and ``None`` in a :class:`Metric`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LEVEL = 0.95
"""Share of bootstrap samples inside an interval."""

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_THRESHOLDS = 400


@dataclass(frozen=True)
class Metric:
    """A score and the bounds of its 95 % interval; None where it is not defined."""

    value: float | None
    low: float | None
    high: float | None

    def as_dict(self) -> dict[str, float | None]:
        """Return the three numbers, rounded to six decimals."""
        return {
            name: None if number is None else round(number, 6)
            for name, number in (("value", self.value), ("low", self.low), ("high", self.high))
        }


def bootstrap_weights(chains: int, replicates: int, seed: int) -> Floats:
    """Return how often each chain is drawn in each sample, float64 ``(replicate, chain)``."""
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(chains, np.full(chains, 1 / chains), size=replicates)
    return drawn.astype(np.float64)


def metric(value: float, replicates: Floats) -> Metric:
    """Return a value with the percentile interval of its replicates ``(replicate,)``."""
    defined = replicates[np.isfinite(replicates)]
    if not np.isfinite(value) or not len(defined):
        return Metric(None, None, None)
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    # A biased replicate distribution may miss its own estimate; an interval never does.
    return Metric(float(value), min(float(low), float(value)), max(float(high), float(value)))


def confusion_counts(
    observed: npt.NDArray[np.uint8], predicted: npt.NDArray[np.uint8], classes: int
) -> Counts:
    """Return the confusion matrix of one chain, int64 ``(observed class, predicted class)``.

    Residues whose observed class is not below ``classes`` do not count.
    """
    counted = observed < classes
    pairs = observed[counted].astype(np.int64) * classes + predicted[counted]
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def resampled(weights: Floats, per_chain: npt.NDArray[np.generic]) -> Floats:
    """Return sums over chains in every sample, ``(replicate, ...)``, of ``(chain, ...)``."""
    flat = per_chain.reshape(len(per_chain), -1).astype(np.float64)
    return (weights @ flat).reshape(len(weights), *per_chain.shape[1:])


def accuracy(counts: npt.NDArray[np.generic]) -> Floats:
    """Return the share of residues on the diagonal of ``(..., observed, predicted)``."""
    counts = counts.astype(np.float64)
    return _divide(np.trace(counts, axis1=-2, axis2=-1), counts.sum(axis=(-2, -1)))


def class_scores(counts: npt.NDArray[np.generic]) -> dict[str, Floats]:
    """Return precision, recall, F1 and MCC of each class, each ``(..., class)``."""
    counts = counts.astype(np.float64)
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    observed, predicted = counts.sum(axis=-1), counts.sum(axis=-2)
    total = counts.sum(axis=(-2, -1))[..., None]
    spread = np.sqrt(observed * (total - observed) * predicted * (total - predicted))
    return {
        "precision": _divide(right, predicted),
        "recall": _divide(right, observed),
        "f1": _divide(2 * right, observed + predicted),
        "mcc": _divide(right * total - observed * predicted, spread),
    }


def matthews_correlation(counts: npt.NDArray[np.generic]) -> Floats:
    """Return the multi-class correlation of ``(..., observed, predicted)``.

    Gorodkin, Computational Biology and Chemistry 28:367-374 (2004).
    """
    counts = counts.astype(np.float64)
    total = counts.sum(axis=(-2, -1))
    observed, predicted = counts.sum(axis=-1), counts.sum(axis=-2)
    covariance = np.trace(counts, axis1=-2, axis2=-1) * total - (observed * predicted).sum(axis=-1)
    spread = np.sqrt(
        (total**2 - (observed**2).sum(axis=-1)) * (total**2 - (predicted**2).sum(axis=-1))
    )
    return _divide(covariance, spread)


def mean_over_chains(values: Floats, weights: Floats) -> Metric:
    """Return the mean of one value per chain ``(chain,)``; chains without a value are left out."""
    defined = np.isfinite(values)
    if not defined.any():
        return Metric(None, None, None)
    kept = weights[:, defined]
    return metric(float(values[defined].mean()), _divide(kept @ values[defined], kept.sum(axis=1)))


def average_precision(
    scores: npt.NDArray[np.floating],
    positive: npt.NDArray[np.bool_],
    chain: npt.NDArray[np.integer],
    weights: Floats,
) -> Metric:
    """Return the average precision of one class over the residues of all chains.

    The value is that of scikit-learn. The samples behind the interval count positives and
    negatives between at most 400 thresholds, quantiles of the scores of the positives: that is
    exact for up to 400 positives, and within 0.005 for more.

    Parameters
    ----------
    scores
        Probability of the class, ``(residue,)``.
    positive
        Whether the class was observed, ``(residue,)``.
    chain
        Index of the chain of each residue, ``(residue,)``.
    weights
        How often each chain is drawn, ``(replicate, chain)``.
    """
    from sklearn.metrics import average_precision_score

    if not positive.any():
        return Metric(None, None, None)
    found = np.sort(scores[positive])
    places = np.linspace(0, len(found) - 1, min(len(found), _THRESHOLDS)).round().astype(int)
    # Bin 0 lies below every threshold; scores that are equal share a bin.
    bins = np.searchsorted(thresholds := np.unique(found[places]), scores, side="right")
    shape = (weights.shape[1], 2, len(thresholds) + 1)
    flat = np.ravel_multi_index((chain, positive.astype(int), bins), shape)
    counts = np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape)
    return metric(
        float(average_precision_score(positive, scores)),
        binned_average_precision(resampled(weights, counts)),
    )


def binned_average_precision(counts: npt.NDArray[np.generic]) -> Floats:
    """Return average precision from counts ``(..., 2, bin)`` of negatives, then positives.

    Bins ascend with the score; all residues of a bin are found at the same threshold.
    """
    falling = counts[..., ::-1].astype(np.float64)
    positives = falling[..., 1, :]
    found = positives.cumsum(axis=-1)
    called = found + falling[..., 0, :].cumsum(axis=-1)
    precision = np.divide(found, called, where=called > 0, out=np.zeros_like(found))
    return _divide((precision * positives).sum(axis=-1), found[..., -1])


def _divide(above: npt.NDArray[np.generic], below: npt.NDArray[np.generic]) -> Floats:
    top, bottom = np.broadcast_arrays(np.asarray(above, float), np.asarray(below, float))
    return np.asarray(np.divide(top, bottom, where=bottom > 0, out=np.full(top.shape, np.nan)))
