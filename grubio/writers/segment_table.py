"""Tables by segment and by sequence, tab-separated.

``segments`` has one line per segment: ``id, start, end`` (1-based, both inside)``, label,
class, length, confidence`` (mean probability of the class, to four decimals). Segments of the
background are there too, so that the segments of a sequence cover it, unless residues have no
confident label or segments are too short.

``summary`` has one line per sequence: ``id, length, confidence`` (mean probability of the most
probable class), ``fraction_<letter>`` for each class, ``fraction_?`` (residues without a
confident label), and ``longest_<letter>``, residues of the longest segment of each class.
"""

from __future__ import annotations

from typing import TextIO

from grubio.inference.labelled_sequence import LabelledSequence
from grubio.sequences.scheme import UNKNOWN_LABEL, LabelScheme
from grubio.writers.text import PlainFormat


class SegmentFormat(PlainFormat):
    """One line per segment."""

    suffix = ".segments.tsv"

    def header(self, scheme: LabelScheme) -> str:
        """Return the line of column names."""
        return "id\tstart\tend\tlabel\tclass\tlength\tconfidence\n"

    def write(self, out: TextIO, sequence: LabelledSequence) -> None:
        """Write the segments of one sequence."""
        out.write(
            "".join(
                f"{sequence.id}\t{s.start}\t{s.end}\t{s.label}\t{s.class_name}\t{len(s)}"
                f"\t{s.confidence:.4f}\n"
                for s in sequence.segments()
            )
        )


class SummaryFormat(PlainFormat):
    """One line per sequence."""

    suffix = ".summary.tsv"

    def header(self, scheme: LabelScheme) -> str:
        """Return the line of column names."""
        names = ["id", "length", "confidence"]
        names += [f"fraction_{letter}" for letter in (*scheme.letters, UNKNOWN_LABEL)]
        return "\t".join([*names, *(f"longest_{letter}" for letter in scheme.letters)]) + "\n"

    def write(self, out: TextIO, sequence: LabelledSequence) -> None:
        """Write the line of one sequence."""
        found = sequence.summary()
        shares = [found.confidence, *found.fractions.values(), found.unlabelled]
        cells = [sequence.id, str(found.length), *(f"{share:.4f}" for share in shares)]
        out.write("\t".join([*cells, *map(str, found.longest.values())]) + "\n")
