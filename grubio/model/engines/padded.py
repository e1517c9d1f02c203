"""The engine of networks without an engine of their own: padded batches, computed by PyTorch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from grubio.model.batching import padded_codes, padded_profiles
from grubio.model.bundle import Bundle
from grubio.model.engines.packed_rows import Codes, Frequencies
from grubio.model.labeller import model_of
from grubio.model.outputs import Outputs


class PaddedEngine:
    """Computes padded batches of a model on a device."""

    def __init__(self, bundle: Bundle, device: str) -> None:
        self._device = torch.device(device)
        self._model = model_of(bundle).to(self._device)
        self._pad_code = bundle.alphabet.pad_code

    def __call__(
        self, sequences: Sequence[Codes], profiles: Sequence[Frequencies] | None = None
    ) -> Outputs:
        """Return the outputs for each residue; see :data:`grubio.model.engines.engine.Engine`."""
        codes, lengths = padded_codes(sequences, self._pad_code)
        inside = torch.from_numpy((np.arange(len(codes))[:, None] < lengths).T).to(self._device)
        given = (codes, lengths, padded_profiles(profiles or ()))
        with torch.inference_mode():
            outputs = self._model(
                *(None if one is None else torch.from_numpy(one).to(self._device) for one in given)
            )
            # (time, batch, ...) to (residue, ...), sequence after sequence
            return {
                name: found.transpose(0, 1)[inside].float().cpu().numpy()
                for name, found in outputs.items()
            }
