"""The bidirectional LSTM.

The recurrence is that of :class:`torch.nn.LSTM` (Hochreiter and Schmidhuber, Neural Comput. 9:1735,
1997, with the forget gate of Gers et al., Neural Comput. 12:2451, 2000)::

    i = sigmoid(W_ii x + b_ii + W_hi h + b_hi)
    f = sigmoid(W_if x + b_if + W_hf h + b_hf)
    g = tanh(W_ig x + b_ig + W_hg h + b_hg)
    o = sigmoid(W_io x + b_io + W_ho h + b_ho)
    c' = f * c + i * g
    h' = o * tanh(c')
"""

from __future__ import annotations

from torch import nn

from grubio.model.networks.recurrent import BidirectionalLayer, Recurrent

_GATES = 4
_FORGET = 1
"""Place of the forget gate among the gates of a weight."""


class LSTMLayer(BidirectionalLayer):
    """An LSTM in each direction."""

    cell = nn.LSTM
    gates = _GATES

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        for cell in (self.forwards, self.backwards):
            # With a bias of 1 the cell keeps its content until it learns what to forget
            # (Jozefowicz et al., ICML 2015).
            biases = dict(cell.named_parameters())
            nn.init.ones_(biases["bias_ih_l0"].detach().chunk(_GATES)[_FORGET])
            nn.init.zeros_(biases["bias_hh_l0"].detach().chunk(_GATES)[_FORGET])


class LSTM(Recurrent):
    """A stack of bidirectional LSTM layers."""

    layer = LSTMLayer
