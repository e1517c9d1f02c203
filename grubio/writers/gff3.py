"""GFF3: one feature per segment of equal labels, 1-based closed coordinates.

Format: the Sequence Ontology's GFF3 specification 1.26. Every record has a
``##sequence-region`` line, so that one without features is not lost. Segments of the scheme's
background class (coil) are left out, and residues without a confident label belong to none.
Types are terms of the Sequence Ontology for secondary structure and ``sequence_feature``
otherwise; the class stands in ``Name`` and ``label``. The score is the mean probability of the
class over the segment.
"""

from __future__ import annotations

from urllib.parse import quote

from grubio.inference.labelled_sequence import LabelledSequence
from grubio.sequences.scheme import SS3, SS8
from grubio.writers.text import Content, TextFormat, tsv_line

_TERMS = {
    SS3.name: {"H": "alpha_helix", "E": "beta_strand"},
    SS8.name: {
        "H": "alpha_helix",
        "G": "three_ten_helix",
        "I": "pi_helix",
        "E": "beta_strand",
        "T": "polypeptide_turn_motif",
    },
}
SAFE = ".:^*$@!+?|-_"
"""The characters that the specification allows in column 1 without escape."""


def gff3_header(content: Content) -> str:
    """Return the version line, and a comment with the model."""
    return "##gff-version 3\n" + (f"# grubio model {content.model}\n" if content.model else "")


class Gff3Format(TextFormat[LabelledSequence]):
    """GFF3 of sequences."""

    def header(self) -> str:
        """Return the version line, and a comment with the model."""
        return gff3_header(self.content)

    def text(self, item: LabelledSequence) -> str:
        """Return the region and the segments of one record."""
        seqid = quote(item.id, safe=SAFE)
        lines = [f"##sequence-region {seqid} 1 {len(item)}\n"]
        terms = _TERMS.get(item.scheme.name, {})
        for segment in item.segments():
            if segment.label != item.scheme.background:
                name = quote(segment.class_name, safe=" " + SAFE)
                term = terms.get(segment.label, "sequence_feature")
                place = (segment.start, segment.end, f"{segment.confidence:.3f}", ".", ".")
                about = f"Name={name};label={quote(segment.label)}"
                lines.append(tsv_line(seqid, "grubio", term, *place, about))
        return "".join(lines)
