"""The examples and batches of every pass over the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from grubio.config import TrainingSettings
from grubio.errors import GrubioError
from grubio.model.batching import Example, batches_by_length, padding_waste, shuffled_batches
from grubio.training.examples import TrainingData
from grubio.training.window_sampling import rare_classes, rare_regions, sampled_windows


class Batches(NamedTuple):
    """Examples, and the indices of those in each batch."""

    examples: Sequence[Example]
    indices: list[list[int]]


class BatchPlan:
    """The batches of a fit. They follow from data and seed, so that a fit can be resumed exactly.

    Attributes
    ----------
    valid
        Batches to validate on.
    total_steps
        Steps of all parts together.
    padding_waste
        Share of computed steps that are padding, in the first pass.

    Raises
    ------
    GrubioError
        If a part has fewer batches than there are processes to share them.
    """

    def __init__(self, data: TrainingData, settings: TrainingSettings) -> None:
        budget = settings.batch_residues
        self._parts = settings.validations_per_epoch
        self._passes = _examples_of_passes(data, settings)
        self._plan = [
            shuffled_batches([len(e) for e in examples], budget, seed=settings.seed, epoch=epoch)
            for epoch, examples in enumerate(self._passes)
        ]
        self.valid = Batches(data.valid, batches_by_length([len(e) for e in data.valid], budget))
        self.padding_waste = padding_waste(self._plan[0], [len(e) for e in self._passes[0]])
        parts = range(self._parts * settings.epochs)
        self.total_steps = sum(_steps(len(self.train(part).indices), settings) for part in parts)

    def train(self, part: int) -> Batches:
        """Return the batches to train on from one validation to the next."""
        epoch, first = divmod(part, self._parts)
        return Batches(self._passes[epoch], self._plan[epoch][first :: self._parts])


def _steps(batches: int, settings: TrainingSettings) -> int:
    processes = settings.all_processes
    if processes > 1 and batches < processes:
        raise GrubioError(
            f"{processes} processes cannot share {batches} batches of up to "
            f"{settings.batch_residues} residues between two validations",
            hint="use fewer processes, smaller batches (--batch-residues), or fewer validations",
        )
    return -(-batches // processes)


def _examples_of_passes(data: TrainingData, settings: TrainingSettings) -> list[Sequence[Example]]:
    if not settings.background_ratio:
        return [data.train] * settings.epochs
    train, length, ratio = data.train, settings.max_length, settings.background_ratio
    regions = rare_regions(train, rare_classes(data.header), length)
    passes = [
        sampled_windows(train, regions, length, ratio, seed=settings.seed, epoch=epoch)
        for epoch in range(settings.epochs)
    ]
    return [[train[i].part(start, stop) for i, start, stop in windows] for windows in passes]
