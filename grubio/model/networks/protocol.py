"""The base class of networks, and their settings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from grubio.model.networks.registry import NetworkName
from grubio.model.networks.stem import Stem


@dataclass(frozen=True)
class Architecture:
    """Name and size of a network; every network uses all of the settings.

    Attributes
    ----------
    network
        Its name in :data:`grubio.model.networks.registry.NETWORKS`.
    hidden_size
        Width of a layer, or of one direction of it.
    layers
        Number of layers.
    dropout
        Share of units dropped after every layer in training.
    stem_channels, stem_width
        Channels and kernel size of the convolution before the first layer, see :class:`Stem`.
    """

    network: NetworkName
    hidden_size: int
    layers: int
    dropout: float
    stem_channels: int = 0
    stem_width: int = 7


class Network(nn.Module):
    """Codes and lengths in, states out.

    A subclass sets ``features``, the width of its states, and computes :meth:`states` from what the
    stem makes of the codes. The states of a sequence must not depend on padding or on the other
    sequences of the batch. It computes on the device of its inputs and
    copies nothing to another. Its buffers must be persistent: those of a loaded model are read from
    the file of weights.

    Parameters
    ----------
    architecture
        The size of the network.
    channel_table
        Channels of each residue code, float32 ``(code, channel)``; the last row is padding.
    """

    features: int

    def __init__(self, architecture: Architecture, channel_table: npt.NDArray[np.float32]) -> None:
        super().__init__()
        self.architecture = architecture
        self.stem = Stem(channel_table, architecture.stem_channels, architecture.stem_width)

    def forward(self, codes: Tensor, lengths: Tensor) -> Tensor:
        """Return states, float ``(time, batch, feature)``; those at padding mean nothing.

        Parameters
        ----------
        codes
            Residue codes, integer ``(time, batch)``, padded at the end.
        lengths
            Residues of each sequence, int64 ``(batch,)``.
        """
        return self.states(self.stem(codes), lengths)

    def states(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Return states ``(time, batch, feature)`` of the stem's ``(time, batch, channel)``."""
        raise NotImplementedError
