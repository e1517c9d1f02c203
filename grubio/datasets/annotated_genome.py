"""Annotation and the contigs of a genome: which name means which, and what lies outside."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cache, cached_property
from urllib.parse import unquote

from grubio.errors import GrubioError
from grubio.readers.annotation_line import AnnotatedFeature, AnnotationLine

_NAMES_COMPARED = 1000
_NAMES_SHOWN = 3
_MITOCHONDRION = {"m", "mt", "mito", "mtdna", "mitochondrion"}


class AnnotatedGenome:
    """The contigs of a genome, and what annotation says about each as a whole.

    Parameters
    ----------
    lengths
        Bases of each contig.
    left_out
        Contigs of the genome that are not used; lines about them are skipped.

    Attributes
    ----------
    annotated
        Contigs with a line about some part of them.
    """

    def __init__(self, lengths: Mapping[str, int], left_out: Collection[str] = ()) -> None:
        self.lengths = lengths
        self.annotated: set[str] = set()
        self._left_out = frozenset(left_out)
        self._circular: set[str] = set()
        self._nearest = cache(self._find_nearest)

    def contig_of(self, line: AnnotationLine) -> str | None:
        """Return the contig of a line; None if it is left out. It may be one that is unknown."""
        name = line.contig
        if name not in self.lengths and name not in self._left_out:
            # GFF3 escapes what its ids may not hold.
            name = unquote(name)
        return None if name in self._left_out else name

    def look_at(self, line: AnnotationLine, contig: str) -> None:
        """Note what a line says of its contig: that it is circular, or that it is annotated."""
        if line.says_circular:
            self._circular.add(contig)
        if contig not in self.annotated and not self._is_of_the_whole(line, contig):
            self.annotated.add(contig)

    def feature(self, line: AnnotationLine, contig: str) -> AnnotatedFeature:
        """Return the feature of a line on its contig, after all lines were looked at.

        Raises
        ------
        GrubioError
            If the genome does not have the contig, or the feature does not lie on it.
        """
        length = self.lengths.get(contig)
        if length is None:
            near = self._nearest(contig)
            raise line.error(
                f"contig '{contig}' is not in the genome",
                hint=f"{near} The names must be the same in both; --on-invalid skip leaves such "
                "lines out",
            )
        feature = replace(line.feature(), contig=contig, circular=contig in self._circular)
        if feature.start >= feature.end:
            raise line.error("the feature ends before it starts")
        if feature.start < 0:
            raise line.error("the feature starts before the first base")
        wraps = feature.circular and feature.start < length
        if feature.end > length and not (wraps and feature.end - feature.start <= length):
            raise line.error(
                f"the feature ends {feature.end - length} bases past the end of '{contig}' "
                f"({length} bases)",
                hint="was it made for another assembly? If the contig is circular, GFF3 must say "
                "so in the line of its region, with Is_circular=true; --on-invalid skip leaves "
                "such lines out",
            )
        return feature

    def _is_of_the_whole(self, line: AnnotationLine, contig: str) -> bool:
        # The line of a region, chromosome or scaffold, by whatever name, annotates nothing.
        try:
            feature = line.feature()
        except GrubioError:
            return False
        return feature.start <= 0 and feature.end >= self.lengths.get(contig, 0)

    def _find_nearest(self, contig: str) -> str:
        near = self._by_plain_name.get(_plain_name(contig))
        if near is None:
            names = list(self.lengths)[:_NAMES_COMPARED]
            near = next(iter(difflib.get_close_matches(contig, names, 1)), None)
        if near is not None:
            return f"did you mean '{near}'?"
        return f"The genome has {named(list(self.lengths), _NAMES_SHOWN)}."

    @cached_property
    def _by_plain_name(self) -> dict[str, str]:
        return {_plain_name(name): name for name in reversed(list(self.lengths))}


def named(names: Collection[str], most: int) -> str:
    """Return the first names of many, and how many more there are.

    Examples
    --------
    >>> named(["a", "b", "c"], 2)
    "'a', 'b' and 1 more"
    """
    shown = ", ".join(f"'{name}'" for name in list(names)[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def _plain_name(contig: str) -> str:
    """Return what the names of one contig have in common from source to source.

    UCSC writes chr1 and chrM where Ensembl writes 1 and MT; RefSeq adds a version; GenBank's FASTA
    had ``gi|...|ref|NC_000913.3|``; GeneMark copies the whole header.
    """
    first_word = next(iter(contig.split()), "").lower()
    accession = next((part for part in reversed(first_word.split("|")) if part), "")
    bare = re.sub(r"^(chromosome|chrom|chr)[_.]?(?=.)|\.\d+$", "", accession)
    return "m" if bare in _MITOCHONDRION else bare
