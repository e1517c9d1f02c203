"""FASTA of labels: ``>id``, then the label string on one line."""

from __future__ import annotations

from typing import TextIO

from grubio.inference import Prediction
from grubio.scheme import LabelScheme


class LabelFastaFormat:
    """See the module's text."""

    suffix = ".fasta"

    def header(self, scheme: LabelScheme) -> str:
        """Return nothing: FASTA has no header."""
        return ""

    def write(self, out: TextIO, prediction: Prediction, scheme: LabelScheme) -> None:
        """Write one record."""
        out.write(f">{prediction.record.id}\n{prediction.labels(scheme)}\n")
