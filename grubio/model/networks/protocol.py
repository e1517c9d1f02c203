"""The base class of networks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from grubio.model.architecture import Architecture
from grubio.model.networks.stem import Stem


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
