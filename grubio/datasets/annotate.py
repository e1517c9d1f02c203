"""Which bases of each strand of a genome a class labels, from the features of annotation.

A rule (:class:`grubio.config.ClassRule`) turns features into places. Whole features are labelled
piece by piece, while an offset or a boundary counts from the ends of the feature that the pieces
make up (:mod:`grubio.datasets.whole_features`). Blocks of BED with 12 columns are pieces in the
same way. Introns are what lies between the exons of a transcript, or between the blocks of such a
line of BED. What passes the end of a contig continues at the start of a circular one, and is cut
off otherwise.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import attrgetter

import numpy as np
import numpy.typing as npt

from grubio.config import ClassRule
from grubio.config.labels import Wanted
from grubio.datasets.annotated_genome import AnnotatedGenome
from grubio.datasets.whole_features import (
    ParentLines,
    Use,
    counts_from_ends,
    finds_introns,
    in_frame,
    whole_features,
)
from grubio.errors import GrubioError
from grubio.readers.annotation_line import NO_STRAND, AnnotatedFeature, AnnotationLine
from grubio.sequences.locus import STRANDS, Locus, Strand

_KINDS_NAMED = 12


@dataclass(frozen=True)
class ClassPlaces:
    """Where a class is on a genome.

    Attributes
    ----------
    loci
        The stretches of both strands that it labels, each once, in order.
    features
        Number of different places that the rule gives; one on both strands counts once.
    widths
        Bases of the narrowest and of the widest of these places.
    clipped
        Places that were cut off at the end of a contig, or lie outside of it.
    short
        Features or introns without as many bases as ``boundary`` needs; they are left out.
    broken
        Names of the coding sequences whose bases do not divide by three.
    """

    loci: Sequence[Locus]
    features: int
    widths: tuple[int, int]
    clipped: int
    short: int
    broken: Sequence[str] = ()

    @property
    def width(self) -> int | None:
        """Bases of each of the places if all have the same number, else None."""
        return self.widths[0] if self.widths[0] == self.widths[1] else None

    def on(self, contig: str) -> Sequence[Locus]:
        """Return the loci on one contig."""
        by_contig = attrgetter("contig")
        first = bisect_left(self.loci, contig, key=by_contig)
        return self.loci[first : bisect_right(self.loci, contig, key=by_contig)]


def find_places(
    annotation: Iterable[AnnotationLine],
    classes: Mapping[str, ClassRule],
    genome: AnnotatedGenome,
    leave_out: Callable[[GrubioError], None],
) -> dict[str, ClassPlaces]:
    """Return where each class is. Lines that no class uses are not checked.

    Parameters
    ----------
    annotation
        The lines, in any order.
    classes
        The rule of each class.
    genome
        The contigs; which of them are circular or annotated is noted there.
    leave_out
        Called with one error for each line that a class uses and that does not lie on the genome,
        or lacks a strand or a summit that the rule needs; raises it, or the line is left out.

    Raises
    ------
    GrubioError
        If a class finds nothing, with the types of feature that there are.
    """
    kinds: Counter[str] = Counter()
    parents = ParentLines(classes.values())
    wanted = {kind for rule in classes.values() for kind in rule.feature}
    lines = []
    for line in annotation:
        contig = genome.contig_of(line)
        if contig is not None:
            genome.look_at(line, contig)
            kinds[line.kind] += 1
            parents.add(line)
            if line.kind in wanted or "*" in wanted:
                lines.append((line, contig))
    uses = _uses(lines, classes, genome, parents, leave_out)
    found = {}
    for name, rule in classes.items():
        framed, broken = in_frame(uses[name], parents)
        own = framed if rule.frame == "whole" else uses[name]
        wholes = whole_features(own, rule, parents)
        found[name] = replace(_places_of(name, rule, wholes, genome, kinds), broken=broken)
    return found


def class_of_each_base(
    contig: str, length: int, places: Sequence[ClassPlaces]
) -> dict[Strand, npt.NDArray[np.uint8]]:
    """Return the class index of each base of both strands of a contig.

    Parameters
    ----------
    contig, length
        Its id and its number of bases.
    places
        Where each class is; where classes overlap, the first counts. The index of the background
        is the number of classes.

    Returns
    -------
    By strand, uint8 ``(base,)``, both in the direction of the plus strand.
    """
    classes = {strand: np.full(length, len(places), dtype=np.uint8) for strand in STRANDS}
    for index in reversed(range(len(places))):
        for locus in places[index].on(contig):
            classes[locus.strand][locus.start : locus.end] = index
    return classes


def _uses(
    lines: Iterable[tuple[AnnotationLine, str]],
    classes: Mapping[str, ClassRule],
    genome: AnnotatedGenome,
    parents: ParentLines,
    leave_out: Callable[[GrubioError], None],
) -> dict[str, list[Use]]:
    found: dict[str, list[Use]] = {name: [] for name in classes}
    for line, contig in lines:
        fitting = {
            name: parents.fitting(line, rule)
            for name, rule in classes.items()
            if line.kind in rule.feature or "*" in rule.feature
        }
        used = {name: names for name, names in fitting.items() if names is not None}
        if not used:
            continue
        try:
            feature = genome.feature(line, contig)
        except GrubioError as error:
            leave_out(error)
            continue
        genome.annotated.add(contig)
        unfit = {name: _unfit(feature, name, classes[name]) for name in used}
        for name, names in used.items():
            if unfit[name] is None:
                found[name].append((feature, names))
        if problem := next((error for error in unfit.values() if error), None):
            leave_out(problem)
    return found


def _unfit(feature: AnnotatedFeature, name: str, rule: ClassRule) -> GrubioError | None:
    if feature.strand == NO_STRAND and _needs_strand(rule):
        needed = "offset" if rule.offset else "boundary"
        return feature.line.error(
            f"the feature has no strand, which {needed} of class '{name}' needs",
            hint="correct it, or leave such features out with --on-invalid skip",
        )
    if feature.summit is None and rule.boundary == "summit":
        return feature.line.error(
            f"the feature has no summit, which class '{name}' needs",
            hint="it is column 10 of narrowPeak (10 columns; -1 is none); without it take "
            "boundary center, or leave such features out with --on-invalid skip",
        )
    return None


def _needs_strand(rule: ClassRule) -> bool:
    return rule.offset is not None or rule.boundary not in (None, "center", "summit")


def _places_of(
    name: str,
    rule: ClassRule,
    wholes: Iterable[Sequence[AnnotatedFeature]],
    genome: AnnotatedGenome,
    kinds: Mapping[str, int],
) -> ClassPlaces:
    places = set()
    short = 0
    for pieces in wholes:
        first = pieces[0]
        for start, end in _places(pieces, rule, genome.lengths[first.contig]):
            if rule.bases is None or end - start == rule.bases:
                places.add((first.contig, start, end, first.strand, first.circular))
            else:
                short += 1
    if not places:
        raise _nothing_found(name, rule, kinds, short)
    loci = set()
    clipped = 0
    for contig, start, end, strand, circular in places:
        inside = _on_contig(start, end, genome.lengths[contig], circular=circular)
        clipped += sum(b - a for a, b in inside) != end - start
        loci |= {Locus(contig, *piece, s) for piece in inside for s in _strands(strand, rule)}
    widths = [end - start for _, start, end, _, _ in places]
    return ClassPlaces(sorted(loci), len(places), (min(widths), max(widths)), clipped, short)


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


def _places(
    pieces: Sequence[AnnotatedFeature], rule: ClassRule, length: int
) -> Iterator[tuple[int, int]]:
    parts = _in_order(pieces, length)
    if not counts_from_ends(rule):
        yield from parts
        return
    forward = pieces[0].strand != "-"
    spans = _between(parts) if finds_introns(rule) else [(parts[0][0], max(e for _, e in parts))]
    for start, end in spans:
        if rule.offset is not None:
            first, last = rule.offset
            yield ((start + first, start + last + 1) if forward else (end - 1 - last, end - first))
        elif rule.boundary in ("center", "summit"):
            summit = pieces[0].summit
            if rule.boundary == "summit" and summit is not None:
                start, end = summit, summit + 1
            wanted = rule.bases or 0
            low = (start + end - wanted) // 2 if forward else (start + end - wanted + 1) // 2
            yield low, low + wanted
        else:
            bases = min(rule.bases or 0, end - start)
            at_start = rule.boundary in ("start", "introns_start")
            yield (start, start + bases) if at_start == forward else (end - bases, end)


def _in_order(pieces: Sequence[AnnotatedFeature], length: int) -> list[tuple[int, int]]:
    # Start and end of each piece, on the plus strand; what follows the origin has higher numbers.
    parts = sorted({part for piece in pieces for part in piece.parts})
    if not pieces[0].circular or parts[0][0] > 0 or max(end for _, end in parts) != length:
        return parts
    gaps = [after[0] - before[1] for before, after in pairwise(parts)]
    if not gaps or max(gaps) <= 0:
        return parts
    first = gaps.index(max(gaps)) + 1
    return parts[first:] + [(start + length, end + length) for start, end in parts[:first]]


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
        what = "introns" if finds_introns(rule) else "features"
        return GrubioError(
            f"class '{name}' finds only {what} of fewer than {rule.bases} bases ({short})",
            hint="give smaller bases",
        )
    if finds_introns(rule):
        return GrubioError(
            f"class '{name}' finds no introns between features {wanted}",
            hint="introns lie between the exons of a transcript (feature: exon; GFF3 needs "
            "Parent=, GTF transcript_id), or between the blocks of BED with 12 columns",
        )
    return GrubioError(
        f"class '{name}' finds no feature {wanted} that fits 'where', or each was left out",
        hint="compare the attributes in the annotation with: "
        + ", ".join(_condition(key, wanted) for key, wanted in rule.where.items()),
    )


def _condition(key: str, wanted: Wanted) -> str:
    if isinstance(wanted, dict):
        return f"{key} not {'|'.join(wanted['not'])}"
    return f"{key}={'|'.join(wanted)}"
