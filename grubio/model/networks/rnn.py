"""The plain bidirectional recurrent network, to compare with: it has no gates.

The recurrence is that of :class:`torch.nn.RNN` (Elman, Cogn. Sci. 14:179, 1990)::

    h' = tanh(W_i x + b_i + W_h h + b_h)

The gradient through many steps is a product of as many matrices, so that it vanishes or explodes
(Bengio et al., IEEE Trans. Neural Netw. 5:157, 1994).
"""

from __future__ import annotations

from torch import nn

from grubio.model.networks.recurrent import BidirectionalLayer, Recurrent


class RNNLayer(BidirectionalLayer):
    """A plain recurrent cell in each direction."""

    cell = nn.RNN
    gates = 1


class RNN(Recurrent):
    """A stack of plain bidirectional recurrent layers."""

    layer = RNNLayer
