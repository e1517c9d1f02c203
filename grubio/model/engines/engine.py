"""Engines: sequences in, the outputs of a model for each residue out.

A network may have its own engine for CPUs (see :mod:`grubio.model.networks.registry`), which needs
nothing but numpy; any network can compute padded batches on any device with PyTorch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from grubio.errors import GrubioError
from grubio.extras import require
from grubio.model.bundle import Bundle
from grubio.model.engines.packed_rows import Codes, Frequencies
from grubio.model.networks.registry import described, engine_for
from grubio.model.outputs import Outputs


class Engine(Protocol):
    """What computes a model."""

    def __call__(
        self, sequences: Sequence[Codes], profiles: Sequence[Frequencies] | None = None, /
    ) -> Outputs:
        """Return the outputs for sequences, one after another.

        They are those of the model but for rounding.

        Parameters
        ----------
        sequences
            Residue codes of each, ``(residue,)``.
        profiles
            That of each sequence, ``(residue, 20)``, for a model that reads them.
        """


def has_own_engine(bundle: Bundle, device: str) -> bool:
    """Return whether a model is computed without PyTorch on a device."""
    return device == "cpu" and _own_engine(bundle) is not None


def engine_of(bundle: Bundle, device: str = "cpu") -> Engine:
    """Return the engine for a model on a device.

    Raises
    ------
    GrubioError
        If the weights do not fit the network, or PyTorch is needed and is not installed.
    """
    try:
        if not has_own_engine(bundle, device):
            return _padded_engine(bundle, device)
        own: Engine = _own_engine(bundle)(bundle)
    except (KeyError, ValueError, RuntimeError) as error:
        problem = f"the weights of {bundle.name} do not fit its network: {error}"
        raise GrubioError(problem) from error
    return own


def _own_engine(bundle: Bundle) -> Any:
    engines = {engine_for(a.network, a.attention) for a in bundle.architectures}
    return engines.pop() if len(engines) == 1 else None


def _padded_engine(bundle: Bundle, device: str) -> Engine:
    networks = dict.fromkeys(described(a.network, a.attention) for a in bundle.architectures)
    require("torch", f"{' with '.join(networks)} on the device '{device}'")
    from grubio.model.engines.padded import PaddedEngine

    return PaddedEngine(bundle, device)
