"""Tab-separated text: one line per residue.

Columns ``id, position`` (1-based)``, residue, label``, then ``p_<letter>`` for each class, to
four decimals, and ``rsa``, relative solvent accessibility, if the model predicts it. One header
line.
"""

from __future__ import annotations

from grubio.inference.labelled_sequence import LabelledSequence
from grubio.writers.text import TextFormat, tsv_line


class TsvFormat(TextFormat[LabelledSequence]):
    """A row per residue."""

    def header(self) -> str:
        """Return the line of column names."""
        names = ["id", "position", "residue", "label"]
        names += [f"p_{letter}" for letter in self.content.scheme.letters]
        return tsv_line(*names, *(["rsa"] if self.content.accessibility else []))

    def text(self, item: LabelledSequence) -> str:
        """Return one line per residue."""
        columns = [*item.probabilities.T]
        if self.content.accessibility and item.accessibility is not None:
            columns.append(item.accessibility)
        numbers = "\t%.4f" * len(columns)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return "".join(
            f"{item.id}\t{position}\t{residue}\t{label}{numbers % row}\n"
            for position, (residue, label, row) in enumerate(
                zip(item.sequence, item.labels, rows, strict=True), start=1
            )
        )
