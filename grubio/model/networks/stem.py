"""The input of a network's first layer: one-hot residues and a convolution of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn


class Stem(nn.Module):
    """One-hot residues, concatenated with a convolution of them if it has channels.

    Parameters
    ----------
    channel_table
        Channels of each residue code, float32 ``(code, channel)``; the last row is padding.
    channels
        Channels of the convolution; 0 for none.
    width
        Kernel size of the convolution, an odd number.
    """

    channel_table: Tensor

    def __init__(self, channel_table: npt.NDArray[np.float32], channels: int, width: int) -> None:
        super().__init__()
        self.register_buffer("channel_table", torch.from_numpy(channel_table), persistent=False)
        onehot = channel_table.shape[1]
        self.convolution = nn.Conv1d(onehot, channels, width, padding="same") if channels else None
        self.features = onehot + channels

    @property
    def pad_code(self) -> int:
        """The residue code of padding."""
        return len(self.channel_table) - 1

    def forward(self, codes: Tensor) -> Tensor:
        """Return channels, float ``(time, batch, channel)``, of residue codes ``(time, batch)``."""
        residues = self.channel_table[codes.long()]
        if self.convolution is None:
            return residues
        # The channels of padding are zeros, as beyond the ends of a sequence.
        local = self.convolution(residues.permute(1, 2, 0)).relu().permute(2, 0, 1)
        return torch.cat((residues, local), dim=2)
