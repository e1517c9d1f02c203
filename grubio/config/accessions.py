"""Accessions of public databases as locations: ``uniprot:P0CG48``, ``ncbi:NC_000913.3/gff3``.

What such a word may look like, and the name of the file that it stands for. Where the file comes
from is known to :mod:`grubio.fetching.accessions`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass

_UNIPROT = r"[OPQ]\d[A-Z0-9]{3}\d|[A-NR-Z]\d(?:[A-Z][A-Z0-9]{2}\d){1,2}"


@dataclass(frozen=True)
class Form:
    """One form of the accessions of a source.

    Attributes
    ----------
    pattern
        A regular expression that the whole accession matches.
    endings
        Ending of the file by the name of its format; the first format is the default.
    example
        A word of this form.
    what
        What it stands for.
    """

    pattern: str
    endings: Mapping[str, str]
    example: str
    what: str


SOURCES: Mapping[str, tuple[Form, ...]] = {
    "uniprot": (
        Form(
            rf"(?:{_UNIPROT})(?:-\d+)?",
            {"fasta": ".fasta"},
            "uniprot:P0CG48",
            "a protein of UniProtKB, or an isoform of it",
        ),
        Form(
            r"proteome/UP\d{9}",
            {"fasta": ".fasta.gz"},
            "uniprot:proteome/UP000005640",
            "all proteins of a proteome",
        ),
    ),
    "ncbi": (
        Form(
            r"GC[AF]_\d{9}(?:\.\d+)?",
            {"fasta": ".fna", "gff3": ".gff3"},
            "ncbi:GCF_000005845.2",
            "a genome assembly: sequences, or /gff3 for annotation",
        ),
        Form(
            r"(?:[NXWYA]P_\d{6,9}|[A-Z]{3}\d{5,7})(?:\.\d+)?",
            {"fasta": ".fasta"},
            "ncbi:NP_414542.1",
            "a protein",
        ),
        Form(
            r"(?:[A-Z]{2}_[A-Z]{0,4}\d{6,12}|[A-Z]{1,2}\d{5,8}|[A-Z]{4,6}\d{8,12})(?:\.\d+)?",
            {"fasta": ".fna", "gff3": ".gff3"},
            "ncbi:NC_000913.3",
            "a nucleotide sequence, or /gff3 for its annotation",
        ),
    ),
    "pdb": (
        Form(
            r"[1-9][A-Za-z0-9]{3}|pdb_[0-9a-z]{8}",
            {"fasta": ".fasta", "cif": ".cif.gz"},
            "pdb:1UBQ",
            "the chains of an entry: sequences, or /cif for the structure",
        ),
    ),
    "ensembl": (
        Form(
            r"[A-Za-z][A-Za-z0-9_.-]{4,}",
            {"fasta": ".fasta"},
            "ensembl:ENSP00000344818",
            "a protein, transcript or gene",
        ),
    ),
    "alphafold": (
        Form(
            rf"(?:{_UNIPROT})",
            {"cif": ".cif"},
            "alphafold:P0CG48",
            "a predicted structure, as mmCIF",
        ),
    ),
}
"""The sources of accessions, and the forms of each."""

EXAMPLES = ", ".join(form.example for forms in SOURCES.values() for form in forms)


@dataclass(frozen=True)
class Accession:
    """A word that names a file of a public database.

    Attributes
    ----------
    source
        A name of :data:`SOURCES`.
    name
        The accession in that source, such as ``P0CG48`` or ``proteome/UP000005640``.
    format
        The format of the file.
    form
        The form that the accession has.
    """

    source: str
    name: str
    format: str
    form: Form

    @property
    def is_default(self) -> bool:
        """Whether the format is that of an accession without one."""
        return self.format == next(iter(self.form.endings))

    @property
    def word(self) -> str:
        """The word as it is written shortest: the default format is left out."""
        given = "" if self.is_default else f"/{self.format}"
        return f"{self.source}:{self.name}{given}"

    @property
    def file_name(self) -> str:
        """The name of the file.

        Examples
        --------
        >>> accession_of("uniprot:P0CG48").file_name, accession_of("ncbi:NC_000913/gff3").file_name
        ('P0CG48.fasta', 'NC_000913.gff3')
        """
        return self.name.rpartition("/")[2] + self.form.endings[self.format]


def is_accession(location: str) -> bool:
    """Return whether a location begins with the name of a source of accessions.

    Examples
    --------
    >>> is_accession("uniprot:P0CG48"), is_accession("data/a.fa"), is_accession("http://a/b")
    (True, False, False)
    """
    return location.partition(":")[0].lower() in SOURCES and ":" in location


def accession_of(word: str) -> Accession:
    """Return the accession that a word names.

    Raises
    ------
    ValueError
        If there is no such source, or an accession of the source does not look like this; with the
        nearest known form.

    Examples
    --------
    >>> accession_of("pdb:1UBQ/cif").file_name
    '1UBQ.cif.gz'
    >>> accession_of("pdb:UBQ1")
    Traceback (most recent call last):
    ...
    ValueError: 'UBQ1' is no accession of pdb; known forms: pdb:1UBQ (or /cif)
    """
    source, _, rest = word.partition(":")
    source = source.lower()
    if source not in SOURCES:
        raise ValueError(unknown_source(word))
    stem, _, last = rest.rpartition("/")
    for form in SOURCES[source]:
        for name, given in ((rest, next(iter(form.endings))), (stem, last.lower())):
            if re.fullmatch(form.pattern, name):
                if given not in form.endings:
                    known = " or ".join(form.endings)
                    raise ValueError(f"'{name}' of {source} comes as {known}, not as '{given}'")
                return Accession(source, name, given, form)
    for near in (f"{stem.upper()}/{last.lower()}", rest.upper()):
        if near != rest and _is_name(source, near):
            more = f"did you mean '{source}:{near}'?"
            raise ValueError(f"'{rest}' is no accession of {source}, {more}")
    forms = ", ".join(_shown(form) for form in SOURCES[source])
    raise ValueError(f"'{rest}' is no accession of {source}; known forms: {forms}")


def unknown_source(word: str) -> str:
    """Return a message on a word whose source is not known, with the nearest one.

    Examples
    --------
    >>> unknown_source("unipro:P0CG48")
    "'unipro' is no source of accessions, did you mean 'uniprot:P0CG48'?"
    """
    source, _, rest = word.partition(":")
    near = difflib.get_close_matches(source.lower(), SOURCES, 1)
    more = f"did you mean '{near[0]}:{rest}'?" if near else f"known: {', '.join(SOURCES)}"
    return f"'{source}' is no source of accessions, {more}"


def _is_name(source: str, rest: str) -> bool:
    names = rest, rest.rpartition("/")[0]
    return any(re.fullmatch(form.pattern, name) for form in SOURCES[source] for name in names)


def _shown(form: Form) -> str:
    others = list(form.endings)[1:]
    return f"{form.example} (or /{others[0]})" if others else form.example
