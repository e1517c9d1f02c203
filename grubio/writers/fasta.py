"""FASTA of labels: ``>id``, then the label string on one line.

A residue without a confident label is ``?``, which grubio reads back as an unknown label.
"""

from __future__ import annotations

from typing import TextIO

from grubio.inference.labelled_sequence import LabelledSequence
from grubio.writers.text import PlainFormat


class LabelFastaFormat(PlainFormat):
    """See the module's text."""

    suffix = ".fasta"

    def write(self, out: TextIO, sequence: LabelledSequence) -> None:
        """Write one record."""
        out.write(f">{sequence.id}\n{sequence.labels}\n")
