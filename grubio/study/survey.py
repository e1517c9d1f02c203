"""What lies in the files of a genome, before anything is made of it: contigs, features, classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from grubio.config import ClassRule
from grubio.datasets.annotate import ClassPlaces, find_places
from grubio.datasets.annotated_genome import AnnotatedGenome, named
from grubio.errors import GrubioError
from grubio.fetching.local import local_path
from grubio.readers.annotation import read_annotation
from grubio.readers.annotation_line import AnnotatedFeature, AnnotationLine
from grubio.readers.bed import BedLine
from grubio.readers.fasta import read_fasta
from grubio.sequences.locus import Locus, reverse_complement

_NAMED = 5
_KINDS_SHOWN = 15


@dataclass(frozen=True, eq=False)
class Survey:
    """Contigs and annotation as they are in the files.

    Attributes
    ----------
    genome, annotation
        The files.
    sequences
        Bases of each contig, by its id.
    lines
        Lines of annotation that lie on a contig.
    kinds
        How many lines of each type (GFF3, GTF) or name (BED) lie on a contig.
    absent
        How many lines name each contig that the genome lacks.
    bad
        The error of each line that cannot be read.
    annotated
        Contigs with a line about some part of them.
    """

    genome: str | Path
    annotation: str | Path
    sequences: Mapping[str, str]
    lines: Sequence[AnnotationLine]
    kinds: Counter[str]
    absent: Counter[str]
    bad: Sequence[GrubioError]
    annotated: frozenset[str]

    @cached_property
    def lengths(self) -> dict[str, int]:
        """Number of bases of each contig."""
        return {name: len(sequence) for name, sequence in self.sequences.items()}

    @property
    def bases(self) -> int:
        """Bases of the annotated contigs."""
        return sum(self.lengths[name] for name in self.annotated)

    @property
    def is_bed(self) -> bool:
        """Whether the annotation is BED."""
        return bool(self.lines) and isinstance(self.lines[0], BedLine)

    @cached_property
    def features(self) -> list[AnnotatedFeature]:
        """The features that can be read."""
        found = []
        for line in self.lines:
            try:
                found.append(line.feature())
            except GrubioError:
                continue
        return found

    def places(self, classes: Mapping[str, ClassRule]) -> dict[str, ClassPlaces]:
        """Return where classes are.

        Raises
        ------
        GrubioError
            If one of them finds nothing.
        """
        genome = AnnotatedGenome(self.lengths)
        return find_places(self.lines, classes, genome, lambda _: None)

    def finds(self, rule: ClassRule) -> int:
        """Return how many places a rule finds."""
        try:
            return self.places({"class": rule})["class"].features
        except GrubioError:
            return 0

    def words(self, loci: Iterable[Locus]) -> Counter[str]:
        """Count what the bases at loci read on their strand."""
        counts: Counter[str] = Counter()
        for locus in loci:
            text = self.sequences[locus.contig][locus.start : locus.end].upper()
            counts[text if locus.strand == "+" else reverse_complement(text)] += 1
        return counts

    def described(self) -> list[str]:
        """Return what there is, in lines for people."""
        lengths = sorted(self.lengths.values())
        said = [
            f"contigs: {len(lengths):,}, {sum(lengths):,} bases, of {lengths[0]:,} to "
            f"{lengths[-1]:,} bases",
            f"features: {sum(self.kinds.values()):,}",
        ]
        shown = self.kinds.most_common(_KINDS_SHOWN)
        if self.is_bed and len(self.kinds) > _KINDS_SHOWN:
            # Each peak or transcript has its own name.
            shown = shown[:3]
        said += [f"  {kind}  {count:,}" for kind, count in shown]
        if len(self.kinds) > len(shown):
            said.append(f"  and {len(self.kinds) - len(shown):,} more")
        without = [name for name in self.lengths if name not in self.annotated]
        if without:
            share = sum(self.lengths[name] for name in without) / sum(lengths)
            said.append(
                f"contigs without annotation: {len(without):,}, {100 * share:.1f} % of the bases: "
                f"{named(without, _NAMED)}"
            )
        if self.absent:
            said.append(
                f"lines left out, on contigs that the genome lacks: "
                f"{sum(self.absent.values()):,}, on {named(list(self.absent), _NAMED)}"
            )
        if self.bad:
            first = self.bad[0]
            said.append(
                f"lines left out that cannot be read: {len(self.bad):,}, such as line "
                f"{first.line}: {first.problem}"
            )
        return said


def survey(genome: str | Path, annotation: str | Path) -> Survey:
    """Read a genome and its annotation, which may be accessions.

    Raises
    ------
    GrubioError
        If a file cannot be read, or no line of annotation lies on a contig.
    """
    sequences = {record.id: record.sequence for record in read_fasta(local_path(str(genome), None))}
    known = AnnotatedGenome({name: len(sequence) for name, sequence in sequences.items()})
    lines: list[AnnotationLine] = []
    kinds: Counter[str] = Counter()
    absent: Counter[str] = Counter()
    bad: list[GrubioError] = []
    first: GrubioError | None = None
    for line in read_annotation(local_path(str(annotation), None), bad.append, lambda _: None):
        contig = known.contig_of(line)
        assert contig is not None
        try:
            # Circular contigs are known once all lines were read; ends are looked at later.
            if contig not in sequences:
                known.feature(line, contig)
            line.feature()
        except GrubioError as error:
            if contig in sequences:
                bad.append(error)
            else:
                absent[contig] += 1
                first = first or error
            continue
        known.look_at(line, contig)
        kinds[line.kind] += 1
        lines.append(line)
    if first is not None and not lines:
        raise first
    if not lines:
        raise bad[0] if bad else GrubioError("holds no features", path=annotation)
    return Survey(
        genome, annotation, sequences, lines, kinds, absent, bad, frozenset(known.annotated)
    )
