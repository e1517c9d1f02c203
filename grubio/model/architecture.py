"""Which network a model has, and its size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from grubio.model.networks.registry import ATTENTIONS, NETWORKS, AttentionName, NetworkName

InputName: TypeAlias = Literal["onehot", "profile"]
INPUT_NAMES: tuple[InputName, ...] = get_args(InputName)
"""What a network can read of each residue, in the order of its channels."""

WeightPrecision: TypeAlias = Literal["32", "16"]
"""Bits of a stored weight: float32 or float16."""


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
    attention
        Name in :data:`grubio.model.networks.registry.ATTENTIONS` of the attention over the states.
    inputs
        What it reads of each residue, of :data:`INPUT_NAMES`.

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
    inputs: tuple[InputName, ...] = ("onehot",)

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

    @property
    def reads_profiles(self) -> bool:
        """Whether it reads profiles beside the residues."""
        return "profile" in self.inputs
