"""The networks by name.

A new network is a class in a file of this package and an entry here; the configuration, the command
line, model cards and the tests of networks follow from the entry.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

NetworkName: TypeAlias = Literal["gru", "conv"]
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
        Its engine for prediction on a CPU, ``module:name``: a function that takes a network and
        heads and returns an engine (see :mod:`grubio.model.engines.engine`). Without one, the
        network itself computes padded batches.
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


NETWORKS: Mapping[NetworkName, NetworkKind] = {
    "gru": NetworkKind(
        "a bidirectional GRU",
        "to the last bit",
        "grubio.model.networks.gru:GRU",
        "grubio.model.engines.packed_gru:PackedGRU",
    ),
    "conv": NetworkKind(
        "a residual dilated convolution",
        "to 1e-5",
        "grubio.model.networks.conv:Conv",
    ),
}


def described_networks() -> str:
    """Return the names and descriptions of all networks, for help texts."""
    return ", ".join(f"`{name}` ({kind.description})" for name, kind in NETWORKS.items())
