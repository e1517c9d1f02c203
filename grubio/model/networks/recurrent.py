"""What all recurrent networks share: two directions, layers, and the beginning of their weights.

Each layer runs one cell forwards and one backwards. The backward cell is a forward cell over each
sequence reversed within its own length. So padding always comes last and never affects a residue:
the states of a sequence do not depend on its batch.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from grubio.model.architecture import Architecture
from grubio.model.gru_gradient import reordered
from grubio.model.networks.dropout import Dropout
from grubio.model.networks.protocol import Network


class Recurrent(Network):
    """A stack of bidirectional layers of one cell.

    A subclass names its ``layer``.
    """

    layer: ClassVar[type[BidirectionalLayer]]

    def __init__(self, architecture: Architecture, channel_table: npt.NDArray[np.float32]) -> None:
        width = architecture.hidden_size
        super().__init__(architecture, channel_table, 2 * width)
        self.layers = nn.ModuleList(
            self.layer(2 * width if depth else self.stem.features, width)
            for depth in range(architecture.layers)
        )
        self.dropout = Dropout(architecture.dropout)

    def states(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Return states ``(time, batch, 2 * hidden)``; see :meth:`Network.states`."""
        states = inputs
        reversal = reversal_index(lengths, states.shape[0])
        for layer in self.layers:
            states = self.dropout(layer(states, reversal))
        return states


class BidirectionalLayer(nn.Module):
    """A cell in each direction; their states are concatenated.

    A subclass names its ``cell`` and the number of its ``gates``.
    """

    cell: ClassVar[type[nn.GRU | nn.LSTM | nn.RNN]]
    gates: ClassVar[int]

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.forwards = self.cell(input_size, hidden_size)
        self.backwards = self.cell(input_size, hidden_size)
        for cell in (self.forwards, self.backwards):
            weights = dict(cell.named_parameters())
            # Orthogonal recurrent matrices preserve the norm of the gradient over many steps.
            for gate in weights["weight_hh_l0"].detach().chunk(self.gates):
                nn.init.orthogonal_(gate)
            nn.init.xavier_uniform_(weights["weight_ih_l0"])

    def forward(self, inputs: Tensor, reversal: Tensor) -> Tensor:
        """Return states ``(time, batch, 2 * hidden)`` of inputs ``(time, batch, channel)``."""
        # On other devices and in mixed precision PyTorch's own gradients are faster.
        learning = torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")
        by_hand = learning and inputs.device.type == "cpu"
        turned = partial(_in_rows if by_hand else _gathered, index=reversal)
        ahead = self.one_way(self.forwards, inputs, by_hand=by_hand)
        behind = self.one_way(self.backwards, turned(inputs), by_hand=by_hand)
        return torch.cat((ahead, turned(behind)), dim=2)

    def one_way(self, cell: nn.RNNBase, inputs: Tensor, *, by_hand: bool) -> Tensor:
        """Return the states ``(time, batch, hidden)`` of a cell that reads from the first step.

        If ``by_hand``, a subclass may compute them with a gradient of its own.
        """
        states: Tensor = cell(inputs)[0]
        return states


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


def row_places(index: Tensor) -> Tensor:
    """Return the source of each row ``time * batch``, int64, for an index ``(time, batch)``.

    Examples
    --------
    >>> row_places(torch.tensor([[2, 1], [1, 0], [0, 2]])).tolist()
    [4, 3, 2, 1, 0, 5]
    """
    batch = index.shape[1]
    return (index * batch + torch.arange(batch, device=index.device)).flatten()


def _gathered(states: Tensor, index: Tensor) -> Tensor:
    # Gathers (time, batch, channel) along time by an index (time, batch).
    batch = torch.arange(states.shape[1], device=states.device)
    return states[index, batch]


def _in_rows(states: Tensor, index: Tensor) -> Tensor:
    return reordered(states, row_places(index))
