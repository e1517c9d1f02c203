"""Tab-separated text: one line per residue.

Columns ``id, position`` (1-based)``, residue, label``, then ``p_<letter>`` for each class, to four
decimals, and the columns of additional targets: of values one such as ``rsa`` (relative solvent
accessibility), and if it is predicted their standard deviation, as ``<name>_sd``; of classes the
label and the probabilities. A model of values alone has no labels. A model that
reads profiles adds ``depth``, the sequences in the alignment. One header line.
"""

from grubio.inference.labelled_sequence import LabelledSequence
from grubio.writers.text import TextFormat, tsv_line


class TsvFormat(TextFormat[LabelledSequence]):
    """A row per residue."""

    def header(self) -> str:
        """Return the line of column names."""
        names = ["id", "position", "residue", *["label"] * bool(self.content.scheme.size)]
        names += [f"p_{letter}" for letter in self.content.scheme.letters]
        names += [name for target in self.content.additional for name in target.columns]
        return tsv_line(*names, *(["depth"] if self.content.depth else []))

    def text(self, item: LabelledSequence) -> str:
        """Return one line per residue."""
        labels = [list(item.labels)] if item.scheme.size else []
        columns = [*labels, *item.probabilities.T, *item.additional_columns().values()]
        if self.content.depth:
            columns.append(item.depth_column().tolist())
        cells = "".join("\t%s" if isinstance(one, list) else "\t%.4f" for one in columns)
        lists = (one if isinstance(one, list) else one.tolist() for one in columns)
        rows = zip(*lists, strict=True)
        return "".join(
            f"{item.id}\t{position}\t{residue}{cells % row}\n"
            for position, (residue, row) in enumerate(
                zip(item.sequence, rows, strict=True), start=1
            )
        )
