"""Whole features: which lines of annotation describe one feature, and what it is part of.

Lines of GFF3 with the same type and ``ID`` are pieces of one feature. The pieces of a CDS or a UTR
often have no ID, or each its own; then they belong together by their ``Parent`` (GFF3) or
``transcript_id`` (GTF), as gffread reads them. Two coding sequences of one parent that overlap
and have IDs of their own stay two, and so do those that are parts of a gene, not of a transcript.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from grubio.config import ClassRule
from grubio.config.labels import Wanted
from grubio.readers.annotation_line import AnnotatedFeature, AnnotationLine

_CODING = "CDS"
_IN_PIECES = {"cds", "five_prime_utr", "three_prime_utr", "5utr", "3utr", "start_codon"}
_IN_PIECES |= {"stop_codon"}
_NEVER_PARENTS = _IN_PIECES | {"exon", "intron", "utr"}


Use = tuple[AnnotatedFeature, Sequence[str]]
"""A feature that a rule is about, and the parents with which it fits."""


class ParentLines:
    """The lines that others may be part of, by name.

    Parameters
    ----------
    classes
        The rules; where none looks at parents, no line is kept.
    """

    def __init__(self, classes: Iterable[ClassRule]) -> None:
        self._wanted = any(
            rule.where or counts_from_ends(rule) or not {_CODING, "*"}.isdisjoint(rule.feature)
            for rule in classes
        )
        self._lines: dict[tuple[str | Path, str], AnnotationLine] = {}

    def add(self, line: AnnotationLine) -> None:
        """Keep a line if others may name it as their parent."""
        if self._wanted and line.kind.lower() not in _NEVER_PARENTS:
            for name in line.ids:
                self._lines.setdefault((line.path, name), line)

    def is_gene(self, path: str | Path, name: str) -> bool:
        """Return whether a name is known, and a gene's."""
        line = self._lines.get((path, name))
        return line is not None and line.kind.lower().endswith("gene")

    def fitting(self, line: AnnotationLine, rule: ClassRule) -> Sequence[str] | None:
        """Return the parents with which a line fits the ``where`` of a rule; None if it does not.

        An attribute that the line itself lacks is that of its parent, or of the parent's parent.
        """
        if not line.parents or not rule.where:
            return line.parents if self._fits(line, rule, ()) else None
        return [name for name in line.parents if self._fits(line, rule, (name,))] or None

    def _fits(self, line: AnnotationLine, rule: ClassRule, parents: Sequence[str]) -> bool:
        return all(
            _are_meant(self._values(line, key, parents), wanted)
            for key, wanted in rule.where.items()
        )

    def _values(self, line: AnnotationLine, key: str, parents: Sequence[str]) -> Sequence[str]:
        if key in line.attributes:
            return line.attributes[key]
        names, seen = set(parents), set[str]()
        while names:
            lines = [self._lines[line.path, n] for n in names if (line.path, n) in self._lines]
            if values := [value for one in lines for value in one.attributes.get(key, ())]:
                return values
            seen |= names
            names = {name for one in lines for name in one.parents} - seen
        return ()


def counts_from_ends(rule: ClassRule) -> bool:
    """Return whether a rule counts from the ends of features, not of each of their pieces."""
    return rule.offset is not None or rule.boundary is not None


def finds_introns(rule: ClassRule) -> bool:
    """Return whether a rule is about the introns between features."""
    return rule.boundary in ("introns_start", "introns_end")


def whole_features(
    uses: Sequence[Use], rule: ClassRule, parents: ParentLines
) -> Iterator[Sequence[AnnotatedFeature]]:
    """Yield the pieces of each whole feature.

    Parameters
    ----------
    uses
        The features that a rule is about.
    rule
        The rule.
    parents
        The lines that they are part of.
    """
    if finds_introns(rule):
        yield from _exons_of_transcripts(uses)
    elif counts_from_ends(rule):
        yield from ([feature for feature, _ in whole] for whole in _wholes(uses, parents))
    else:
        yield from ([feature] for feature, _ in uses)


