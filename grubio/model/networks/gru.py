"""The bidirectional GRU.

The recurrence is that of :class:`torch.nn.GRU` (Cho et al., EMNLP 2014, with the reset gate
applied after the recurrent matrix product)::

    r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)
    z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
    n = tanh(W_in x + b_in + r * (W_hn h + b_hn))
    h' = (1 - z) * n + z * h
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from grubio.model.gru_gradient import states_of
from grubio.model.gru_mixed import layer_states
from grubio.model.networks.recurrent import BidirectionalLayer, Recurrent, row_places


class GRULayer(BidirectionalLayer):
    """A GRU in each direction."""

    cell = nn.GRU
    gates = 3

    def forward(self, inputs: Tensor, reversal: Tensor) -> Tensor:
        """Return states; see :meth:`BidirectionalLayer.forward`."""
        if inputs.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
            places = row_places(reversal)
            products = torch.get_autocast_dtype("cpu")
            both = cast("nn.GRU", self.forwards), cast("nn.GRU", self.backwards)
            return layer_states(*both, inputs, places, products)
        return super().forward(inputs, reversal)

    def one_way(self, cell: nn.RNNBase, inputs: Tensor, *, by_hand: bool) -> Tensor:
        """Return the states of a GRU; see :meth:`BidirectionalLayer.one_way`."""
        if by_hand:
            return states_of(cast("nn.GRU", cell), inputs)
        return super().one_way(cell, inputs, by_hand=by_hand)


class GRU(Recurrent):
    """A stack of bidirectional GRU layers."""

    layer = GRULayer
