"""Tab-separated text: one line per residue.

Columns ``id, position`` (1-based)``, residue, label``, then ``p_<letter>`` for each class, to four
decimals, and the columns of additional targets: of values one such as ``rsa`` (relative solvent
accessibility), of classes the label and the probabilities. One header line.
"""

from grubio.inference.labelled_sequence import LabelledSequence
from grubio.writers.text import TextFormat, tsv_line


class TsvFormat(TextFormat[LabelledSequence]):
    """A row per residue."""

    def header(self) -> str:
        """Return the line of column names."""
        names = ["id", "position", "residue", "label"]
        names += [f"p_{letter}" for letter in self.content.scheme.letters]
        return tsv_line(*names, *(name for t in self.content.additional for name in t.columns))

    def text(self, item: LabelledSequence) -> str:
        """Return one line per residue."""
        columns = [*item.probabilities.T, *item.additional_columns().values()]
        cells = "".join("\t%s" if isinstance(one, list) else "\t%.4f" for one in columns)
        lists = (one if isinstance(one, list) else one.tolist() for one in columns)
        rows = zip(*lists, strict=True)
        return "".join(
            f"{item.id}\t{position}\t{residue}\t{label}{cells % row}\n"
            for position, (residue, label, row) in enumerate(
                zip(item.sequence, item.labels, rows, strict=True), start=1
            )
        )
