"""Painting: which bases of each strand of a genome a class has, from the features of annotation.

A rule (:class:`grubio.config.ClassRule`) turns features into loci. Lines of GFF3 with the same
type and ID, and CDS lines of GTF with the same transcript, are parts of one feature: whole
features are painted part by part, while an offset or a boundary counts from the ends of the
feature that the parts make up. Blocks of BED with 12 columns are parts in the same way. Introns
are what lies between the exons of a transcript, or between the blocks of such a line of BED. On a
circular contig what passes the end goes on at the start; elsewhere it is cut off.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
import numpy.typing as npt

from grubio.config import ClassRule
from grubio.errors import GrubioError
from grubio.readers.annotation import NO_STRAND, Feature
from grubio.sequences.locus import STRANDS, Locus, Strand

_KINDS_NAMED = 12


@dataclass(frozen=True)
class Painted:
    """What a class is painted on.

    Attributes
    ----------
    loci
        The painted stretches of both strands, each once, in order.
    features
        Number of different places that the rule leads to; one on both strands counts once.
    widths
        Bases of the narrowest and of the widest of these places.
    clipped
        Places that were cut off at the end of a contig, or lie outside of it.
    short
        Features or introns without as many bases as ``boundary`` needs; they are left out.
    """

    loci: Sequence[Locus]
    features: int
    widths: tuple[int, int]
    clipped: int
    short: int

    @property
    def width(self) -> int | None:
        """Bases of each of the places if all have the same number, else None."""
        return self.widths[0] if self.widths[0] == self.widths[1] else None


def painted_loci(
    features: Iterable[Feature],
    classes: Mapping[str, ClassRule],
    lengths: Mapping[str, int],
    refuse: Callable[[GrubioError], None],
) -> dict[str, Painted]:
    """Return what each class is painted on.

    Parameters
    ----------
    features
        The annotation, in any order.
    classes
        The rule of each class.
    lengths
        Bases of each contig.
    refuse
        Is given an error for each feature that has no strand where the rule needs one. It raises
        the error, or the feature is passed over.

    Raises
    ------
    GrubioError
        If a class finds nothing, with the types of feature that there are.
    """
    found: dict[str, dict[Hashable, list[Feature]]] = {name: defaultdict(list) for name in classes}
    kinds: Counter[str] = Counter()
    for feature in features:
        kinds[feature.kind] += 1
        for name, rule in classes.items():
            if not _is_meant(feature, rule):
                continue
            if feature.strand == NO_STRAND and _needs_strand(rule):
                needed = "offset" if rule.offset else "boundary"
                refuse(
                    feature.error(
                        f"the feature has no strand, which {needed} of class '{name}' needs",
                        hint="correct it, or leave such features out with --on-invalid skip",
                    )
                )
                continue
            for key in _whole_of(feature, rule):
                found[name][key].append(feature)
    return {
        name: _painted(name, rule, found[name].values(), lengths, kinds)
        for name, rule in classes.items()
    }


def paint(
    contig: str, length: int, painted: Iterable[Painted]
) -> dict[Strand, npt.NDArray[np.uint8]]:
    """Return the class index of each base of both strands of a contig.

    Parameters
    ----------
    contig, length
        Its id and its number of bases.
    painted
        What each class is painted on; of classes that overlap, the first is seen. The index of
        the background is the number of classes.

    Returns
    -------
    By strand, uint8 ``(base,)``, both in the direction of the plus strand.
    """
    layers = list(painted)
    classes = {strand: np.full(length, len(layers), dtype=np.uint8) for strand in STRANDS}
    for index in reversed(range(len(layers))):
        loci, by_contig = layers[index].loci, attrgetter("contig")
        first = bisect_left(loci, contig, key=by_contig)
        for locus in loci[first : bisect_right(loci, contig, key=by_contig)]:
            classes[locus.strand][locus.start : locus.end] = index
    return classes


def _is_meant(feature: Feature, rule: ClassRule) -> bool:
    if feature.kind not in rule.feature and "*" not in rule.feature:
        return False
    return all(
        any(value in wanted for value in feature.attributes.get(key, ()))
        for key, wanted in rule.where.items()
    )


def _needs_strand(rule: ClassRule) -> bool:
    return rule.offset is not None or rule.boundary not in (None, "center")


def _is_of_introns(rule: ClassRule) -> bool:
    return rule.boundary in ("introns_start", "introns_end")


def _whole_of(feature: Feature, rule: ClassRule) -> Iterator[Hashable]:
    # What the feature is a part of; the parts with the same key are taken together.
    alone = (feature.path, feature.line)
    if _is_of_introns(rule) and not feature.blocks:
        for transcript in feature.transcripts:
            yield feature.path, feature.contig, feature.strand, transcript
    elif rule.offset is None and rule.boundary is None:
        yield alone
    else:
        ids = feature.attributes.get("ID") or (
            feature.attributes.get("transcript_id", ()) if feature.kind == "CDS" else ()
        )
        if ids:
            yield feature.path, feature.contig, feature.strand, feature.kind, ids[0]
        else:
            yield alone


def _painted(
    name: str,
    rule: ClassRule,
    wholes: Iterable[Sequence[Feature]],
    lengths: Mapping[str, int],
    kinds: Mapping[str, int],
) -> Painted:
    places = set()
    short = 0
    for parts in wholes:
        first = parts[0]
        for start, end in _places(parts, rule):
            if rule.bases is None or end - start == rule.bases:
                places.add((first.contig, start, end, first.strand, first.circular))
            else:
                short += 1
    if not places:
        raise _nothing_found(name, rule, kinds, short)
    loci = set()
    clipped = 0
    for contig, start, end, strand, circular in places:
        pieces = _on_contig(start, end, lengths[contig], circular=circular)
        clipped += sum(last - first for first, last in pieces) != end - start
        loci |= {Locus(contig, *piece, s) for piece in pieces for s in _strands(strand, rule)}
    widths = [end - start for _, start, end, _, _ in places]
    return Painted(sorted(loci), len(places), (min(widths), max(widths)), clipped, short)


def _on_contig(start: int, end: int, length: int, *, circular: bool) -> list[tuple[int, int]]:
    # The pieces of a place that lie on the contig.
    if not circular:
        inside = max(start, 0), min(end, length)
        return [inside] if inside[0] < inside[1] else []
    if end - start >= length:
        return [(0, length)]
    first = start % length
    last = first + end - start
    return [(first, last)] if last <= length else [(first, length), (0, last - length)]


def _places(parts: Sequence[Feature], rule: ClassRule) -> Iterator[tuple[int, int]]:
    forward = parts[0].strand != "-"
    pieces = sorted({piece for p in parts for piece in p.blocks or ((p.start, p.end),)})
    if rule.offset is None and rule.boundary is None:
        yield from pieces
        return
    if _is_of_introns(rule):
        spans = list(_between(pieces))
    else:
        spans = [(min(p.start for p in parts), max(p.end for p in parts))]
    for start, end in spans:
        if rule.offset is not None:
            first, last = rule.offset
            yield ((start + first, start + last + 1) if forward else (end - 1 - last, end - first))
        elif rule.boundary == "center":
            wanted = rule.bases or 0
            low = (start + end - wanted) // 2 if forward else (start + end - wanted + 1) // 2
            yield low, low + wanted
        else:
            bases = min(rule.bases or 0, end - start)
            at_start = rule.boundary in ("start", "introns_start")
            yield (start, start + bases) if at_start == forward else (end - bases, end)


def _between(pieces: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    reached = pieces[0][1]
    for start, end in pieces[1:]:
        if start > reached:
            yield reached, start
        reached = max(reached, end)


def _strands(strand: str, rule: ClassRule) -> Iterable[Strand]:
    if strand == NO_STRAND or rule.strand == "both":
        return STRANDS
    return [s for s in STRANDS if (s == strand) == (rule.strand == "same")]


def _nothing_found(name: str, rule: ClassRule, kinds: Mapping[str, int], short: int) -> GrubioError:
    by_count = sorted(kinds, key=lambda kind: (-kinds[kind], kind))
    named = ", ".join(f"{kind} ({kinds[kind]})" for kind in by_count[:_KINDS_NAMED])
    more = f" and {len(by_count) - _KINDS_NAMED} more" if len(by_count) > _KINDS_NAMED else ""
    wanted = " or ".join(f"'{kind}'" for kind in rule.feature)
    if "*" not in rule.feature and not any(kind in kinds for kind in rule.feature):
        return GrubioError(
            f"class '{name}' finds no feature {wanted}",
            hint=f"the annotation has {named or 'no valid feature'}{more}",
        )
    if short:
        what = "introns" if _is_of_introns(rule) else "features"
        return GrubioError(
            f"class '{name}' finds only {what} of fewer than {rule.bases} bases ({short})",
            hint="give smaller bases",
        )
    if _is_of_introns(rule):
        return GrubioError(
            f"class '{name}' finds no introns between features {wanted}",
            hint="introns lie between the exons of a transcript (feature: exon; GFF3 needs "
            "Parent=, GTF transcript_id), or between the blocks of BED with 12 columns",
        )
    return GrubioError(
        f"class '{name}' finds no feature {wanted} that fits 'where', or each was left out",
        hint="compare the attributes in the annotation with: "
        + ", ".join(f"{key}={'|'.join(values)}" for key, values in rule.where.items()),
    )
