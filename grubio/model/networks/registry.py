"""The networks by name.

A new network is a class in a file of this package and an entry here; the configuration, the command
line, model cards and the tests of networks follow from the entry.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

NetworkName: TypeAlias = Literal["gru", "lstm", "rnn", "conv"]
AttentionName: TypeAlias = Literal["none", "additive", "dot"]
Promise: TypeAlias = Literal["to the last bit", "to 1e-5"]


@dataclass(frozen=True)
class NetworkKind:
    """A network that a model can have.

    Attributes
    ----------
    description
        What it is, for model cards and documentation.
    promise
        How closely the outputs for a sequence agree on one CPU, whatever the other sequences, their
        order, batches or shards.
    class_path
        Its class, ``module:name``; see :class:`grubio.model.networks.protocol.Network`.
    engine_path
        Its engine for prediction on a CPU, ``module:name``: a function that takes a bundle and
        returns an engine (see :mod:`grubio.model.engines.engine`), without PyTorch. Without one,
        the network itself computes padded batches.
    """

    description: str
    promise: Promise
    class_path: str
    engine_path: str | None = None

    @property
    def network(self) -> Any:
        """The class; imports PyTorch."""
        return pkgutil.resolve_name(self.class_path)

    @property
    def engine(self) -> Any:
        """The function that returns its engine, or None."""
        return self.engine_path and pkgutil.resolve_name(self.engine_path)


@dataclass(frozen=True)
class AttentionKind:
    """A way in which the residues of a sequence attend to each other.

    Attributes
    ----------
    description
        What it is, for model cards and documentation.
    class_path
        Its class, ``module:name``; see :class:`grubio.model.networks.attention.Attention`.
    """

    description: str
    class_path: str | None = None

    @property
    def module(self) -> Any:
        """The class, or None; imports PyTorch."""
        return self.class_path and pkgutil.resolve_name(self.class_path)


NETWORKS: Mapping[NetworkName, NetworkKind] = {
    "gru": NetworkKind(
        "a bidirectional GRU",
        "to the last bit",
        "grubio.model.networks.gru:GRU",
        "grubio.model.engines.packed_gru:PackedGRU",
    ),
    "lstm": NetworkKind(
        "a bidirectional LSTM",
        "to 1e-5",
        "grubio.model.networks.lstm:LSTM",
    ),
    "rnn": NetworkKind(
        "a plain bidirectional recurrent network",
        "to 1e-5",
        "grubio.model.networks.rnn:RNN",
    ),
    "conv": NetworkKind(
        "a residual dilated convolution",
        "to the last bit",
        "grubio.model.networks.conv:Conv",
        "grubio.model.engines.dilated_conv:DilatedConv",
    ),
}


ATTENTIONS: Mapping[AttentionName, AttentionKind] = {
    "none": AttentionKind("the state of a residue alone goes into the heads"),
    "additive": AttentionKind(
        "additive attention over its states", "grubio.model.networks.attention:AdditiveAttention"
    ),
    "dot": AttentionKind(
        "scaled dot-product attention over its states",
        "grubio.model.networks.attention:DotAttention",
    ),
}


def engine_for(network: NetworkName, attention: AttentionName) -> Any:
    """Return the function that returns the engine of a network, or None if it has none.

    No engine knows attention.
    """
    return NETWORKS[network].engine if attention == "none" else None


def promise_of(network: NetworkName, attention: AttentionName) -> Promise:
    """Return how closely the outputs of a network with this attention agree."""
    return NETWORKS[network].promise if attention == "none" else "to 1e-5"


def described(network: NetworkName, attention: AttentionName) -> str:
    """Return what a network is, for model cards.

    Examples
    --------
    >>> described("rnn", "dot")
    'a plain bidirectional recurrent network with scaled dot-product attention over its states'
    """
    plain = NETWORKS[network].description
    return plain if attention == "none" else f"{plain} with {ATTENTIONS[attention].description}"


def described_networks() -> str:
    """Return the names and descriptions of all networks, for help texts."""
    return _listed(NETWORKS)


def described_attentions() -> str:
    """Return the names and descriptions of all kinds of attention, for help texts."""
    return _listed(ATTENTIONS)


def _listed(kinds: Mapping[Any, NetworkKind] | Mapping[Any, AttentionKind]) -> str:
    return ", ".join(f"`{name}` ({kind.description})" for name, kind in kinds.items())
