"""The base class of networks, and their settings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from grubio.model.networks.registry import ATTENTIONS, NETWORKS, AttentionName, NetworkName
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
    attention
        Name in :data:`grubio.model.networks.registry.ATTENTIONS` of the attention over the states.

    Raises
    ------
    ValueError
        If there is no such network or attention, or a size that no network can have.
    """

    network: NetworkName
    hidden_size: int
    layers: int
    dropout: float
    stem_channels: int = 0
    stem_width: int = 7
    attention: AttentionName = "none"

    def __post_init__(self) -> None:
        for what, name, known in (
            ("network", self.network, NETWORKS),
            ("attention", self.attention, ATTENTIONS),
        ):
            if name not in known:
                raise ValueError(f"there is no {what} '{name}', only {', '.join(known)}")
        sizes = {"hidden_size": 1, "layers": 1, "stem_channels": 0, "stem_width": 1}
        for setting, least in sizes.items():
            found = getattr(self, setting)
            if not isinstance(found, int) or found < least:
                raise ValueError(f"{setting} is {found!r}, {least} or more was expected")
        if self.stem_width % 2 == 0:
            raise ValueError(f"stem_width is {self.stem_width}, an odd number was expected")


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
        self.stem = Stem(channel_table, architecture.stem_channels, architecture.stem_width)
        kind = ATTENTIONS[architecture.attention].module
        self.attention = kind and kind(width, architecture.hidden_size)
        self.features: int = self.attention.features if self.attention else width

    def forward(self, codes: Tensor, lengths: Tensor) -> Tensor:
        """Return states, float ``(time, batch, feature)``; those at padding mean nothing.

        Parameters
        ----------
        codes
            Residue codes, integer ``(time, batch)``, padded at the end.
        lengths
            Residues of each sequence, int64 ``(batch,)``.
        """
        states = self.states(self.stem(codes), lengths)
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
