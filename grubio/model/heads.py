"""Heads: linear layers from the states of a network to its outputs, one for each target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import torch
from torch import Tensor, nn

from grubio.sequences.target import Target

Outputs: TypeAlias = Mapping[str, Tensor]
"""By name of target: the logits of classes, ``(..., class)``; a value scaled to 0 to 1, ``(...)``.
The leading axes are ``(time, batch)`` for a model and ``(residue,)`` for an engine."""


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
    return scores if target.kind == "classes" else scores.squeeze(-1).sigmoid()


def mean_outputs(targets: Sequence[Target], answers: Sequence[Outputs]) -> Outputs:
    """Return the mean over several outputs: of log-probabilities for classes, else of values."""
    means = {}
    for target in targets:
        parts = [answer[target.name] for answer in answers]
        if target.kind == "classes":
            parts = [logits.log_softmax(dim=-1) for logits in parts]
        means[target.name] = torch.stack(parts).mean(dim=0)
    return means
