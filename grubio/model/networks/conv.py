"""A residual dilated convolution, to compare with: small, and blind beyond its reach."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from grubio.model.networks.protocol import Architecture, Network

WIDTH = 5
"""Places that a layer sees around each residue, itself among them."""
_LONGEST = 10
"""Dilation doubles from layer to layer and starts again at 1 after this many layers."""


class Conv(Network):
    """Layers of convolution, each added to what it read.

    The dilations are 1, 2, 4, ..., 512, and 1 again, as in van den Oord et al., arXiv:1609.03499,
    2016; n layers up to the tenth see ``2 * (2**n - 1)`` residues on each side.
    """

    def __init__(self, architecture: Architecture, channel_table: npt.NDArray[np.float32]) -> None:
        super().__init__(architecture, channel_table)
        self.features = width = architecture.hidden_size
        self.entrance = nn.Linear(self.stem.features, width)
        self.layers = nn.ModuleList(
            nn.Conv1d(width, width, WIDTH, padding="same", dilation=2 ** (depth % _LONGEST))
            for depth in range(architecture.layers)
        )
        self.dropout = nn.Dropout(architecture.dropout)

    def forward(self, codes: Tensor, lengths: Tensor) -> Tensor:
        """Return states ``(time, batch, feature)``; see :meth:`Network.forward`."""
        time = torch.arange(len(codes), device=codes.device)
        inside = (time < lengths.unsqueeze(1)).unsqueeze(1)
        states: Tensor = self.entrance(self.stem(codes)).permute(1, 2, 0)
        for layer in self.layers:
            # Padding is zeros again before each layer, as there are beyond the ends of a sequence.
            states = states * inside
            states = states + self.dropout(layer(states).relu())
        return states.permute(2, 0, 1)
