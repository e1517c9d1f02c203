"""Lines of GFF3 and GTF.

Both have nine columns, of which the fourth and fifth are 1-based and inclusive. Each line shows how
the attributes of the ninth are written: ``key=value;key=value`` (The Sequence Ontology,
GFF3 1.26) or ``key "value"; key "value";`` (GTF 2.2, https://mblab.wustl.edu/GTF22.html).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from sys import intern
from urllib.parse import unquote

from grubio.readers.annotation_line import AnnotatedFeature, AnnotationLine

GFF_COLUMNS = 9
# The types that one of GTF's two ids names; every other line is part of one of these.
_NAMED_BY = {"gene": "gene_id", "transcript": "transcript_id", "mrna": "transcript_id"}
_SAYS_CIRCULAR = re.compile(r"(?:^|;)\s*Is_circular\s*=\s*true\b", re.IGNORECASE)
_GFF3_PAIR = re.compile(r"\s*([^\s=;]+)\s*=(.*)", re.DOTALL)
_GTF_PAIR = re.compile(r'(?:^|;)\s*([^\s;="]+)\s+(?:"([^"]*)"|([^\s;"][^;]*))')
_STARTS_LIKE_GTF = re.compile(r'\s*[^\s;="]+\s+"')
# Their values are names, in which a semicolon is never text, nor a comma in those of Parent.
_ONE_NAME, _NAMES = ("ID",), ("ID", "Parent")


class GffLine(AnnotationLine):
    """A line of GFF3 or GTF."""

    @property
    def kind(self) -> str:
        """The third column."""
        return self.cells[2]

    @cached_property
    def attributes(self) -> Mapping[str, Sequence[str]]:
        """The values of each attribute, decoded."""
        text = self.cells[8].strip()
        if _STARTS_LIKE_GTF.match(text) or "=" not in text:
            return _gtf_attributes(text)
        return _gff3_attributes(text)

    @property
    def ids(self) -> Sequence[str]:
        """``ID`` of GFF3, or of GTF the gene's or transcript's own id."""
        own = _NAMED_BY.get(self.kind.lower(), "ID")
        return self.attributes.get("ID") or self.attributes.get(own, ())

    @property
    def parents(self) -> Sequence[str]:
        """``Parent`` of GFF3, or of GTF the transcript, or the gene of what has no transcript."""
        if "ID" in self.attributes or "Parent" in self.attributes:
            return self.attributes.get("Parent", ())
        own = _NAMED_BY.get(self.kind.lower())
        if own == "gene_id":
            return ()
        transcripts = () if own else self.attributes.get("transcript_id", ())
        return transcripts or self.attributes.get("gene_id", ())

    @property
    def transcripts(self) -> Sequence[str]:
        """``Parent`` of GFF3, or ``transcript_id`` of GTF."""
        return self.attributes.get("Parent") or self.attributes.get("transcript_id", ())

    @property
    def says_circular(self) -> bool:
        """Whether it has ``Is_circular=true``."""
        return _SAYS_CIRCULAR.search(self.cells[8]) is not None

    def feature(self) -> AnnotatedFeature:
        """Return the feature; see the base class."""
        return AnnotatedFeature(
            self.contig,
            self.whole_number(self.cells[3], "start") - 1,
            self.whole_number(self.cells[4], "end"),
            self.strand_in(self.cells[6]),
            self,
        )


def _gff3_attributes(text: str) -> dict[str, list[str]]:
    raw: dict[str, list[str]] = defaultdict(list)
    last = ""
    for part in text.split(";"):
        if pair := _GFF3_PAIR.fullmatch(part):
            last = pair[1]
            raw[last].append(pair[2].strip())
        elif last and last not in _NAMES and part.strip():
            # A semicolon that should have been escaped; the value goes on after it.
            raw[last][-1] += ";" + part.rstrip()
    decoded = {
        intern(unquote(key)): [
            intern(unquote(value)) for text in texts for value in _values(key, text) if value
        ]
        for key, texts in raw.items()
    }
    return {key: values for key, values in decoded.items() if values}


def _values(key: str, text: str) -> list[str]:
    if len(text) > 1 and text[0] == text[-1] == '"':
        return [text[1:-1]]
    return [text] if key in _ONE_NAME else [value.strip() for value in text.split(",")]


def _gtf_attributes(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for key, quoted, bare in _GTF_PAIR.findall(text):
        if value := quoted or bare.strip():
            # Millions of lines repeat the same few names.
            found[intern(key)].append(intern(value))
    if not found and text not in ("", ".") and len(text.split()) == 1:
        # AUGUSTUS names genes and transcripts by a bare word.
        return {"ID": [text.strip(";")]}
    return dict(found)
