"""Prediction: a stream of records in, a stream of predictions out, in the same order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from grubio.batching import batches_by_length, padded_codes
from grubio.bundle import Bundle
from grubio.devices import choose_device, use_threads
from grubio.record import Record
from grubio.scheme import LabelScheme

# Enough records to fill batches of like length, few enough to hold in memory.
_LOOK_AHEAD_RESIDUES = 500_000
_LOOK_AHEAD_RECORDS = 5_000
_BATCH_RESIDUES = 16_000


_Answer = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32] | None]


@dataclass(frozen=True)
class Prediction:
    """What the model says about one record.

    Attributes
    ----------
    record
        The record as it was read.
    probabilities
        Calibrated probabilities, float32 ``(residue, class)``, in the order of ``scheme``.
    scheme
        The classes.
    accessibility
        Relative solvent accessibility, float32 ``(residue,)``, from 0 to 1; None if the model does
        not predict it.
    """

    record: Record
    probabilities: npt.NDArray[np.float32]
    scheme: LabelScheme
    accessibility: npt.NDArray[np.float32] | None = None

    def reduced(self, target: LabelScheme) -> npt.NDArray[np.float32]:
        """Return probabilities in a coarser scheme, float32 ``(residue, class)``, by summing."""
        if target.letters == self.scheme.letters:
            return self.probabilities
        return self.probabilities @ self.scheme.reduction_matrix(target)

    def labels(self, target: LabelScheme | None = None) -> str:
        """Return the most probable label of each residue in a scheme, the model's by default."""
        return (target or self.scheme).decode(self.reduced(target or self.scheme).argmax(axis=1))


class Predictor:
    """Labels records in batches of like length and gives them back in the order they came.

    Parameters
    ----------
    bundle
        The model.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    threads
        CPU threads; all that the process may use by default.

    Raises
    ------
    GrubioError
        If the device is not there.
    """

    def __init__(self, bundle: Bundle, device: str = "auto", threads: int | None = None) -> None:
        use_threads(threads)
        self.bundle = bundle
        self.device = choose_device(device)
        self.model = bundle.model.to(self.device).eval()
        self._offsets = torch.tensor(bundle.offsets or [0.0] * bundle.scheme.size).to(self.device)

    def predict(self, records: Iterable[Record]) -> Iterator[Prediction]:
        """Yield one prediction for each record, in order, holding a bounded number at a time.

        Raises
        ------
        ValueError
            If a sequence is empty or has letters outside the alphabet; check records first with
            :func:`grubio.checking.checked_records`.
        """
        for window in _windows(records):
            codes = [self.bundle.alphabet.encode(record.sequence) for record in window]
            answers: dict[int, _Answer] = {}
            for batch in batches_by_length([len(c) for c in codes], _BATCH_RESIDUES):
                found = self._answers([codes[i] for i in batch])
                answers.update(zip(batch, found, strict=True))
            for index, record in enumerate(window):
                probabilities, accessibility = answers.pop(index)
                yield Prediction(record, probabilities, self.bundle.scheme, accessibility)

    def _answers(self, sequences: list[npt.NDArray[np.uint8]]) -> list[_Answer]:
        codes, lengths = padded_codes(sequences, self.bundle.alphabet.pad_code)
        with torch.inference_mode():
            logits, exposed = self.model(
                torch.from_numpy(codes).to(self.device), torch.from_numpy(lengths).to(self.device)
            )
            # (time, batch, class), at most a few megabytes
            calibrated = logits.float() / self.bundle.temperature + self._offsets
            scaled = torch.softmax(calibrated, dim=2).cpu().numpy()
            # (time, batch)
            exposure = None if exposed is None else exposed.float().cpu().numpy()
        return [
            (
                np.ascontiguousarray(scaled[:length, column]),
                None if exposure is None else np.ascontiguousarray(exposure[:length, column]),
            )
            for column, length in enumerate(lengths.tolist())
        ]


def _windows(records: Iterable[Record]) -> Iterator[list[Record]]:
    window: list[Record] = []
    residues = 0
    for record in records:
        if window and residues + len(record) > _LOOK_AHEAD_RESIDUES:
            yield window
            window, residues = [], 0
        window.append(record)
        residues += len(record)
        if len(window) == _LOOK_AHEAD_RECORDS:
            yield window
            window, residues = [], 0
    if window:
        yield window
