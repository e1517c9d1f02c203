"""Attention over the states of a network: each residue looks at all residues of its sequence.

Queries, keys and values are linear maps of the states, each as wide as a layer. The context of a
residue is the mean of the values, weighted by the softmax of its scores with all keys. It is joined
to the residue's own state. Padding gets a score of minus infinity, so that its weight is zero.

No module here needs memory for the scores of all pairs of residues at once.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from torch.utils.checkpoint import checkpoint

_BLOCK = 2**20
"""Numbers that additive attention holds at once, unless a single query needs more."""


class Attention(nn.Module):
    """States in, states with their context out.

    Parameters
    ----------
    features
        Width of the states.
    width
        Width of queries, keys, values and context.
    """

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.queries = nn.Linear(features, width)
        # A bias of the keys would add the same to all scores of a query.
        self.keys = nn.Linear(features, width, bias=False)
        self.values = nn.Linear(features, width)
        self.features = features + width
        for layer in (self.queries, self.keys, self.values):
            nn.init.xavier_uniform_(layer.weight)

    def forward(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Return states joined to their context, ``(time, batch, features + width)``.

        Parameters
        ----------
        states
            Float ``(time, batch, features)``.
        lengths
            Residues of each sequence, int64 ``(batch,)``.
        """
        time = torch.arange(len(states), device=states.device)
        inside = (time < lengths.unsqueeze(1)).unsqueeze(1)
        rows = states.transpose(0, 1)
        context = self.context(self.queries(rows), self.keys(rows), self.values(rows), inside)
        return torch.cat((states, context.transpose(0, 1)), dim=2)

    def context(self, queries: Tensor, keys: Tensor, values: Tensor, inside: Tensor) -> Tensor:
        """Return the context of each query, ``(batch, time, width)``.

        Parameters
        ----------
        queries, keys, values
            Float ``(batch, time, width)``.
        inside
            Which keys are residues and not padding, bool ``(batch, 1, time)``.
        """
        raise NotImplementedError


class DotAttention(Attention):
    """Scores are scaled products ``q . k / sqrt(width)`` (Vaswani et al., NeurIPS 2017)."""

    def context(self, queries: Tensor, keys: Tensor, values: Tensor, inside: Tensor) -> Tensor:
        """Return the context; see :meth:`Attention.context`."""
        query, key, value = (part.unsqueeze(1) for part in (queries, keys, values))
        return scaled_dot_product_attention(query, key, value, inside.unsqueeze(1)).squeeze(1)


class AdditiveAttention(Attention):
    """Scores are ``v . tanh(q + k)`` (Bahdanau et al., ICLR 2015)."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__(features, width)
        self.score = nn.Linear(width, 1, bias=False)

    def context(self, queries: Tensor, keys: Tensor, values: Tensor, inside: Tensor) -> Tensor:
        """Return the context, in blocks of queries; see :meth:`Attention.context`."""
        together = max(1, _BLOCK // max(1, keys.numel()))
        parts = [
            # In training the scores of a block are computed again for its gradient, not kept.
            checkpoint(self._block, part, keys, values, inside, use_reentrant=False)
            for part in torch.split(queries, together, dim=1)
        ]
        return torch.cat(parts, dim=1)

    def _block(self, queries: Tensor, keys: Tensor, values: Tensor, inside: Tensor) -> Tensor:
        scores: Tensor = self.score((queries.unsqueeze(2) + keys.unsqueeze(1)).tanh()).squeeze(3)
        weights = scores.masked_fill(~inside, -torch.inf).softmax(dim=2)
        return torch.bmm(weights.to(values.dtype), values)
