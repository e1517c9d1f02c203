"""Engines: sequences in, the outputs of a model for each residue out.

A network may have its own engine for CPUs (see :mod:`grubio.model.networks.registry`); any network
can compute padded batches on any device.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import torch

from grubio.model.batching import padded_codes
from grubio.model.engines.packed_rows import Codes
from grubio.model.heads import Outputs, mean_outputs
from grubio.model.labeller import Ensemble, Labeller, members_of
from grubio.model.networks.registry import engine_for

Engine: TypeAlias = Callable[[Sequence[Codes]], Outputs]
"""Returns the outputs ``(residue, ...)`` for sequences of residue codes ``(residue,)``, one after
another; they are those of the model but for rounding."""


def engine_of(model: Labeller | Ensemble, device: torch.device) -> Engine:
    """Return the engine for a model that is on the device already."""
    own = engine_for(model.architecture.network, model.architecture.attention)
    if own is None or device.type != "cpu":
        return PaddedEngine(model, device)
    engines = [own(labeller.network, list(labeller.heads)) for labeller in members_of(model)]
    if len(engines) == 1:
        return engines[0]  # type: ignore[no-any-return]

    def averaged(sequences: Sequence[Codes]) -> Outputs:
        with torch.inference_mode():
            return mean_outputs(model.targets, [engine(sequences) for engine in engines])

    return averaged


class PaddedEngine:
    """Computes padded batches with a model that is on the device already."""

    def __init__(self, model: Labeller | Ensemble, device: torch.device) -> None:
        self._model = model
        self._device = device
        self._pad_code = members_of(model)[0].network.stem.pad_code

    def __call__(self, sequences: Sequence[Codes]) -> Outputs:
        """Return the outputs for each residue; see :data:`Engine`."""
        codes, lengths = padded_codes(sequences, self._pad_code)
        inside = torch.from_numpy((np.arange(len(codes))[:, None] < lengths).T).to(self._device)
        with torch.inference_mode():
            outputs = self._model(
                torch.from_numpy(codes).to(self._device), torch.from_numpy(lengths).to(self._device)
            )
            # (time, batch, ...) to (residue, ...), sequence after sequence
            return {name: found.transpose(0, 1)[inside] for name, found in outputs.items()}
