"""Attention over the states of a network: each residue looks at all residues of its sequence.

Queries, keys and values are linear maps of the states. The context of a residue is the mean of all
values, each as wide as a layer, weighted by the softmax of the residue's scores with all keys. It
is joined to the residue's own state. Padding gets a score of minus infinity, so its weight is zero.

No module here needs memory for the scores of all pairs of residues at once.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from torch.utils.checkpoint import checkpoint

_UNITS = 32
"""Units of the network that scores a query and a key in additive attention."""
_BLOCK = 2**20
"""Numbers that additive attention holds at once, unless a single query needs more."""


class Attention(nn.Module):
    """States in, states with their context out.

    Parameters
    ----------
    features
        Width of the states.
    width
        Width of values and context.
    units
        Width of queries and keys.
    """

    def __init__(self, features: int, width: int, units: int) -> None:
        super().__init__()
        self.queries = nn.Linear(features, units)
        # The queries have a bias; another one of the keys would change nothing.
        self.keys = nn.Linear(features, units, bias=False)
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
        queries, keys
            Float ``(batch, time, unit)``.
        values
            Float ``(batch, time, width)``.
        inside
            Which keys are residues and not padding, bool ``(batch, 1, time)``.
        """
        raise NotImplementedError


class DotAttention(Attention):
    """Scores are scaled products ``q . k / sqrt(width)`` (Vaswani et al., NeurIPS 2017)."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__(features, width, width)

    def context(self, queries: Tensor, keys: Tensor, values: Tensor, inside: Tensor) -> Tensor:
        """Return the context; see :meth:`Attention.context`."""
        query, key, value = (part.unsqueeze(1) for part in (queries, keys, values))
        return scaled_dot_product_attention(query, key, value, inside.unsqueeze(1)).squeeze(1)


class AdditiveAttention(Attention):
    """Scores are ``v . tanh(q + k)`` (Bahdanau et al., ICLR 2015)."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__(features, width, _UNITS)
        self.score = nn.Linear(_UNITS, 1, bias=False)

    def context(self, queries: Tensor, keys: Tensor, values: Tensor, inside: Tensor) -> Tensor:
        """Return the context, in blocks of queries; see :meth:`Attention.context`."""
        together = max(1, _BLOCK // max(1, keys.numel()))
        # tanh(a) = 2 sigmoid(2 a) - 1, in a fraction of the time; the softmax cancels the -1.
        queries, keys = 2 * queries, 2 * keys
        parts = [
            # In training the scores of a block are computed again for its gradient, not kept.
            checkpoint(self._block, part, keys, values, inside, use_reentrant=False)
            for part in torch.split(queries, together, dim=1)
        ]
        return torch.cat(parts, dim=1)

    def _block(self, queries: Tensor, keys: Tensor, values: Tensor, inside: Tensor) -> Tensor:
        hidden = (queries.unsqueeze(2) + keys.unsqueeze(1)).sigmoid_()
        scores: Tensor = 2 * self.score(hidden).squeeze(3)
        weights = scores.masked_fill(~inside, -torch.inf).softmax(dim=2)
        return torch.bmm(weights.to(values.dtype), values)
