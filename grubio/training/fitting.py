"""A fit that is ready to start: its network, batches, class weights and score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch

from grubio.config import Metric, ModelSettings, TrainingSettings
from grubio.config.model import VALUE_METRICS
from grubio.errors import GrubioError
from grubio.metrics.headline import AVERAGE_PRECISION, headline_metric
from grubio.model.architecture import Architecture
from grubio.model.batching import class_counts
from grubio.model.labeller import Labeller
from grubio.model.networks.protocol import Network
from grubio.model.networks.registry import NETWORKS
from grubio.sequences.grammar import Grammar
from grubio.sequences.target import Target
from grubio.training.batch_plan import BatchPlan
from grubio.training.examples import TrainingData
from grubio.training.lightning_module import Fitting
from grubio.training.parent import Parent, freeze_weights
from grubio.training.stem_motifs import begin_with, with_motifs
from grubio.training.window_sampling import rare_classes


def new_fitting(
    data: TrainingData,
    model_settings: ModelSettings,
    settings: TrainingSettings,
    network: Callable[[Architecture, npt.NDArray[np.float32]], Network] | None = None,
    *,
    parent: Parent | None = None,
) -> Fitting:
    """Return a fit that has not started; all its random choices follow from the seed.

    A ``network`` replaces the one that the settings name. With a ``parent``, the network and the
    heads that fit start with its weights.

    Raises
    ------
    GrubioError
        If there are fewer batches than processes to share them, layers are to be frozen that the
        network does not have, or the loss ``crf`` is to be that of a value.
    """
    alphabet = data.header.alphabet
    torch.manual_seed(settings.seed)
    architecture = Architecture(**model_settings.model_dump(exclude={"targets"}))
    architecture = with_motifs(architecture, data.motifs)
    made = (network or NETWORKS[architecture.network].network)(architecture, alphabet.channel_table)
    labeller = Labeller(made, [_main(data, settings), *targets_of(data)[1:]])
    held = begin_with(labeller, data.motifs, model_settings.stem_width)
    if parent is not None:
        parent.give_weights(labeller)
    freeze_weights(labeller, settings)
    return Fitting(
        labeller,
        settings,
        held=held,
        targets=data.targets,
        plan=BatchPlan(data, settings),
        class_weights=_balanced_weights(data) if settings.class_weights == "balanced" else None,
        score=score_of(data, settings),
        rare=rare_classes(data.header),
    )


def targets_of(data: TrainingData) -> list[Target]:
    """Return the targets of the heads of a labeller: the labels, and those that it predicts."""
    shipped = [target for target in data.targets if target.shipped]
    return [data.main, *shipped]


def _main(data: TrainingData, settings: TrainingSettings) -> Target:
    # A conditional random field is decoded with its transitions, if nothing else is said.
    scheme = data.main.scheme
    if settings.loss != "crf":
        return data.main
    if scheme is None:
        raise GrubioError(f"loss 'crf' is for classes, but {data.main.name} is a value")
    return replace(data.main, scheme=scheme.with_grammar(scheme.grammar or Grammar()))


def score_of(data: TrainingData, settings: TrainingSettings) -> Metric:
    """Return the metric of the validation score of a training."""
    if settings.select_by != "auto":
        return settings.select_by
    if data.main.kind == "value":
        return VALUE_METRICS[0]
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
