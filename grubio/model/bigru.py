"""The bidirectional GRU labeller: codes in, logits out, nothing but tensors.

A convolution over neighbouring residues may stand before the GRU; the first layer then sees its
channels beside the one-hot residue.

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

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from grubio.model.gru_gradient import reordered, states_of


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
    stem_channels
        Channels of the convolution before the first layer; 0 is none.
    stem_width
        Residues that the convolution sees, an odd number.
    accessibility
        Whether there is an output for relative solvent accessibility.
    members
        Networks whose answers are averaged.
    """

    channels: int
    classes: int
    hidden_size: int
    layers: int
    dropout: float
    stem_channels: int = 0
    stem_width: int = 7
    accessibility: bool = False
    members: int = 1


class Outputs(NamedTuple):
    """What a labeller says; what stands at padding means nothing.

    Attributes
    ----------
    logits
        Float ``(time, batch, class)``.
    accessibility
        Relative solvent accessibility, float ``(time, batch)``, from 0 to 1; or None.
    """

    logits: Tensor
    accessibility: Tensor | None


Labeller: TypeAlias = "BiGRULabeller | Ensemble"


class BiGRULabeller(nn.Module):
    """A stack of bidirectional GRU layers with a linear head for each output.

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
        self.stem = (
            nn.Conv1d(
                architecture.channels,
                architecture.stem_channels,
                architecture.stem_width,
                padding="same",
            )
            if architecture.stem_channels
            else None
        )
        self.layers = nn.ModuleList(
            BiGRULayer(
                architecture.channels + architecture.stem_channels
                if depth == 0
                else 2 * architecture.hidden_size,
                architecture.hidden_size,
            )
            for depth in range(architecture.layers)
        )
        self.dropout = nn.Dropout(architecture.dropout)
        self.head = nn.Linear(2 * architecture.hidden_size, architecture.classes)
        self.accessibility_head = (
            nn.Linear(2 * architecture.hidden_size, 1) if architecture.accessibility else None
        )

    def forward(self, codes: Tensor, lengths: Tensor) -> Outputs:
        """Return the outputs of a batch; parameters as of :meth:`states`."""
        return self.outputs(self.states(codes, lengths))

    def outputs(self, states: Tensor) -> Outputs:
        """Return the outputs of the last layer's states ``(time, batch, 2 * hidden)``."""
        accessibility = None
        if self.accessibility_head is not None:
            accessibility = self.accessibility_head(states).squeeze(2).sigmoid()
        return Outputs(self.head(states), accessibility)

    def states(self, codes: Tensor, lengths: Tensor) -> Tensor:
        """Return the last layer's states, float ``(time, batch, 2 * hidden)``.

        Parameters
        ----------
        codes
            Residue codes, integer ``(time, batch)``, padded at the end.
        lengths
            Residues of each sequence, int64 ``(batch,)``.
        """
        states = self.channel_table[codes.long()]
        if self.stem is not None:
            # Padding has channels of zeros, as there are beyond the ends of a sequence.
            local = self.stem(states.permute(1, 2, 0)).relu().permute(2, 0, 1)
            states = torch.cat((states, local), dim=2)
        return self.stacked(states, lengths)

    def stacked(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Return the last layer's states of inputs ``(time, batch, channel)``."""
        reversal = reversal_index(lengths, states.shape[0])
        for layer in self.layers:
            states = self.dropout(layer(states, reversal))
        return states


class Ensemble(nn.Module):
    """Networks of one architecture whose answers are averaged.

    Logits are the means of the members' log-probabilities, and accessibility is the mean.

    Parameters
    ----------
    members
        The networks.

    Raises
    ------
    ValueError
        If their architectures differ.
    """

    def __init__(self, members: Sequence[BiGRULabeller]) -> None:
        super().__init__()
        first = members[0].architecture
        if any(member.architecture != first for member in members):
            raise ValueError("the members of an ensemble must have the same architecture")
        self.architecture = replace(first, members=len(members))
        self.members = nn.ModuleList(members)

    def forward(self, codes: Tensor, lengths: Tensor) -> Outputs:
        """Return the outputs of a batch; see :meth:`BiGRULabeller.states`."""
        answers: list[Outputs] = [member(codes, lengths) for member in self.members]
        logits = torch.stack([answer.logits.log_softmax(dim=2) for answer in answers]).mean(dim=0)
        parts = [a.accessibility for a in answers if a.accessibility is not None]
        return Outputs(logits, torch.stack(parts).mean(dim=0) if parts else None)


def new_labeller(architecture: Architecture, channel_table: npt.NDArray[np.float32]) -> Labeller:
    """Return a network with fresh weights: one labeller, or an ensemble of them."""
    one = replace(architecture, members=1)
    if architecture.members == 1:
        return BiGRULabeller(one, channel_table)
    return Ensemble([BiGRULabeller(one, channel_table) for _ in range(architecture.members)])


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
        if _has_own_gradient(inputs):
            rows = (reversal * inputs.shape[1] + torch.arange(inputs.shape[1])).flatten()
            ahead = states_of(self.forwards, inputs)
            behind = states_of(self.backwards, reordered(inputs, rows))
            return torch.cat((ahead, reordered(behind, rows)), dim=2)
        ahead, _ = self.forwards(inputs)
        behind, _ = self.backwards(_reordered(inputs, reversal))
        return torch.cat((ahead, _reordered(behind, reversal)), dim=2)


def _has_own_gradient(inputs: Tensor) -> bool:
    # On other devices and in mixed precision PyTorch's own GRU is the faster one.
    return (
        inputs.device.type == "cpu"
        and torch.is_grad_enabled()
        and not torch.is_autocast_enabled("cpu")
    )


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
