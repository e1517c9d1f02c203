"""Tables by segment and by sequence, tab-separated.

``segments`` has one line per segment: ``id, start, end`` (1-based, both inside)``, label,
class, length, confidence`` (mean probability of the class, to four decimals). Segments of the
background are included, so that the segments cover a sequence, unless residues have no confident
label or segments are too short.

``summary`` has one line per sequence: ``id, length, confidence`` (mean probability of the most
probable class), ``fraction_<letter>`` for each class, ``fraction_?`` (residues without a
confident label), and ``longest_<letter>``, residues of the longest segment of each class. A model
that reads profiles adds ``depth``, the sequences in the alignment.
"""

from grubio.inference.labelled_sequence import LabelledSequence
from grubio.sequences.scheme import UNKNOWN_LABEL
from grubio.writers.text import TextFormat, tsv_line


class SegmentFormat(TextFormat[LabelledSequence]):
    """One line per segment."""

    def header(self) -> str:
        """Return the line of column names."""
        return tsv_line("id", "start", "end", "label", "class", "length", "confidence")

    def text(self, item: LabelledSequence) -> str:
        """Return the segments of one sequence."""
        return "".join(
            tsv_line(item.id, s.start, s.end, s.label, s.class_name, len(s), f"{s.confidence:.4f}")
            for s in item.segments()
        )


class SummaryFormat(TextFormat[LabelledSequence]):
    """One line per sequence."""

    def header(self) -> str:
        """Return the line of column names."""
        letters = self.content.scheme.letters
        shares = [f"fraction_{letter}" for letter in (*letters, UNKNOWN_LABEL)]
        longest = [f"longest_{letter}" for letter in letters]
        depth = ["depth"] if self.content.depth else []
        return tsv_line("id", "length", "confidence", *shares, *longest, *depth)

    def text(self, item: LabelledSequence) -> str:
        """Return the line of one sequence."""
        found = item.summary()
        shares = [found.confidence, *found.fractions.values(), found.unlabelled]
        cells = [f"{share:.4f}" for share in shares]
        depth = [item.depth or 0] if self.content.depth else []
        return tsv_line(item.id, found.length, *cells, *found.longest.values(), *depth)
