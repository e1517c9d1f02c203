"""Heads: linear layers from the states of a network to its outputs, one for each target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import torch
from torch import Tensor, nn

from grubio.model.outputs import LARGEST_LOG_DEVIATION
from grubio.sequences.target import Target

Outputs: TypeAlias = Mapping[str, Tensor]
"""By name of target: the logits of classes, ``(..., class)``; a value as networks learn it
(:meth:`grubio.sequences.target.Target.scaled`), ``(...)``; or that and the logarithm of its
standard deviation, ``(..., 2)``, if the target has one (``spread``). The leading axes are ``(time,
batch)``."""


class Head(nn.Linear):
    """A linear layer from states of width ``features`` to the output for one target."""

    def __init__(self, features: int, target: Target) -> None:
        super().__init__(features, target.size)
        self.target = target

    def forward(self, states: Tensor) -> Tensor:
        """Return the output, see :data:`Outputs`, of states ``(..., feature)``."""
        return output_of(self.target, super().forward(states))


def output_of(target: Target, scores: Tensor) -> Tensor:
    """Return the output for a target, given the scores ``(..., size)`` of its linear layer."""
    if target.kind == "classes":
        return scores
    if target.bounded:
        return scores.squeeze(-1).sigmoid()
    if not target.spread:
        return scores.squeeze(-1)
    mean, log_deviation = scores.unbind(dim=-1)
    most = LARGEST_LOG_DEVIATION
    return torch.stack((mean, most * torch.tanh(log_deviation / most)), dim=-1)


def mean_outputs(targets: Sequence[Target], answers: Sequence[Outputs]) -> Outputs:
    """Return the mean over several outputs: of log-probabilities for classes, else of values.

    The deviation of a value is that of the mixture of the normal distributions.
    """
    means = {}
    for target in targets:
        parts = [answer[target.name] for answer in answers]
        if target.kind == "classes":
            parts = [logits.log_softmax(dim=-1) for logits in parts]
        together = torch.stack(parts)
        means[target.name] = _mixture(together) if target.spread else together.mean(dim=0)
    return means


def _mixture(parts: Tensor) -> Tensor:
    mean, log_deviation = parts.unbind(dim=-1)
    together = mean.mean(dim=0)
    variance = (torch.exp(2 * log_deviation) + (mean - together).square()).mean(dim=0)
    return torch.stack((together, variance.log() / 2), dim=-1)
