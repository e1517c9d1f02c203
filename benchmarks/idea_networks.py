"""Networks of ideas in benchmarks/ideas.py that grubio itself does not have."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from grubio.model.networks.gru import GRU, GRULayer
from grubio.model.networks.recurrent import reversal_index


class Attention(GRU):
    """Each residue attends to all others of its chain; what it finds is added to its state."""

    def __init__(self, architecture: Any, channel_table: Any) -> None:
        super().__init__(architecture, channel_table)
        width = 2 * architecture.hidden_size
        self.over_states = nn.MultiheadAttention(width, 4)
        self.norm = nn.LayerNorm(width)

    def states(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        states = super().states(inputs, lengths)
        padding = torch.arange(len(states)).unsqueeze(0) >= lengths.unsqueeze(1)
        normed = self.norm(states)
        found: Tensor = self.over_states(
            normed, normed, normed, key_padding_mask=padding, need_weights=False
        )[0]
        return states + found


class LockedDropout(GRU):
    """The same units are dropped at all residues of a chain (Gal and Ghahramani, 2016)."""

    def __init__(self, architecture: Any, channel_table: Any) -> None:
        super().__init__(architecture, channel_table)
        self.dropout = _Locked(architecture.dropout)  # type: ignore[assignment]


class _Locked(nn.Module):
    def __init__(self, share: float) -> None:
        super().__init__()
        self.mask = nn.Dropout(share)

    def forward(self, states: Tensor) -> Tensor:
        kept: Tensor = states * self.mask(torch.ones_like(states[:1]))
        return kept


class _WeightDropped(GRULayer):
    def one_way(self, cell: nn.RNNBase, inputs: Tensor, *, by_hand: bool) -> Tensor:
        weights: dict[str, Tensor] = dict(cell.named_parameters())
        name = "weight_hh_l0"
        weights[name] = nn.functional.dropout(weights[name], 0.2, self.training)
        states: Tensor = torch.func.functional_call(cell, weights, (inputs,))[0]
        return states


class RecurrentDropout(GRU):
    """A fifth of the recurrent weights is dropped in each step (Merity et al., 2018)."""

    layer = _WeightDropped


class MaskedResidues(GRU):
    """In training a tenth of the residues is hidden."""

    def forward(self, codes: Tensor, lengths: Tensor, profiles: Tensor | None = None) -> Tensor:
        if self.training:
            hidden = torch.rand(codes.shape) < 0.1
            codes = codes.masked_fill(hidden, self.stem.pad_code)
        return super().forward(codes, lengths, profiles)


class NormedLayers(GRU):
    """Layer normalisation of the states, and residual connections above the first layer."""

    def __init__(self, architecture: Any, channel_table: Any) -> None:
        super().__init__(architecture, channel_table)
        width = 2 * architecture.hidden_size
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in self.layers)

    def states(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        states, reversal = inputs, reversal_index(lengths, len(inputs))
        for depth, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            new = self.dropout(norm(layer(states, reversal)))
            states = states + new if depth else new
        return states
