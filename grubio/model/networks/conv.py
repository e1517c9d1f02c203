"""A small residual dilated convolution for comparison; it sees no further than its reach."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from grubio.model.architecture import Architecture
from grubio.model.networks.protocol import Network

WIDTH = 5
"""Kernel size of a layer."""
_CYCLE = 10
"""The dilation doubles from layer to layer and starts again at 1 after this many layers."""


class Conv(Network):
    """Convolutions, each added to its input.

    The dilations are 1, 2, 4, ..., 512, and 1 again, as in van den Oord et al., arXiv:1609.03499,
    2016; up to ten layers, n of them see ``2 * (2**n - 1)`` residues on each side.
    """

    def __init__(self, architecture: Architecture, channel_table: npt.NDArray[np.float32]) -> None:
        width = architecture.hidden_size
        super().__init__(architecture, channel_table, width)
        self.entrance = nn.Linear(self.stem.features, width)
        self.layers = nn.ModuleList(
            nn.Conv1d(width, width, WIDTH, padding="same", dilation=2 ** (depth % _CYCLE))
            for depth in range(architecture.layers)
        )
        self.dropout = nn.Dropout(architecture.dropout)

    def states(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Return states ``(time, batch, hidden)``; see :meth:`Network.states`."""
        time = torch.arange(len(inputs), device=inputs.device)
        inside = (time < lengths.unsqueeze(1)).unsqueeze(1)
        states: Tensor = self.entrance(inputs).permute(1, 2, 0)
        for layer in self.layers:
            # Padding is set to zero, as beyond the ends of a sequence, before each layer.
            states = states * inside
            states = states + self.dropout(layer(states).relu())
        return states.permute(2, 0, 1)
