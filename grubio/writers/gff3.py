"""GFF3: one feature per segment of equal labels, 1-based closed coordinates.

Format: the Sequence Ontology's GFF3 specification 1.26. Every record has a
``##sequence-region`` line, so that one without features is not lost; segments of the scheme's
background class (coil) are left out. Types are terms of the Sequence Ontology for secondary
structure and ``sequence_feature`` otherwise; the class stands in ``Name`` and ``label``. The
score is the mean probability of the class over the segment.
"""

from __future__ import annotations

import itertools
from typing import TextIO
from urllib.parse import quote

from grubio.inference import Prediction
from grubio.scheme import SS3, SS8, LabelScheme

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


class Gff3Format:
    """See the module's text."""

    suffix = ".gff3"

    def header(self, scheme: LabelScheme) -> str:
        """Return the version line."""
        return "##gff-version 3\n"

    def write(self, out: TextIO, prediction: Prediction, scheme: LabelScheme) -> None:
        """Write the region and the segments of one record."""
        seqid = quote(prediction.record.id, safe=SAFE)
        lines = [f"##sequence-region {seqid} 1 {len(prediction.record)}\n"]
        probabilities = prediction.reduced(scheme)
        terms = _TERMS.get(scheme.name, {})
        start = 0
        for label, run in itertools.groupby(prediction.labels(scheme)):
            end = start + len(list(run))
            if label != scheme.background:
                column = scheme.letters.index(label)
                score = float(probabilities[start:end, column].mean())
                name = quote(scheme.class_names[column], safe=" " + SAFE)
                lines.append(
                    f"{seqid}\tgrubio\t{terms.get(label, 'sequence_feature')}\t{start + 1}\t{end}"
                    f"\t{score:.3f}\t.\t.\tName={name};label={quote(label)}\n"
                )
            start = end
        out.write("".join(lines))
