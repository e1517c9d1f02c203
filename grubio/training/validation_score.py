"""The score of a validation, by which the best model of a training is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from grubio.config import Metric
from grubio.metrics.classification import OVERALL, mean_average_precision
from grubio.metrics.headline import AVERAGE_PRECISION
from grubio.metrics.values import VALUE_SCORES
from grubio.sequences.scheme import LabelScheme
from grubio.sequences.target import Target
from grubio.training.distributed import gathered, sum_over_processes


class ValidationScore(Protocol):
    """The score of all batches that were added, over all processes."""

    def add(self, found: Tensor, observed: Tensor) -> None:
        """Add what is predicted for residues, and what is known of them.

        Of classes these are probabilities ``(residue, class)`` and classes, int64 ``(residue,)``;
        of values the model's output and values as networks learn them ``(residue,)``.
        """

    def value(self, device: torch.device) -> float:
        """Return the score; the processes of a training exchange their sums on the device."""


def validation_score(target: Target, metric: Metric, rare: Sequence[int]) -> ValidationScore:
    """Return a score for a target that has no batches yet; see :class:`ClassScore`."""
    if target.scheme is None:
        return ValueScore(target, metric)
    return ClassScore(target.scheme, metric, rare)


class ValueScore:
    """The rank correlation (``spearman``) or correlation (``pearson``) over all residues.

    One that is not defined, as when all predictions are equal, is 0.
    """

    def __init__(self, target: Target, metric: Metric) -> None:
        self._target, self._metric = target, metric
        self._answers: list[tuple[Tensor, Tensor]] = []

    def add(self, found: Tensor, observed: Tensor) -> None:
        """Add a model's output and values as networks learn them ``(residue,)``."""
        values = found[:, 0] if self._target.spread else found
        self._answers.append((values.cpu(), observed.cpu()))

    def value(self, _: torch.device) -> float:
        """Return the score, over the batches of all processes."""
        found, observed = (
            torch.cat(one).numpy().astype(np.float64)
            for one in zip(*gathered(self._answers), strict=True)
        )
        return float(np.nan_to_num(VALUE_SCORES[self._metric](observed, found)))


class ClassScore:
    """The score of classes.

    Parameters
    ----------
    scheme
        The classes; the score is that of its headline scheme.
    metric
        The metric of the score.
    rare
        Class indices over which the average precision is averaged, if that is the metric.
    """

    def __init__(self, scheme: LabelScheme, metric: Metric, rare: Sequence[int]) -> None:
        self._reduction = torch.from_numpy(scheme.reduction_matrix(scheme.headline))
        self._metric = metric
        self._rare = rare
        self._answers: list[tuple[Tensor, Tensor]] = []
        size = self._reduction.shape[1]
        self._confusion = torch.zeros(size, size, dtype=torch.int64)

    def add(self, probabilities: Tensor, observed: Tensor) -> None:
        """Add probabilities ``(residue, class)`` and observed classes, int64 ``(residue,)``."""
        if self._metric == AVERAGE_PRECISION:
            self._answers.append((probabilities.cpu(), observed.cpu()))
            return
        reduction = self._reduction.to(probabilities.device)
        size = reduction.shape[1]
        pairs = reduction.argmax(dim=1)[observed] * size + (probabilities @ reduction).argmax(dim=1)
        self._confusion += torch.bincount(pairs, minlength=size**2).view(size, size).cpu()

    def value(self, device: torch.device) -> float:
        """Return the score; the processes of a training exchange their sums on the device."""
        if self._metric == AVERAGE_PRECISION:
            probabilities, observed = zip(*gathered(self._answers), strict=True)
            return mean_average_precision(
                torch.cat(probabilities).numpy(), torch.cat(observed).numpy(), self._rare
            )
        counts = sum_over_processes(self._confusion.to(device)).cpu().numpy()
        return float(np.nan_to_num(OVERALL[self._metric](counts)))
