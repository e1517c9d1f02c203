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

from torch import Tensor, nn

from grubio.model.gru_gradient import states_of
from grubio.model.networks.recurrent import BidirectionalLayer, Recurrent


class GRULayer(BidirectionalLayer):
    """A GRU in each direction."""

    cell = nn.GRU
    gates = 3

    def one_way(self, cell: nn.RNNBase, inputs: Tensor, *, by_hand: bool) -> Tensor:
        """Return the states of a GRU; see :meth:`BidirectionalLayer.one_way`."""
        if by_hand:
            return states_of(cast("nn.GRU", cell), inputs)
        return super().one_way(cell, inputs, by_hand=by_hand)


class GRU(Recurrent):
    """A stack of bidirectional GRU layers."""

    layer = GRULayer
