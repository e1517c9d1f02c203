"""Tab-separated text: one line per residue.

Columns ``id, position`` (1-based)``, residue, label``, then ``p_<letter>`` for each class, to
four decimals, and ``rsa``, relative solvent accessibility, if the model predicts it. One header
line.
"""

from __future__ import annotations

from typing import TextIO

from grubio.inference.labelled_sequence import LabelledSequence
from grubio.sequences.scheme import LabelScheme
from grubio.writers.text import PlainFormat


class TsvFormat(PlainFormat):
    """See the module's text.

    Parameters
    ----------
    accessibility
        Whether to write the column ``rsa``.
    """

    suffix = ".tsv"

    def __init__(self, *, accessibility: bool = False) -> None:
        self._accessibility = accessibility

    def header(self, scheme: LabelScheme) -> str:
        """Return the line of column names."""
        names = ["id", "position", "residue", "label", *(f"p_{c}" for c in scheme.letters)]
        return "\t".join([*names, *(["rsa"] if self._accessibility else [])]) + "\n"

    def write(self, out: TextIO, sequence: LabelledSequence) -> None:
        """Write one line per residue."""
        columns = [*sequence.probabilities.T]
        if self._accessibility and sequence.accessibility is not None:
            columns.append(sequence.accessibility)
        numbers = "\t%.4f" * len(columns)
        lines = [
            f"{sequence.id}\t{position}\t{residue}\t{label}{numbers % row}\n"
            for position, (residue, label, row) in enumerate(
                zip(
                    sequence.sequence,
                    sequence.labels,
                    zip(*(column.tolist() for column in columns), strict=True),
                    strict=True,
                ),
                start=1,
            )
        ]
        out.write("".join(lines))
