"""The bidirectional GRU.

Each layer runs one GRU forwards and one backwards. The backward GRU is a forward GRU over each
sequence reversed within its own length. So padding always comes last and never affects a residue:
the states of a sequence do not depend on its batch.

The recurrence is that of :class:`torch.nn.GRU` (Cho et al., EMNLP 2014, with the reset gate
applied after the recurrent matrix product)::

    r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)
    z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
    n = tanh(W_in x + b_in + r * (W_hn h + b_hn))
    h' = (1 - z) * n + z * h
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from grubio.model.architecture import Architecture
from grubio.model.gru_gradient import reordered, states_of
from grubio.model.networks.protocol import Network


class GRU(Network):
    """A stack of bidirectional GRU layers."""

    def __init__(self, architecture: Architecture, channel_table: npt.NDArray[np.float32]) -> None:
        super().__init__(architecture, channel_table)
        width = architecture.hidden_size
        self.features = 2 * width
        self.layers = nn.ModuleList(
            GRULayer(2 * width if depth else self.stem.features, width)
            for depth in range(architecture.layers)
        )
        self.dropout = nn.Dropout(architecture.dropout)

    def states(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Return states ``(time, batch, 2 * hidden)``; see :meth:`Network.states`."""
        states = inputs
        reversal = reversal_index(lengths, len(states))
        for layer in self.layers:
            states = self.dropout(layer(states, reversal))
        return states


class GRULayer(nn.Module):
    """A GRU in each direction; their states are concatenated."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.forwards = nn.GRU(input_size, hidden_size)
        self.backwards = nn.GRU(input_size, hidden_size)
        for gru in (self.forwards, self.backwards):
            weights = dict(gru.named_parameters())
            # Orthogonal recurrent matrices preserve the norm of the gradient over many steps.
            for gate in weights["weight_hh_l0"].detach().chunk(3):
                nn.init.orthogonal_(gate)
            nn.init.xavier_uniform_(weights["weight_ih_l0"])

    def forward(self, inputs: Tensor, reversal: Tensor) -> Tensor:
        """Return states ``(time, batch, 2 * hidden)`` of inputs ``(time, batch, channel)``."""
        mixed = torch.is_autocast_enabled("cpu")
        # On other devices and in mixed precision PyTorch's own GRU is faster.
        if inputs.device.type == "cpu" and torch.is_grad_enabled() and not mixed:
            rows = (reversal * inputs.shape[1] + torch.arange(inputs.shape[1])).flatten()
            ahead = states_of(self.forwards, inputs)
            behind = states_of(self.backwards, reordered(inputs, rows))
            return torch.cat((ahead, reordered(behind, rows)), dim=2)
        ahead, _ = self.forwards(inputs)
        behind, _ = self.backwards(_reordered(inputs, reversal))
        return torch.cat((ahead, _reordered(behind, reversal)), dim=2)


def reversal_index(lengths: Tensor, steps: int) -> Tensor:
    """Return the source of each step of the reversed sequences, int64 ``(time, batch)``.

    Sequences are reversed within their own length and padding stays in place, so applying the
    index twice changes nothing.

    Examples
    --------
    >>> reversal_index(torch.tensor([3, 2]), 3).T.tolist()
    [[2, 1, 0], [1, 0, 2]]
    """
    time = torch.arange(steps, device=lengths.device).unsqueeze(1)
    return torch.where(time < lengths, lengths - 1 - time, time)


def _reordered(states: Tensor, index: Tensor) -> Tensor:
    # Gathers (time, batch, channel) along time by an index (time, batch).
    batch = torch.arange(states.shape[1], device=states.device)
    return states[index, batch]
