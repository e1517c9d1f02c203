"""GFF3, 1-based closed coordinates: segments of sequences, or called features of a genome.

Format: the Sequence Ontology's GFF3 specification 1.26. Every record has a ``##sequence-region``
line, so that one without features is not lost. Types are terms of the Sequence Ontology for the
class, or ``sequence_feature`` where it has none; the class itself is in ``Name`` and ``label``.

Segments of a sequence's background class (coil) are left out, and residues without a confident
label belong to none. Their score is the mean probability of the class over the segment. Membrane
topology has the terms of :mod:`grubio.sequences.topology`. Regions of values, such as disordered
ones, have the mean value as their score, and the name of the target as ``label``.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import TypeVar
from urllib.parse import quote

from grubio.inference.called_features import CalledRegion
from grubio.inference.called_introns import CalledIntron
from grubio.inference.labelled_sequence import LabelledSequence, Labelling, segments_of
from grubio.sequences.called_feature import CalledGene
from grubio.sequences.kind import Kind
from grubio.sequences.scheme import SS3, SS8, LabelScheme
from grubio.sequences.topology import TERMS, roles_of, topology
from grubio.writers.text import TextFormat, tsv_line

_SECONDARY_STRUCTURE = {
    SS3.name: {"H": "alpha_helix", "E": "beta_strand"},
    SS8.name: {
        "H": "alpha_helix",
        "G": "three_ten_helix",
        "I": "pi_helix",
        "E": "beta_strand",
        "T": "polypeptide_turn_motif",
    },
}
_REGIONS = {"disordered": "intrinsically_unstructured_polypeptide_region"}
_TERMS_OF_GENOMES = (
    *("CDS", "gene", "pseudogene", "exon", "intron", "mRNA", "tRNA", "rRNA", "ncRNA", "tmRNA"),
    *("five_prime_UTR", "three_prime_UTR", "start_codon", "stop_codon", "polyA_site"),
    *("five_prime_cis_splice_site", "three_prime_cis_splice_site", "branch_site"),
    *("TSS", "promoter", "TATA_box", "minus_10_signal", "minus_35_signal", "terminator"),
    *("operator", "enhancer", "silencer", "insulator", "TF_binding_site", "CpG_island"),
    *("ribosome_entry_site", "polyA_signal_sequence", "origin_of_replication", "repeat_region"),
    *("mobile_genetic_element", "nucleotide_motif", "binding_site", "riboswitch", "CRISPR"),
)
_GENOME_TERMS = {term.lower().removesuffix("_site"): term for term in _TERMS_OF_GENOMES} | {
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

_SAFE = ".:^*$@!+?|-_"
"""The characters that the specification allows in column 1 without escape."""

_ItemT = TypeVar("_ItemT")


class _Gff3(TextFormat[_ItemT]):
    def header(self) -> str:
        model = self.content.model
        return "##gff-version 3\n" + (f"# grubio model {model}\n" if model else "")


class Gff3Format(_Gff3[LabelledSequence]):
    """GFF3 of sequences."""

    def text(self, item: LabelledSequence) -> str:
        """Return the region, the segments of all labels, and the regions of values of a record."""
        lines = [_region(item.id, len(item))]
        for own in item.labellings:
            terms, left_out = terms_of(own.scheme, "sequences"), _left_out(own)
            lines += [
                _feature(
                    item.id,
                    terms[one.label],
                    (one.start, one.end, f"{one.confidence:.3f}", "."),
                    one.class_name,
                    one.label,
                )
                for one in (item.segments() if own.target is None else segments_of(own))
                if one.label not in left_out
            ]
        for region in item.regions():
            place = (region.start, region.end, f"{region.mean:.3f}", ".")
            term = term_of_region(region.name)
            lines.append(_feature(item.id, term, place, region.name, region.target))
        return "".join(lines)


def _left_out(own: Labelling) -> set[str]:
    # The background. Sides are features of proteins with membrane helices alone: the inside of a
    # barrel is no cytoplasm.
    found = topology(own.labels, own.probabilities, own.scheme)
    left = set() if own.scheme.background is None else {own.scheme.background}
    if found is not None and (found.strands or not found.helices):
        roles = roles_of(own.scheme) or {}
        left |= {letter for letter, role in roles.items() if role in ("inside", "outside")}
    return left


class GenomeGff3Format(_Gff3[CalledRegion]):
    """GFF3 of a genome."""

    def text(self, item: CalledRegion) -> str:
        """Return the lines of features, after that of the contig at its start."""
        region, features, introns = item
        lines = [_region(region.contig, region.length)] if region.start == 0 else []
        for one in features:
            if isinstance(one, CalledGene):
                lines.append(_gene(one))
                continue
            name = region.scheme.class_names[region.scheme.letters.index(one.letter)]
            place = (one.locus.start + 1, one.locus.end, f"{one.score:.3f}", one.locus.strand)
            lines.append(_feature(region.contig, term_of(name), place, name, one.letter))
        return "".join([*lines, *_introns(introns)])


def terms_of(scheme: LabelScheme, kind: Kind) -> dict[str, str]:
    """Return the term of the Sequence Ontology for each class, by letter."""
    if kind == "genome":
        named = zip(scheme.letters, scheme.class_names, strict=True)
        return {letter: term_of(name) for letter, name in named}
    terms = _SECONDARY_STRUCTURE.get(scheme.name, {})
    if (roles := roles_of(scheme)) is not None:
        terms = {letter: TERMS[role] for letter, role in roles.items()}
    return {letter: terms.get(letter, _NOTHING_CLOSER) for letter in scheme.letters}


def term_of_region(name: str) -> str:
    """Return the term of the Sequence Ontology for regions of values, by their name."""
    return _REGIONS.get(name, _NOTHING_CLOSER)


def term_of(class_name: str) -> str:
    """Return the term of the Sequence Ontology that the name of a class is, or stands for.

    Examples
    --------
    >>> term_of("cds"), term_of("splice-donor"), term_of("minus10"), term_of("AP1")
    ('CDS', 'five_prime_cis_splice_site', 'minus_10_signal', 'sequence_feature')
    """
    plain = class_name.lower().replace("-", "_").removeprefix("splice_")
    return _GENOME_TERMS.get(plain.removesuffix("_site").removesuffix("_splice"), _NOTHING_CLOSER)


def _region(name: str, length: int) -> str:
    return f"##sequence-region {quote(name, safe=_SAFE)} 1 {length}\n"


def _introns(introns: Sequence[CalledIntron]) -> Iterator[str]:
    # A gene of which nothing but introns is known is as long as these.
    for number, group in itertools.groupby(introns, key=lambda one: one.gene):
        own = list(group)
        locus, contig = own[0].locus, quote(own[0].locus.contig, safe=_SAFE)
        name = f"gene-{contig}-{number}"
        ends = str(locus.start + 1), str(max(one.locus.end for one in own))
        about = f"ID={name};partial=true;introns={len(own)}"
        yield tsv_line(contig, "grubio", "gene", *ends, ".", locus.strand, ".", about)
        for one in own:
            place = str(one.locus.start + 1), str(one.locus.end), f"{one.score:.3f}", locus.strand
            about = f"Parent={name};sites={one.ends}"
            yield tsv_line(contig, "grubio", "intron", *place, ".", about)


def _gene(one: CalledGene) -> str:
    # The gene and its coding sequence, with start and stop codon, as NCBI has them. A sequence that
    # is cut off at its start begins with a whole codon as well, so that the phase is always 0.
    locus, contig = one.locus, quote(one.locus.contig, safe=_SAFE)
    place = (str(locus.start + 1), str(locus.end), f"{one.score:.3f}", locus.strand)
    name = f"{locus.contig}_{locus.start + 1}_{locus.end}_{locus.strand}"
    name = quote(name, safe=_SAFE)
    cut = ";partial=true" if one.cut_before or one.cut_after else ""
    cut += _open_end("start_range", ".", place[0]) if one.cut_left else ""
    cut += _open_end("end_range", place[1], ".") if one.cut_right else ""
    gene = tsv_line(contig, "grubio", "gene", *place, ".", f"ID=gene-{name}{cut}")
    about = f"ID=cds-{name};Parent=gene-{name}{cut};log_odds={one.log_odds:.1f}"
    return gene + tsv_line(contig, "grubio", "CDS", *place, "0", about)


def _open_end(key: str, first: str, last: str) -> str:
    return f";{key}={first},{last}"


def _feature(
    name: str, term: str, place: tuple[int, int, str, str], class_name: str, letter: str
) -> str:
    about = f"Name={quote(class_name, safe=' ' + _SAFE)};label={quote(letter)}"
    return tsv_line(quote(name, safe=_SAFE), "grubio", term, *place, ".", about)
