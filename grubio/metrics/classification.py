"""Scores of predicted labels: functions of a confusion matrix, and average precision.

Definitions are those of scikit-learn (``precision_recall_fscore_support``,
``matthews_corrcoef``), and tested equal to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from grubio.metrics.bootstrap import Estimate, Floats, mean_of_defined, ratio, resampled

Counts = npt.NDArray[np.int64]

_THRESHOLDS = 400


def confusion_counts(
    observed: npt.NDArray[np.integer], predicted: npt.NDArray[np.integer], classes: int
) -> Counts:
    """Return the confusion matrix of one chain, int64 ``(observed class, predicted class)``.

    Residues whose observed class is not below ``classes`` do not count.
    """
    counted = observed < classes
    pairs = observed[counted].astype(np.int64) * classes + predicted[counted]
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def accuracy(counts: npt.NDArray[np.generic]) -> Floats:
    """Return the share of residues on the diagonal of ``(..., observed, predicted)``."""
    counts = counts.astype(np.float64)
    return ratio(np.trace(counts, axis1=-2, axis2=-1), counts.sum(axis=(-2, -1)))


def class_scores(counts: npt.NDArray[np.generic]) -> dict[str, Floats]:
    """Return precision, recall, F1 and MCC of each class, each ``(..., class)``."""
    counts = counts.astype(np.float64)
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    observed, predicted = counts.sum(axis=-1), counts.sum(axis=-2)
    total = counts.sum(axis=(-2, -1))[..., None]
    spread = np.sqrt(observed * (total - observed) * predicted * (total - predicted))
    return {
        "precision": ratio(right, predicted),
        "recall": ratio(right, observed),
        "f1": ratio(2 * right, observed + predicted),
        "mcc": ratio(right * total - observed * predicted, spread),
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
    return ratio(covariance, spread)


def macro_f1(counts: npt.NDArray[np.generic]) -> Floats:
    """Return the mean of the F1 of the classes that are observed or predicted, ``(...)``."""
    return mean_of_defined(class_scores(counts)["f1"])


OVERALL: Mapping[str, Callable[[Floats], Floats]] = {
    "accuracy": accuracy,
    "mcc": matthews_correlation,
    "macro_f1": macro_f1,
}
"""Scores of all classes together, each a function of ``(..., observed, predicted)``."""


def average_precision(
    scores: npt.NDArray[np.floating],
    positive: npt.NDArray[np.bool_],
    chain: npt.NDArray[np.integer],
    weights: Floats,
) -> Estimate:
    """Return the average precision of one class over the residues of all chains.

    The value is that of scikit-learn. The bootstrap samples use at most 400 thresholds, quantiles
    of the scores of the positives: exact for up to 400 positives, within 0.005 for more.

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
        return Estimate(np.nan, np.full(len(weights), np.nan))
    found = np.sort(scores[positive])
    places = np.linspace(0, len(found) - 1, min(len(found), _THRESHOLDS)).round().astype(int)
    counts = binned_counts(scores, positive, chain, weights.shape[1], np.unique(found[places]))
    return Estimate(
        float(average_precision_score(positive, scores)),
        binned_average_precision(resampled(weights, counts)),
    )


def binned_counts(
    scores: npt.NDArray[np.floating],
    positive: npt.NDArray[np.bool_],
    chain: npt.NDArray[np.integer],
    chains: int,
    thresholds: npt.NDArray[np.floating],
) -> Counts:
    """Return counts of negatives and positives between thresholds, int64 ``(chain, 2, bin)``.

    ``thresholds`` ascend, and so do the bins; bin 0 lies below all of them. The other arrays are
    ``(item,)``.
    """
    bins = np.searchsorted(thresholds, scores, side="right")
    shape = (chains, 2, len(thresholds) + 1)
    flat = np.ravel_multi_index((chain, positive.astype(int), bins), shape)
    return np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape)


def mean_average_precision(
    probabilities: npt.NDArray[np.floating],
    observed: npt.NDArray[np.integer],
    columns: Sequence[int],
) -> float:
    """Return the mean average precision of those of the classes ``columns`` that occur, or 0.

    Probabilities are ``(residue, class)``, observed classes ``(residue,)``.
    """
    # Importing scikit-learn takes as long as importing PyTorch, and no other score needs it.
    from sklearn.metrics import average_precision_score

    scores = [
        average_precision_score(observed == column, probabilities[:, column])
        for column in columns
        if (observed == column).any()
    ]
    return float(sum(scores) / max(len(scores), 1))


def binned_average_precision(
    counts: npt.NDArray[np.generic], positives: Floats | None = None
) -> Floats:
    """Return average precision ``(...)`` from :func:`binned_counts` ``(..., 2, bin)``.

    ``positives`` ``(...)`` is the number of all of them, by default of those in the counts.
    """
    falling = counts[..., ::-1].astype(np.float64)
    found = falling[..., 1, :].cumsum(axis=-1)
    called = falling.sum(axis=-2).cumsum(axis=-1)
    precision = np.divide(found, called, where=called > 0, out=np.zeros_like(found))
    total = found[..., -1] if positives is None else positives
    return ratio((precision * falling[..., 1, :]).sum(axis=-1), total)
