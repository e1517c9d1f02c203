"""PSIPRED's horizontal format, ``.horiz``.

As PSIPRED 4 writes it, line by line: a comment that begins ``# PSIPRED HFORMAT``, then blocks of
60 residues. A block is an empty line, ``Conf:`` (one digit a residue), ``Pred:``, ``AA:``, a ruler
with every tenth position, and an empty line. The digit is ten times the difference between the
best and the second-best probability, rounded down, and never more than 9. The id ends the
comment, so that several records can share a file.

Differences from PSIPRED: no empty block after a length that is a multiple of 60, no blanks after
the last number of a ruler, and ``?`` in ``Pred:`` where a label is not confident enough.
"""

import numpy as np

from grubio import __version__
from grubio.inference.labelled_sequence import LabelledSequence
from grubio.writers.text import TextFormat

_WIDTH = 60


class HorizFormat(TextFormat[LabelledSequence]):
    """PSIPRED's horizontal format."""

    def text(self, item: LabelledSequence) -> str:
        """Return one record, which has its own header."""
        ranked = np.sort(item.probabilities, axis=1)
        digits = np.minimum(10 * (ranked[:, -1] - ranked[:, -2]), 9).astype(int)
        confidence = "".join(map(str, digits))
        labels, residues = item.labels, item.sequence.upper()
        parts = [f"# PSIPRED HFORMAT (grubio V{__version__}) {item.id}\n"]
        for start in range(0, len(residues), _WIDTH):
            end = min(start + _WIDTH, len(residues))
            ruler = "".join(f"{tenth:10d}" for tenth in range(start + 10, end + 1, 10))
            parts.append(
                f"\nConf: {confidence[start:end]}\nPred: {labels[start:end]}\n"
                f"  AA: {residues[start:end]}\n      {ruler}\n\n"
            )
        return "".join(parts)
