"""A linear-chain conditional random field (Lafferty, McCallum and Pereira, ICML 2001) as a loss.

The states are those of the grammar of a scheme. The score of a path is the sum of the logits of its
labels and of the weights of its steps from label to label. The loss is the negative logarithm of
the share that the paths with the known labels have among all paths: labels that are unknown, or
known only as classes of the coarse scheme, leave several paths.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from grubio.model.batching import IGNORED
from grubio.sequences.grammar import Grammar, StateGraph, state_graph
from grubio.sequences.posteriors import Transitions
from grubio.sequences.scheme import LabelScheme

_LEAST = 1e-12
"""Least share of a step: a sequence with less does not count."""
_TINY = 1e-30
_FLOOR = 1e-7
"""Added to probabilities, so that a confident error is no impossible path."""


class ConditionalRandomField(nn.Module):
    """The weights of the steps from each class to the next, ``(class, next class)``, first zero.

    Parameters
    ----------
    scheme
        The classes; without a grammar every path is allowed.
    """

    _allowed: Tensor
    _labels: Tensor
    _edges: Tensor

    def __init__(self, scheme: LabelScheme) -> None:
        super().__init__()
        self.graph = graph = graph_of(scheme)
        self.weights = nn.Parameter(torch.zeros(scheme.size, scheme.size))
        # Which classes a label allows: a class, a coarse class, or in the last row any.
        allowed = [torch.eye(scheme.size), torch.ones(1, scheme.size)]
        if scheme.coarse is not None:
            allowed.insert(1, torch.from_numpy(scheme.reduction_matrix(scheme.coarse)).T)
        self.register_buffer("_allowed", torch.cat(allowed), persistent=False)
        self.register_buffer("_labels", torch.from_numpy(graph.labels), persistent=False)
        edges = torch.from_numpy(graph.edges.astype("float32"))
        self.register_buffer("_edges", edges, persistent=False)

    def transitions(self) -> Transitions:
        """Return the weights as a bundle keeps them."""
        rows = self.weights.detach().cpu().double().tolist()
        return Transitions(tuple(tuple(round(w, 6) for w in row) for row in rows), learned=True)

    def forward(self, logits: Tensor, classes: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean loss of the counted residues of a batch; zero if none counts.

        A sequence may be a piece: it begins and ends in any state. One whose labels break the
        grammar does not count.

        Parameters
        ----------
        logits, classes
            As for :func:`grubio.training.losses.label_loss`.
        lengths
            Residues of each sequence, int64 ``(batch,)``.
        """
        known = classes != IGNORED
        if not known.any():
            return 0 * (logits.sum() + self.weights.sum())
        emitted = (logits.softmax(dim=2) + _FLOOR)[:, :, self._labels]
        rows = torch.where(known, classes, len(self._allowed) - 1)
        of_labels = self._allowed[rows][:, :, self._labels]
        steps = self._edges * self.weights.exp()[self._labels][:, self._labels]
        inside = torch.arange(len(logits), device=logits.device)[:, None] < lengths
        # One loop over residues for both: its steps are small, and cost time by their number.
        both = torch.cat((emitted, emitted * of_labels), dim=1)
        sums, obeyed = _log_sum(both, steps, inside.repeat(1, 2))
        (all_paths, right_paths), possible = sums.chunk(2), obeyed.chunk(2)[1]
        losses = torch.where(possible, all_paths - right_paths, torch.zeros_like(all_paths))
        counted = (known & possible).sum().clamp_min(1)
        return losses.sum() / counted


def graph_of(scheme: LabelScheme) -> StateGraph:
    """Return the states of the grammar of a scheme; one for each class if it has none."""
    return scheme.graph or state_graph(Grammar(), scheme.letters)


def _log_sum(emitted: Tensor, steps: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    # Logarithm of the summed products of all paths, (batch,), and whether there are any.
    found: tuple[Tensor, Tensor] = _LogSum.apply(emitted, steps, inside)  # type: ignore[no-untyped-call]
    return found


class _LogSum(torch.autograd.Function):
    """Forward and backward sums (Rabiner, Proceedings of the IEEE 77:257, 1989).

    The gradient is made of posteriors, which are at most 1. Going back through the divisions of the
    forward sums instead would multiply what is all but impossible by what is all but infinite.
    """

    @staticmethod
    def forward(ctx: Any, emitted: Tensor, steps: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logarithms and whether there is a path; padding passes states on."""
        states, scales = torch.empty_like(emitted), emitted.new_ones(emitted.shape[:2])
        state = emitted[0]
        for time in range(len(emitted)):
            if time:
                state = torch.where(inside[time, :, None], (state @ steps) * emitted[time], state)
            scale = state.sum(dim=1)
            scales[time] = scale
            state = states[time] = state / scale.clamp_min(_LEAST)[:, None]
        possible = (scales > _LEAST).all(dim=0)
        ctx.save_for_backward(emitted, steps, inside, states, possible)
        ctx.mark_non_differentiable(possible)
        return scales.clamp_min(_LEAST).log().sum(dim=0), possible

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, _: Tensor) -> tuple[Tensor, Tensor, None]:
        """Return the gradients of what was emitted and of the steps."""
        emitted, steps, inside, states, possible = ctx.saved_tensors
        weight = torch.where(possible, gradient, torch.zeros_like(gradient))[:, None]
        posteriors, followed = torch.zeros_like(emitted), torch.zeros_like(emitted)
        rest = torch.ones_like(emitted[0])
        for time in range(len(emitted) - 1, -1, -1):
            joint = states[time] * rest
            here = inside[time, :, None]
            posteriors[time] = here * weight * joint / joint.sum(1, keepdim=True).clamp_min(_TINY)
            if time:
                ahead = emitted[time] * rest
                before = ahead @ steps.T
                paths = (states[time - 1] * before).sum(dim=1, keepdim=True)
                followed[time] = here * weight * ahead / paths.clamp_min(_TINY)
                rest = torch.where(
                    here, before / before.amax(1, keepdim=True).clamp_min(_TINY), rest
                )
        size = steps.shape[0]
        pairs = states[:-1].reshape(-1, size).T @ followed[1:].reshape(-1, size)
        return posteriors / emitted.clamp_min(_TINY), pairs, None
