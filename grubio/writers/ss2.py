"""PSIPRED's vertical format, ``.ss2``.

As PSIPRED 4 writes it, line by line: a comment that begins ``# PSIPRED VFORMAT``, an empty line,
then a line per residue, ``%4d %c %c  %6.3f %6.3f %6.3f``: position, residue, label, and the
probabilities of coil, helix and strand in that order. The id ends the comment, and an empty line
follows the last residue, so that several records can share a file. A label that is not confident
enough is ``?``, which PSIPRED itself never writes.
"""

from __future__ import annotations

from typing import TextIO

from grubio import __version__
from grubio.inference.labelled_sequence import LabelledSequence
from grubio.sequences.scheme import LabelScheme
from grubio.writers.text import PlainFormat, require_three_states


class Ss2Format(PlainFormat):
    """See the module's text."""

    suffix = ".ss2"

    def header(self, scheme: LabelScheme) -> str:
        """Return nothing: each record has its own header."""
        require_three_states(scheme, "ss2")
        return ""

    def write(self, out: TextIO, sequence: LabelledSequence) -> None:
        """Write one record and an empty line after it."""
        order = [sequence.scheme.letters.index(letter) for letter in "CHE"]
        rows = sequence.probabilities[:, order].tolist()
        lines = [f"# PSIPRED VFORMAT (grubio V{__version__}) {sequence.id}\n\n"]
        lines += [
            "%4d %s %s  %6.3f %6.3f %6.3f\n" % (position, residue.upper(), label, *row)
            for position, (residue, label, row) in enumerate(
                zip(sequence.sequence, sequence.labels, rows, strict=True), start=1
            )
        ]
        out.write("".join(lines) + "\n")
