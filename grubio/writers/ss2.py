"""PSIPRED's vertical format, ``.ss2``.

As PSIPRED 4 writes it, line by line: a comment that begins ``# PSIPRED VFORMAT``, an empty line,
then a line per residue, ``%4d %c %c  %6.3f %6.3f %6.3f``: position, residue, label, and the
probabilities of coil, helix and strand in that order. The id ends the comment, and an empty line
follows the last residue, so that several records can share a file. A label that is not confident
enough is ``?``, which PSIPRED itself never writes.
"""

from grubio import __version__
from grubio.inference.labelled_sequence import LabelledSequence
from grubio.writers.text import TextFormat


class Ss2Format(TextFormat[LabelledSequence]):
    """PSIPRED's vertical format."""

    def text(self, item: LabelledSequence) -> str:
        """Return one record, which has its own header, and an empty line after it."""
        order = [item.scheme.letters.index(letter) for letter in "CHE"]
        rows = item.probabilities[:, order].tolist()
        lines = [f"# PSIPRED VFORMAT (grubio V{__version__}) {item.id}\n\n"]
        lines += [
            "%4d %s %s  %6.3f %6.3f %6.3f\n" % (position, residue.upper(), label, *row)
            for position, (residue, label, row) in enumerate(
                zip(item.sequence, item.labels, rows, strict=True), start=1
            )
        ]
        return "".join(lines) + "\n"
