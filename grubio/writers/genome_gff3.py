"""GFF3 of a genome: one line per called feature, 1-based closed coordinates.

Format: the Sequence Ontology's GFF3 specification 1.26. Every contig has a ``##sequence-region``
line, also one without features. Types are terms of the Sequence Ontology where the class's name
says one, and ``sequence_feature`` otherwise; the class stands in ``Name`` and ``label``.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from grubio.inference.stretches import Stretch
from grubio.sequences.called_feature import CalledFeature
from grubio.writers.genome_text import PlainGenomeFormat
from grubio.writers.gff3 import SAFE

_TERMS = {
    "minus10": "minus_10_signal",
    "minus35": "minus_35_signal",
    "tss": "TSS",
    "promoter": "promoter",
    "terminator": "terminator",
    "rbs": "ribosome_entry_site",
    "tfbs": "TF_binding_site",
    "start_codon": "start_codon",
    "stop_codon": "stop_codon",
}


class GenomeGff3Format(PlainGenomeFormat):
    """See the module's text."""

    def header(self) -> str:
        """Return the version line."""
        return "##gff-version 3\n"

    def text(self, stretch: Stretch, features: Sequence[CalledFeature]) -> str:
        """Return the lines of features, after the region's line at the start of a contig."""
        seqid = quote(stretch.contig, safe=SAFE)
        lines = [f"##sequence-region {seqid} 1 {stretch.length}\n"] if stretch.start == 0 else []
        for feature in features:
            class_name = stretch.scheme.class_names[stretch.scheme.letters.index(feature.letter)]
            name = quote(class_name, safe=" " + SAFE)
            lines.append(
                f"{seqid}\tgrubio\t{_TERMS.get(class_name.lower(), 'sequence_feature')}"
                f"\t{feature.locus.start + 1}\t{feature.locus.end}\t{feature.score:.3f}"
                f"\t{feature.locus.strand}\t.\tName={name};label={quote(feature.letter)}\n"
            )
        return "".join(lines)
