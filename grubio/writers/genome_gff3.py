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

_NAMED_BY_ITSELF = (
    *("CDS", "gene", "pseudogene", "exon", "intron", "mRNA", "tRNA", "rRNA", "ncRNA", "tmRNA"),
    *("five_prime_UTR", "three_prime_UTR", "start_codon", "stop_codon", "polyA_site"),
    *("five_prime_cis_splice_site", "three_prime_cis_splice_site", "branch_site"),
    *("TSS", "promoter", "TATA_box", "minus_10_signal", "minus_35_signal", "terminator"),
    *("operator", "enhancer", "silencer", "insulator", "TF_binding_site", "CpG_island"),
    *("ribosome_entry_site", "polyA_signal_sequence", "origin_of_replication", "repeat_region"),
    *("mobile_genetic_element", "nucleotide_motif", "binding_site", "riboswitch", "CRISPR"),
)
_TERMS = {term.lower().removesuffix("_site"): term for term in _NAMED_BY_ITSELF} | {
    "coding": "CDS",
    "coding_sequence": "CDS",
    "donor": "five_prime_cis_splice_site",
    "acceptor": "three_prime_cis_splice_site",
    "minus10": "minus_10_signal",
    "minus35": "minus_35_signal",
    "start": "start_codon",
    "stop": "stop_codon",
    "rbs": "ribosome_entry_site",
    "shine_dalgarno": "ribosome_entry_site",
    "tfbs": "TF_binding_site",
    "tata": "TATA_box",
    "polya_signal": "polyA_signal_sequence",
    "5utr": "five_prime_UTR",
    "3utr": "three_prime_UTR",
    "motif": "nucleotide_motif",
}
_NOTHING_CLOSER = "sequence_feature"


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
                f"{seqid}\tgrubio\t{term_of(class_name)}"
                f"\t{feature.locus.start + 1}\t{feature.locus.end}\t{feature.score:.3f}"
                f"\t{feature.locus.strand}\t.\tName={name};label={quote(feature.letter)}\n"
            )
        return "".join(lines)


def term_of(class_name: str) -> str:
    """Return the term of the Sequence Ontology that a class's name is, or stands for.

    Examples
    --------
    >>> term_of("cds"), term_of("splice-donor"), term_of("minus10"), term_of("AP1")
    ('CDS', 'five_prime_cis_splice_site', 'minus_10_signal', 'sequence_feature')
    """
    plain = class_name.lower().replace("-", "_").removeprefix("splice_")
    return _TERMS.get(plain.removesuffix("_site").removesuffix("_splice"), _NOTHING_CLOSER)
