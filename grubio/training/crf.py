"""A linear-chain conditional random field (Lafferty, McCallum and Pereira, ICML 2001) as a loss.

The states are those of the grammar of a scheme. The score of a path is the sum of the logits of its
labels and of the weights of its steps from label to label. The loss is the negative logarithm of
the share that the paths with the known labels have among all paths: labels that are unknown, or
known only as classes of the coarse scheme, leave several paths.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from grubio.model.batching import IGNORED
from grubio.sequences.decoding import Transitions
from grubio.sequences.grammar import Grammar, StateGraph, state_graph
from grubio.sequences.scheme import LabelScheme

_LEAST = 1e-30


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
        emitted = logits.float().log_softmax(dim=2)[:, :, self._labels].exp()
        rows = torch.where(known, classes, len(self._allowed) - 1)
        of_labels = self._allowed[rows][:, :, self._labels]
        steps = self._edges * self.weights.exp()[self._labels][:, self._labels]
        inside = torch.arange(len(logits), device=logits.device)[:, None] < lengths
        all_paths, _ = _log_sum(emitted, steps, inside)
        right_paths, possible = _log_sum(emitted * of_labels, steps, inside)
        losses = torch.where(possible, all_paths - right_paths, torch.zeros_like(all_paths))
        counted = (known & possible).sum().clamp_min(1)
        return losses.sum() / counted


def graph_of(scheme: LabelScheme) -> StateGraph:
    """Return the states of the grammar of a scheme; one for each class if it has none."""
    return scheme.graph or state_graph(Grammar(), scheme.letters)


def _log_sum(emitted: Tensor, steps: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    # Logarithm of the summed products of all paths, (batch,), and whether there are any.
    scale = emitted[0].sum(dim=1)
    state = emitted[0] / scale.clamp_min(_LEAST)[:, None]
    scales = [scale]
    for time in range(1, len(emitted)):
        state = (state @ steps) * emitted[time]
        scale = state.sum(dim=1)
        state = state / scale.clamp_min(_LEAST)[:, None]
        scales.append(scale)
    all_scales = torch.stack(scales)
    possible = ((all_scales > _LEAST) | ~inside).all(dim=0)
    return (all_scales.clamp_min(_LEAST).log() * inside).sum(dim=0), possible
