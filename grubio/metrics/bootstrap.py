"""Scores with 95 % percentile bootstrap intervals over chains, or over blocks of a genome.

Counts are kept for each chain, so that a bootstrap sample is a weighted sum of counts. A score that
is not defined, such as the recall of an absent class, is NaN, and None in a :class:`Score`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """A value and the ends of its 95 % interval, as fractions; None where it is not defined."""

    value: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return self.value is not None

    def as_dict(self) -> dict[str, float | None]:
        """Return the three numbers, rounded to six decimals."""
        return {k: None if v is None else round(v, 6) for k, v in vars(self).items()}


@dataclass(frozen=True)
class Estimate:
    """A value, and its values in the bootstrap samples, float64 ``(replicate,)``."""

    value: float
    replicates: Floats

    def __sub__(self, other: Estimate) -> Estimate:
        """Return the difference from another estimate on the same samples."""
        return Estimate(self.value - other.value, self.replicates - other.replicates)

    @property
    def score(self) -> Score:
        """The value with the percentile interval of its replicates."""
        defined = self.replicates[np.isfinite(self.replicates)]
        if not np.isfinite(self.value) or not len(defined):
            return Score()
        low, high = np.quantile(defined, [0.025, 0.975])
        value = float(self.value)
        # A biased distribution of replicates may miss the value itself; the interval never does.
        return Score(value, min(float(low), value), max(float(high), value))


def bootstrap_weights(chains: int, replicates: int, seed: int) -> Floats:
    """Return how often each chain is drawn in each sample, float64 ``(replicate, chain)``."""
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(chains, np.full(chains, 1 / chains), size=replicates)
    return drawn.astype(np.float64)


def resampled(weights: Floats, per_chain: npt.NDArray[np.generic]) -> Floats:
    """Return sums over chains in every sample, ``(replicate, ...)``, of ``(chain, ...)``."""
    flat = per_chain.reshape(len(per_chain), -1).astype(np.float64)
    return (weights @ flat).reshape(len(weights), *per_chain.shape[1:])


def estimated(
    statistic: Callable[[Floats], Floats], per_chain: npt.NDArray[np.generic], weights: Floats
) -> Estimate:
    """Return a statistic of sums over chains, and its value in every sample.

    Parameters
    ----------
    statistic
        Takes sums ``(..., count)`` and returns one number for each, ``(...)``.
    per_chain
        What is summed, ``(chain, count)``; ``count`` may be several axes.
    weights
        How often each chain is drawn, ``(replicate, chain)``.
    """
    return Estimate(
        float(statistic(np.asarray(per_chain.sum(axis=0), np.float64))),
        statistic(resampled(weights, per_chain)),
    )


def share(part: npt.ArrayLike, whole: npt.ArrayLike, weights: Floats) -> Estimate:
    """Return the sum of ``part`` over the sum of ``whole``, both ``(chain,)``."""
    sums = np.column_stack((part, whole))
    return estimated(lambda both: ratio(both[..., 0], both[..., 1]), sums, weights)


def mean_over_chains(values: Floats, weights: Floats) -> Score:
    """Return the mean of one value per chain ``(chain,)``; chains without a value do not count."""
    defined = np.isfinite(values)
    return share(np.where(defined, values, 0), defined, weights).score


def mean_estimate(estimates: list[Estimate]) -> Estimate:
    """Return the mean of the defined ones among estimates on the same samples."""
    values = np.array([[one.value, *one.replicates] for one in estimates]).T
    first, *others = mean_of_defined(values)
    return Estimate(float(first), np.array(others))


def scores_of(estimates: Mapping[str, Estimate]) -> dict[str, Score]:
    """Return the scores of estimates by name."""
    return {name: estimate.score for name, estimate in estimates.items()}


def ratio(above: npt.ArrayLike, below: npt.ArrayLike) -> Floats:
    """Return the quotient, NaN where the divisor is not above 0.

    Examples
    --------
    >>> ratio([1, 2], [2, 0]).tolist()
    [0.5, nan]
    """
    top, bottom = np.broadcast_arrays(np.asarray(above, float), np.asarray(below, float))
    return np.asarray(np.divide(top, bottom, where=bottom > 0, out=np.full(top.shape, np.nan)))


def mean_of_defined(values: Floats) -> Floats:
    """Return the mean over the last axis, leaving out NaN; NaN if there is nothing else."""
    defined = np.isfinite(values)
    return ratio(np.where(defined, values, 0).sum(axis=-1), defined.sum(axis=-1))
