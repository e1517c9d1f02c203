"""FASTA of labels: ``>id``, then the label string on one line.

A residue without a confident label is ``?``, which grubio reads back as an unknown label.
"""

from grubio.inference.labelled_sequence import LabelledSequence
from grubio.writers.text import TextFormat


class LabelFastaFormat(TextFormat[LabelledSequence]):
    """FASTA of labels."""

    def text(self, item: LabelledSequence) -> str:
        """Return one record."""
        return f">{item.id}\n{item.labels}\n"
