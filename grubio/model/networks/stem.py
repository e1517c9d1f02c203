"""The input of a network's first layer: what is known of the residues, and a convolution."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn


class Stem(nn.Module):
    """One-hot residues and their profiles, concatenated with a convolution of both.

    Parameters
    ----------
    channel_table
        Channels of each residue code, float32 ``(code, channel)``; the last row is padding.
    channels
        Channels of the convolution; 0 for none.
    width
        Kernel size of the convolution, an odd number.
    profile
        Whether profiles are read; they have as many channels as residues.
    """

    channel_table: Tensor

    def __init__(
        self,
        channel_table: npt.NDArray[np.float32],
        channels: int,
        width: int,
        *,
        profile: bool = False,
    ) -> None:
        super().__init__()
        self.register_buffer("channel_table", torch.from_numpy(channel_table), persistent=False)
        self.reads_profiles = profile
        own = channel_table.shape[1] * (2 if profile else 1)
        self.convolution = nn.Conv1d(own, channels, width, padding="same") if channels else None
        self.features = own + channels

    @property
    def pad_code(self) -> int:
        """The residue code of padding."""
        return len(self.channel_table) - 1

    def forward(self, codes: Tensor, profiles: Tensor | None = None) -> Tensor:
        """Return channels, float ``(time, batch, channel)``.

        Parameters
        ----------
        codes
            Residue codes, integer ``(time, batch)``.
        profiles
            Frequencies of the amino acids, ``(time, batch, 20)``, zeros at padding; looked at only
            if they are read.

        Raises
        ------
        ValueError
            If profiles are read and there are none.
        """
        inputs = self.channel_table[codes.long()]
        if self.reads_profiles:
            if profiles is None:
                raise ValueError("the network reads profiles, and there are none")
            inputs = torch.cat((inputs, profiles.to(inputs.dtype)), dim=2)
        if self.convolution is None:
            return inputs
        # The channels of padding are zeros, as beyond the ends of a sequence.
        local = self.convolution(inputs.permute(1, 2, 0)).relu().permute(2, 0, 1)
        return torch.cat((inputs, local), dim=2)
