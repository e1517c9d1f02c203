"""Which network a model has, and its size."""

from __future__ import annotations

from dataclasses import dataclass

from grubio.model.networks.registry import NetworkName


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
        Channels and kernel size of the convolution before the first layer, see
        :class:`grubio.model.networks.stem.Stem`.
    """

    network: NetworkName
    hidden_size: int
    layers: int
    dropout: float
    stem_channels: int = 0
    stem_width: int = 7
