"""Tab-separated text: one line per residue.

Columns ``id, position`` (1-based)``, residue, label``, then ``p_<letter>`` for each class, to
four decimals. One header line.
"""

from __future__ import annotations

from typing import TextIO

from grubio.inference import Prediction
from grubio.scheme import LabelScheme


class TsvFormat:
    """See the module's text."""

    suffix = ".tsv"

    def header(self, scheme: LabelScheme) -> str:
        """Return the line of column names."""
        return (
            "\t".join(["id", "position", "residue", "label", *(f"p_{c}" for c in scheme.letters)])
            + "\n"
        )

    def write(self, out: TextIO, prediction: Prediction, scheme: LabelScheme) -> None:
        """Write one line per residue."""
        record = prediction.record
        numbers = "\t%.4f" * scheme.size
        lines = [
            f"{record.id}\t{position}\t{residue}\t{label}{numbers % tuple(row)}\n"
            for position, (residue, label, row) in enumerate(
                zip(
                    record.sequence,
                    prediction.labels(scheme),
                    prediction.reduced(scheme).tolist(),
                    strict=True,
                ),
                start=1,
            )
        ]
        out.write("".join(lines))
