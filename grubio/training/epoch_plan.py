"""The plan of a fit: the network, and the examples and batches of every pass.

Everything here follows from the data and the seed, so that a run can be taken up again exactly.
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
    PaddedBatches,
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
from grubio.training.lightning_module import BatchPlan, Fitting
from grubio.training.window_sampling import rare_classes, rare_stretches, sampled_windows, window_of


def new_fitting(
    data: TrainingData,
    model_settings: ModelSettings,
    settings: TrainingSettings,
    network: type[Network] | None = None,
) -> Fitting:
    """Return a fit that has not started; every random choice of it follows from the seed.

    A ``network`` takes the place of the one that the settings name.

    Raises
    ------
    GrubioError
        If several processes would train together and there are fewer batches than processes.
    """
    scheme, alphabet = data.header.scheme, data.header.alphabet
    torch.manual_seed(settings.seed)
    architecture = Architecture(**model_settings.model_dump(exclude={"targets"}))
    made = (network or NETWORKS[architecture.network].network)(architecture, alphabet.channel_table)
    predicted = [target for target in data.targets if target.shipped]
    model = Labeller(made, [Target(LABELS, "classes", scheme), *predicted])
    weights = None
    if settings.class_weights == "balanced":
        counts = class_counts(data.train, scheme.size)
        # A class that never occurs has no weight; the others average 1 over residues.
        inverse = np.divide(
            counts.sum(), counts * (counts > 0).sum(), where=counts > 0, out=np.zeros(scheme.size)
        )
        weights = torch.tensor(inverse, dtype=torch.float32)
    parts = settings.validations_per_epoch
    passes = _examples_of_passes(data, settings)
    plan = [
        shuffled_batches(
            [len(example) for example in examples],
            settings.batch_residues,
            seed=settings.seed,
            epoch=epoch,
        )
        for epoch, examples in enumerate(passes)
    ]
    rounds = [
        _rounds(len(batches[part::parts]), settings) for batches in plan for part in range(parts)
    ]
    return Fitting(
        model,
        settings,
        scheme,
        targets=data.targets,
        plan=BatchPlan(
            train=lambda part: PaddedBatches(
                passes[part // parts], plan[part // parts][part % parts :: parts], alphabet.pad_code
            ),
            valid=PaddedBatches(
                data.valid,
                batches_by_length([len(e) for e in data.valid], settings.batch_residues),
                alphabet.pad_code,
            ),
            total_steps=sum(rounds),
            padding_waste=padding_waste(plan[0], [len(example) for example in passes[0]]),
        ),
        class_weights=weights,
        score=score_of(data, settings),
        rare=rare_classes(data.header),
    )


def score_of(data: TrainingData, settings: TrainingSettings) -> Metric:
    """Return what validations of a training are scored by."""
    if settings.select_by != "auto":
        return settings.select_by
    scheme = data.header.scheme
    counts = class_counts(data.train, scheme.size) @ scheme.reduction_matrix(scheme.headline)
    score = headline_metric(scheme.headline, counts)
    # Probabilities are set right for the true frequencies only after training.
    return AVERAGE_PRECISION if score == "mcc" and settings.background_ratio else score


def _rounds(batches: int, settings: TrainingSettings) -> int:
    processes = settings.all_processes
    if processes > 1 and batches < processes:
        raise GrubioError(
            f"{processes} processes cannot share {batches} batches of up to "
            f"{settings.batch_residues} residues between two validations",
            hint="take fewer processes, smaller batches (--batch-residues), or fewer validations",
        )
    return -(-batches // processes)


def _examples_of_passes(data: TrainingData, settings: TrainingSettings) -> list[Sequence[Example]]:
    if not settings.background_ratio:
        return [data.train] * settings.epochs
    length = settings.max_length
    stretches = rare_stretches(data.train, rare_classes(data.header), length)
    passes = [
        sampled_windows(
            data.train,
            stretches,
            length,
            settings.background_ratio,
            seed=settings.seed,
            epoch=epoch,
        )
        for epoch in range(settings.epochs)
    ]
    return [[window_of(data.train, window) for window in windows] for windows in passes]
