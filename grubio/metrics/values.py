"""Predicted values measured against known ones: correlations, errors, and coverage."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from grubio.metrics.bootstrap import Estimate, Floats, ratio

NORMAL_95 = 1.959964
"""Standard deviations on each side of the mean that hold 95 % of a normal distribution."""


def pearson(one: Floats, other: Floats, weights: Floats | None = None) -> float:
    """Return Pearson's correlation of two variables ``(residue,)``; NaN if one does not vary.

    ``weights`` are how often each residue counts.

    Examples
    --------
    >>> pearson(np.array([1.0, 2, 3]), np.array([2.0, 4, 6]))
    1.0
    """
    counts = np.ones(len(one)) if weights is None else weights
    total = counts.sum()
    if not total:
        return float("nan")
    x, y = one - counts @ one / total, other - counts @ other / total
    spread = np.sqrt((counts @ (x * x)) * (counts @ (y * y)))
    return float(ratio(counts @ (x * y), spread))


def spearman(one: Floats, other: Floats, weights: Floats | None = None) -> float:
    """Return Spearman's rank correlation; see :func:`pearson`. Equal values share a mean rank.

    Examples
    --------
    >>> spearman(np.array([1.0, 2, 3, 4]), np.array([1.0, 8, 27, 64]))
    1.0
    """
    counts = np.ones(len(one)) if weights is None else weights
    return pearson(_ranks(_places(one), counts), _ranks(_places(other), counts), weights)


VALUE_SCORES: Mapping[str, Callable[[Floats, Floats], float]] = {
    "spearman": spearman,
    "pearson": pearson,
}
"""Scores that may choose among validations, by name: functions of two variables."""


def spearman_estimate(
    observed: Floats, predicted: Floats, chain: npt.NDArray[np.intp], weights: Floats
) -> Estimate:
    """Return Spearman's correlation, with ranks drawn up anew in every bootstrap sample.

    Parameters
    ----------
    observed, predicted
        Values of all residues, ``(residue,)``.
    chain
        The chain of each residue, ``(residue,)``.
    weights
        How often each chain is drawn, ``(replicate, chain)``.
    """
    one, other = _places(observed), _places(predicted)

    def of_sample(counts: Floats) -> float:
        return pearson(_ranks(one, counts), _ranks(other, counts), counts)

    replicates = [of_sample(sample[chain]) for sample in weights]
    return Estimate(of_sample(np.ones(len(observed))), np.array(replicates))


def coverage_of(residuals: Floats) -> float:
    """Return the share of standardised residuals ``(residue,)`` inside the 95 % interval."""
    return float(np.mean(np.abs(residuals) <= NORMAL_95))


def _places(values: Floats) -> npt.NDArray[np.intp]:
    # The place of each value among the different values in order.
    return np.unique(values, return_inverse=True)[1].reshape(-1)


def _ranks(places: npt.NDArray[np.intp], counts: Floats) -> Floats:
    # Mean ranks of values that occur several times; only differences of ranks matter.
    of_value = np.bincount(places, counts)
    return np.asarray((np.cumsum(of_value) - of_value / 2)[places], dtype=np.float64)
