"""The plan of a fit: the network, and the examples and batches of every pass.

All of it follows from the data and the seed, so that an interrupted run can be resumed exactly.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from grubio.config import Metric, ModelSettings, TrainingSettings
from grubio.errors import GrubioError
from grubio.metrics.headline import AVERAGE_PRECISION, headline_metric
from grubio.model.batching import (
    Example,
    batches_by_length,
    class_counts,
    padding_waste,
    shuffled_batches,
)
from grubio.model.labeller import Labeller
from grubio.model.networks.protocol import Architecture, Network
from grubio.model.networks.registry import NETWORKS
from grubio.sequences.target import LABELS, Target
from grubio.training.examples import TrainingData
from grubio.training.lightning_module import Batches, BatchPlan, Fitting
from grubio.training.window_sampling import rare_classes, rare_regions, sampled_windows


def new_fitting(
    data: TrainingData,
    model_settings: ModelSettings,
    settings: TrainingSettings,
    network: type[Network] | None = None,
) -> Fitting:
    """Return a fit that has not started; all its random choices follow from the seed.

    A ``network`` replaces the one that the settings name.

    Raises
    ------
    GrubioError
        If there are fewer batches than processes to share them.
    """
    scheme, alphabet = data.header.scheme, data.header.alphabet
    torch.manual_seed(settings.seed)
    architecture = Architecture(**model_settings.model_dump(exclude={"targets"}))
    made = (network or NETWORKS[architecture.network].network)(architecture, alphabet.channel_table)
    shipped = [target for target in data.targets if target.shipped]
    return Fitting(
        Labeller(made, [Target(LABELS, "classes", scheme), *shipped]),
        settings,
        targets=data.targets,
        plan=_batch_plan(data, settings),
        class_weights=_balanced_weights(data) if settings.class_weights == "balanced" else None,
        score=score_of(data, settings),
        rare=rare_classes(data.header),
    )


def score_of(data: TrainingData, settings: TrainingSettings) -> Metric:
    """Return the metric of the validation score of a training."""
    if settings.select_by != "auto":
        return settings.select_by
    scheme = data.header.scheme
    counts = class_counts(data.train, scheme.size) @ scheme.reduction_matrix(scheme.headline)
    score = headline_metric(scheme.headline, counts)
    # Probabilities are calibrated for the true class frequencies only after training.
    return AVERAGE_PRECISION if score == "mcc" and settings.background_ratio else score


def _balanced_weights(data: TrainingData) -> torch.Tensor:
    counts = class_counts(data.train, data.header.scheme.size)
    # A class that never occurs has no weight; the others average 1 over residues.
    inverse = np.divide(
        counts.sum(), counts * (counts > 0).sum(), where=counts > 0, out=np.zeros(len(counts))
    )
    return torch.tensor(inverse, dtype=torch.float32)


def _batch_plan(data: TrainingData, settings: TrainingSettings) -> BatchPlan:
    budget, parts = settings.batch_residues, settings.validations_per_epoch
    passes = _examples_of_passes(data, settings)
    plan = [
        shuffled_batches([len(e) for e in examples], budget, seed=settings.seed, epoch=epoch)
        for epoch, examples in enumerate(passes)
    ]

    def train(part: int) -> Batches:
        epoch, first = divmod(part, parts)
        return Batches(passes[epoch], plan[epoch][first::parts])

    valid = batches_by_length([len(example) for example in data.valid], budget)
    return BatchPlan(
        train,
        Batches(data.valid, valid),
        sum(_steps(len(train(n).indices), settings) for n in range(parts * settings.epochs)),
        padding_waste(plan[0], [len(example) for example in passes[0]]),
    )


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
