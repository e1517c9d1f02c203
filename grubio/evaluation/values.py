"""Scores of predicted values, with intervals over chains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from grubio.metrics.bootstrap import Floats, Score, estimated, ratio

Values = npt.NDArray[np.float32]


def value_scores(
    observed: Sequence[Values | None], predicted: Sequence[Values], weights: Floats
) -> dict[str, Score]:
    """Return Pearson's correlation and the mean absolute error, over residues.

    Parameters
    ----------
    observed
        Values of each chain, ``(residue,)``; what is NaN, or a chain without values, does not
        count.
    predicted
        Predicted values of each chain, ``(residue,)``.
    weights
        How often each chain is in each bootstrap sample, ``(replicate, chain)``.
    """
    sums = np.stack([_sums(o, p) for o, p in zip(observed, predicted, strict=True)])
    return {
        "pearson": estimated(_correlation, sums, weights).score,
        "mean_absolute_error": estimated(_error, sums, weights).score,
    }


def _sums(observed: Values | None, predicted: Values) -> Floats:
    # Number, sums, squares, product and absolute differences of what is known: (7,).
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
