"""Scores of predicted values over chains: correlations and errors, with bootstrap replicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from grubio.metrics.bootstrap import Estimate, Floats, Score, estimated, mean_over_chains, ratio
from grubio.metrics.values import pearson, spearman, spearman_estimate

_LEAST_OF_CHAIN = 10


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
