"""The base class of networks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from grubio.model.architecture import Architecture
from grubio.model.networks.registry import ATTENTIONS
from grubio.model.networks.stem import Stem


class Network(nn.Module):
    """Codes and lengths in, states out.

    The states of a sequence must not depend on padding or on the other sequences of the batch. A
    subclass defines :meth:`states`; attention over them, if the architecture has it, is added here.
    It computes on the device of its inputs and copies nothing to another. Its buffers must be
    persistent: those of a loaded model are read from the file of weights.

    Parameters
    ----------
    architecture
        The size of the network.
    channel_table
        Channels of each residue code, float32 ``(code, channel)``; the last row is padding.
    width
        Width of the states of :meth:`states`.

    Attributes
    ----------
    features
        Width of the states of :meth:`forward`.
    """

    def __init__(
        self, architecture: Architecture, channel_table: npt.NDArray[np.float32], width: int
    ) -> None:
        super().__init__()
        self.architecture = architecture
        self.stem = Stem(
            channel_table,
            architecture.stem_channels,
            architecture.stem_width,
            profile=architecture.reads_profiles,
        )
        kind = ATTENTIONS[architecture.attention].module
        self.attention = kind and kind(width, architecture.hidden_size)
        self.features: int = self.attention.features if self.attention else width

    def forward(self, codes: Tensor, lengths: Tensor, profiles: Tensor | None = None) -> Tensor:
        """Return states, float ``(time, batch, feature)``; those at padding mean nothing.

        Parameters
        ----------
        codes
            Residue codes, integer ``(time, batch)``, padded at the end.
        lengths
            Residues of each sequence, int64 ``(batch,)``.
        profiles
            Frequencies of the amino acids, ``(time, batch, 20)``, zeros at padding, for a network
            that reads them.
        """
        states = self.states(self.stem(codes, profiles), lengths)
        return self.attention(states, lengths) if self.attention else states

    def states(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Return states before attention, ``(time, batch, width)``.

        Parameters
        ----------
        inputs
            What the stem makes of the codes, float ``(time, batch, channel)``.
        lengths
            Residues of each sequence, int64 ``(batch,)``.
        """
        raise NotImplementedError