def in_frame(uses: Sequence[Use], parents: ParentLines) -> tuple[Sequence[Use], Sequence[str]]:
    """Return what is left without the coding sequences whose bases do not divide by three.

    A piece that is shared stays part of those that do divide by three.

    Parameters
    ----------
    uses, parents
        As of :func:`whole_features`.

    Returns
    -------
    uses, broken
        The uses that are left, and the names of the coding sequences that are not.
    """
    kept: dict[AnnotatedFeature, list[str]] = defaultdict(list)
    broken = []
    for whole in _wholes([use for use in uses if use[0].line.kind == _CODING], parents):
        if sum(end - start for feature, _ in whole for start, end in feature.parts) % 3:
            broken.append(_name(*whole[0]))
        else:
            for feature, names in whole:
                kept[feature] += names
    others = [use for use in uses if use[0].line.kind != _CODING]
    return [*others, *kept.items()], sorted(broken)


def _name(feature: AnnotatedFeature, names: Sequence[str]) -> str:
    # A transcript of GTF needs its gene: NCBI calls many by one name.
    own = feature.line.attributes.get("ID") or (f"line {feature.line.number}",)
    return "/".join(dict.fromkeys((*_gene(feature), *(names or own)[:1])))


def _exons_of_transcripts(uses: Iterable[Use]) -> Iterator[Sequence[AnnotatedFeature]]:
    exons: Mapping[_Whole, list[AnnotatedFeature]] = defaultdict(list)
    for feature, names in uses:
        if feature.blocks:
            yield [feature]
        for name in names:
            if name in feature.line.transcripts:
                exons[_Whole(*_place(feature), parent=name)].append(feature)
    yield from exons.values()


def _wholes(uses: Sequence[Use], parents: ParentLines) -> Iterator[Sequence[Use]]:
    """Yield the pieces of each whole feature, each with the parent that it shares with them."""
    shared = Counter(_by_id(feature) for feature, _ in uses)
    wholes: Mapping[_Whole, list[Use]] = defaultdict(list)
    for feature, names in uses:
        keys = set(_keys(feature, names, shared, parents))
        for key in keys:
            wholes[key].append((feature, [key.parent] if key.parent else []))
        if not keys:
            yield [(feature, names)]
    for whole, pieces in wholes.items():
        if whole.have_ids and _overlap(feature for feature, _ in pieces):
            yield from ([piece] for piece in pieces)
        else:
            yield pieces


class _Whole(NamedTuple):
    path: str | Path
    contig: str
    strand: str
    kind: str = ""
    own_id: str = ""
    parent: str = ""
    gene: str = ""
    have_ids: bool = False


def _place(feature: AnnotatedFeature) -> tuple[str | Path, str, str]:
    return feature.line.path, feature.contig, feature.strand


def _gene(feature: AnnotatedFeature) -> Sequence[str]:
    return feature.line.attributes.get("gene_id", ())[:1]


def _by_id(feature: AnnotatedFeature) -> _Whole | None:
    ids = feature.line.attributes.get("ID")
    return _Whole(*_place(feature), kind=feature.line.kind, own_id=ids[0]) if ids else None


def _keys(
    feature: AnnotatedFeature,
    names: Sequence[str],
    shared: Mapping[_Whole | None, int],
    parents: ParentLines,
) -> Iterator[_Whole]:
    by_id, kind = _by_id(feature), feature.line.kind
    in_pieces = kind.lower() in _IN_PIECES
    if by_id and (shared[by_id] > 1 or not in_pieces):
        # Pieces share a parent as well: some files give each CDS the same ID.
        for parent in names or ("",):
            yield by_id._replace(parent=parent)
    elif in_pieces:
        # NCBI's GTF calls the transcript of every bacterial gene unknown_transcript_1.
        gene = "".join(_gene(feature))
        for name in names:
            if not (by_id and parents.is_gene(feature.line.path, name)):
                yield _Whole(*_place(feature), kind, "", name, gene, bool(by_id))


def _overlap(pieces: Iterable[AnnotatedFeature]) -> bool:
    places = sorted((piece.start, piece.end) for piece in pieces)
    return any(start < end for (_, end), (start, _) in pairwise(places))


def _are_meant(values: Sequence[str], wanted: Wanted) -> bool:
    if isinstance(wanted, dict):
        return not _are_meant(values, wanted["not"])
    return any(value in wanted or "*" in wanted for value in values)
