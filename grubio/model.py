"""The bidirectional GRU labeller: codes in, logits out, nothing but tensors.

Each layer runs one GRU forwards and one backwards. The backward GRU is a forward GRU over each
sequence reversed within its own length, so padding always comes last and never reaches a
residue: an answer does not depend on the batch that it was computed in.

The recurrence is that of :class:`torch.nn.GRU` (Cho et al., EMNLP 2014, with the reset gate
applied after the recurrent matrix product)::

    r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)
    z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
    n = tanh(W_in x + b_in + r * (W_hn h + b_hn))
    h' = (1 - z) * n + z * h
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Architecture:
    """Shape of a labeller.

    Attributes
    ----------
    channels
        One-hot channels of a residue.
    classes
        Number of labels.
    hidden_size
        Width of one direction of one layer.
    layers
        Number of bidirectional layers.
    dropout
        Share of units dropped after every layer while training.
    """

    channels: int
    classes: int
    hidden_size: int
    layers: int
    dropout: float


class BiGRULabeller(nn.Module):
    """A stack of bidirectional GRU layers and a linear head.

    Parameters
    ----------
    architecture
        Shape of the network.
    channel_table
        Channels of each residue code, float32 ``(code, channel)``; the last row is padding.
    """

    channel_table: Tensor

    def __init__(self, architecture: Architecture, channel_table: npt.NDArray[np.float32]) -> None:
        super().__init__()
        self.architecture = architecture
        self.register_buffer("channel_table", torch.from_numpy(channel_table), persistent=False)
        self.layers = nn.ModuleList(
            BiGRULayer(
                architecture.channels if depth == 0 else 2 * architecture.hidden_size,
                architecture.hidden_size,
            )
            for depth in range(architecture.layers)
        )
        self.dropout = nn.Dropout(architecture.dropout)
        self.head = nn.Linear(2 * architecture.hidden_size, architecture.classes)

    def forward(self, codes: Tensor, lengths: Tensor) -> Tensor:
        """Return logits, float ``(time, batch, class)``; what stands at padding means nothing.

        Parameters
        ----------
        codes
            Residue codes, integer ``(time, batch)``, padded at the end.
        lengths
            Residues of each sequence, int64 ``(batch,)``.
        """
        reversal = reversal_index(lengths, codes.shape[0])
        states = self.channel_table[codes.long()]
        for layer in self.layers:
            states = self.dropout(layer(states, reversal))
        logits: Tensor = self.head(states)
        return logits


class BiGRULayer(nn.Module):
    """One GRU in each direction; their states side by side."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.forwards = nn.GRU(input_size, hidden_size)
        self.backwards = nn.GRU(input_size, hidden_size)
        for gru in (self.forwards, self.backwards):
            weights = dict(gru.named_parameters())
            # Orthogonal recurrent matrices keep the gradient's norm over many steps.
            for gate in weights["weight_hh_l0"].detach().chunk(3):
                nn.init.orthogonal_(gate)
            nn.init.xavier_uniform_(weights["weight_ih_l0"])

    def forward(self, inputs: Tensor, reversal: Tensor) -> Tensor:
        """Return states ``(time, batch, 2 * hidden)`` of inputs ``(time, batch, channel)``."""
        ahead, _ = self.forwards(inputs)
        behind, _ = self.backwards(_reordered(inputs, reversal))
        return torch.cat((ahead, _reordered(behind, reversal)), dim=2)


def reversal_index(lengths: Tensor, steps: int) -> Tensor:
    """Return, int64 ``(time, batch)``, where each step of the reversed sequences comes from.

    Sequences are reversed within their own length and padding stays where it is, so applying
    the index twice changes nothing.

    Examples
    --------
    >>> reversal_index(torch.tensor([3, 2]), 3).T.tolist()
    [[2, 1, 0], [1, 0, 2]]
    """
    time = torch.arange(steps, device=lengths.device).unsqueeze(1)
    return torch.where(time < lengths, lengths - 1 - time, time)


def _reordered(states: Tensor, index: Tensor) -> Tensor:
    # (time, batch, channel) gathered along time with one index (time, batch) for all channels.
    batch = torch.arange(states.shape[1], device=states.device)
    return states[index, batch]
