"""GFF3 of a genome: one line per called feature, 1-based closed coordinates.

Format: the Sequence Ontology's GFF3 specification 1.26. Every contig has a ``##sequence-region``
line, also one without features. Types are terms of the Sequence Ontology where the class's name
says one, and ``sequence_feature`` otherwise; the class stands in ``Name`` and ``label``.
"""

from __future__ import annotations

from urllib.parse import quote

from grubio.inference.called_features import CalledStretch
from grubio.writers.gff3 import SAFE, gff3_header
from grubio.writers.text import TextFormat, tsv_line

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


class GenomeGff3Format(TextFormat[CalledStretch]):
    """GFF3 of a genome."""

    def header(self) -> str:
        """Return the version line, and a comment with the model."""
        return gff3_header(self.content)

    def text(self, item: CalledStretch) -> str:
        """Return the lines of features, after the region's line at the start of a contig."""
        stretch, features = item
        seqid = quote(stretch.contig, safe=SAFE)
        lines = [f"##sequence-region {seqid} 1 {stretch.length}\n"] if stretch.start == 0 else []
        for feature in features:
            class_name = stretch.scheme.class_names[stretch.scheme.letters.index(feature.letter)]
            name = quote(class_name, safe=" " + SAFE)
            term = term_of(class_name)
            locus = feature.locus
            place = (locus.start + 1, locus.end, f"{feature.score:.3f}", locus.strand, ".")
            about = f"Name={name};label={quote(feature.letter)}"
            lines.append(tsv_line(seqid, "grubio", term, *place, about))
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
