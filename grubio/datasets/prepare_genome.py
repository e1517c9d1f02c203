"""Preparation of genomes: contigs and annotation in, a dataset of labelled blocks out.

Each contig is cut into blocks, and each block becomes two records, one for each strand; see
:mod:`grubio.sequences.locus` for their ids. Both have the block without its strand as group.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from grubio.config import PrepareSettings, TargetSettings
from grubio.config.data import require_main_target
from grubio.datasets.annotate import ClassPlaces, class_of_each_base, find_places
from grubio.datasets.annotated_genome import AnnotatedGenome, named
from grubio.datasets.parquet import DatasetHeader, write_dataset
from grubio.datasets.prepare_sequences import tally_as_dict
from grubio.datasets.validation import Tally, checked_records
from grubio.errors import GrubioError
from grubio.files import STDIO, sha256_of_file, write_text_whole
from grubio.overwriting import keep_apart, keeps_inputs
from grubio.readers.annotation import read_annotation
from grubio.readers.fasta import read_fasta
from grubio.readers.tracks import read_track
from grubio.sequences.alphabet import DNA
from grubio.sequences.locus import STRANDS, Locus, block_of, reverse_complement
from grubio.sequences.record import Record
from grubio.sequences.scheme import NO_CLASSES, UNKNOWN_LABEL, LabelScheme

LARGEST_SITE = 100
"""Bases of the widest features that are called as sites; wider ones are called as segments."""

_CONTIGS_NAMED = 5

Tracks: TypeAlias = Mapping[str, Mapping[str, npt.NDArray[np.float32]]]
"""Values by target and contig, float32 ``(base,)``, NaN where unknown."""

logger = logging.getLogger(__name__)


@dataclass
class GenomeTally(Tally):
    """What was read and labelled; ``residues`` counts the bases of both strands.

    Attributes
    ----------
    contigs, bases
        Contigs, and their bases on one strand.
    places
        Where each class is, by name.
    covered
        Stretches of each class that earlier classes cover completely.
    not_annotated
        Bases of each contig that the annotation does not mention, by its id.
    contigs_left_out
        Contigs that were not chosen.
    contigs_refused, lines_refused
        Contigs and lines of annotation that were left out because of errors.
    """

    contigs: int = 0
    bases: int = 0
    places: dict[str, ClassPlaces] = field(default_factory=dict)
    covered: Counter[str] = field(default_factory=Counter)
    not_annotated: dict[str, int] = field(default_factory=dict)
    contigs_left_out: int = 0
    contigs_refused: int = 0
    lines_refused: int = 0

    def refuse_line(self, error: GrubioError) -> None:
        """Note a line of annotation that is left out."""
        self.lines_refused += 1
        self.refuse(f"{error.path} line {error.line}", error.problem)


@keeps_inputs("files", "annotation", outputs=("output", "summary"))
def prepare_genome(
    files: Sequence[str | Path],
    annotation: Sequence[str | Path],
    output: Path,
    settings: PrepareSettings,
    *,
    targets: Sequence[TargetSettings] = (),
    summary: Path | None = None,
) -> GenomeTally:
    """Read contigs and their annotation and write the labelled blocks as a dataset.

    Parameters
    ----------
    files
        FASTA of contigs.
    annotation
        GFF3, GTF or BED.
    output
        Parquet to write.
    settings
        Classes, contigs, length of a block, and what to do with invalid contigs and lines.
    targets
        Values of the bases, from bedGraph or BigWig.
    summary
        JSON to write: the returned counts.

    Raises
    ------
    GrubioError
        If a file, contig or line is at fault, or a class finds no feature.
    """
    try:
        require_main_target(settings, targets)
    except ValueError as error:
        raise GrubioError(str(error)) from None
    scheme = settings.label_scheme
    if not annotation and scheme is not NO_CLASSES:
        raise GrubioError(
            "format genome needs annotation", hint="give --annotation FILE (GFF3, GTF or BED)"
        )
    tally = GenomeTally()
    contigs, left_out = _contigs(files, settings, tally)
    genome = AnnotatedGenome({contig.id: len(contig) for contig in contigs}, left_out)
    if scheme is not NO_CLASSES:
        tally.places = _places(annotation, settings, genome, tally)
        contigs = _annotated(contigs, genome, settings, tally)
    tracks = _tracks(targets, contigs)
    tally.contigs, tally.bases = len(contigs), sum(map(len, contigs))
    records = [
        record
        for contig in contigs
        for record in _records(contig, scheme, settings.block_length, tally, tracks)
    ]
    for record in records:
        _count(record, tally)
    _warn_of_covered(tally)
    own_files = [target.file.location for target in targets if target.file is not None]
    keep_apart(own_files, [output, summary])
    read = [path for path in (*files, *annotation, *own_files) if str(path) != STDIO]
    header = DatasetHeader(
        DNA,
        scheme,
        {Path(path).name: sha256_of_file(path) for path in read},
        _sites(tally.places, scheme),
        [target.target() for target in targets],
    )
    write_dataset(output, header, records)
    if summary is not None:
        content = {**tally_as_dict(tally, scheme), "genome": _genome_as_dict(tally)}
        write_text_whole(summary, json.dumps(content, indent=2, sort_keys=True) + "\n")
    return tally


def block_starts(length: int, block_length: int) -> list[int]:
    """Return where the blocks of a contig start, and its end; the last block takes the rest.

    Examples
    --------
    >>> block_starts(250, 100), block_starts(70, 100)
    ([0, 100, 250], [0, 70])
    """
    count = max(length // block_length, 1)
    return [*range(0, count * block_length, block_length), length]


def _contigs(
    files: Sequence[str | Path], settings: PrepareSettings, tally: GenomeTally
) -> tuple[list[Record], set[str]]:
    # The chosen contigs, and the names of the others.
    contigs: dict[str, Record] = {}
    names: set[str] = set()
    for path in files:
        # The tally counts blocks as its records; of contigs it has what was replaced or refused.
        read = Tally()
        seen = _noting_ids(read_fasta(path), names)
        for contig in checked_records(seen, DNA, settings.on_invalid, path=path, tally=read):
            if contig.id in contigs:
                raise GrubioError("the id occurs twice", path=path, record=contig.id)
            contigs[contig.id] = contig
        tally.replaced += read.replaced
        tally.refused += read.refused
        tally.contigs_refused += read.read - read.kept
    if not contigs:
        raise GrubioError("no contig is left", path=files[0])
    chosen = [name for name in settings.contigs.split(",") if name] or list(contigs)
    if unknown := [name for name in chosen if name not in contigs]:
        raise GrubioError(
            f"contig '{unknown[0]}' of --contigs is not in the genome",
            path=files[0],
            hint=f"it has {named(contigs, _CONTIGS_NAMED)}",
        )
    tally.contigs_left_out = len(contigs) - len(set(chosen))
    return [contigs[name] for name in contigs if name in chosen], names - set(chosen)


def _noting_ids(records: Iterator[Record], names: set[str]) -> Iterator[Record]:
    for record in records:
        names.add(record.id)
        yield record


def _places(
    annotation: Sequence[str | Path],
    settings: PrepareSettings,
    genome: AnnotatedGenome,
    tally: GenomeTally,
) -> dict[str, ClassPlaces]:
    def leave_out(error: GrubioError) -> None:
        if settings.on_invalid == "error":
            raise error
        tally.refuse_line(error)

    lines = chain.from_iterable(
        read_annotation(path, leave_out, tally.refuse_line) for path in annotation
    )
    try:
        return find_places(lines, settings.classes, genome, leave_out)
    except GrubioError as error:
        if tally.lines_refused and error.line is None:
            where, problem = next((r for r in tally.refused if " line " in r[0]), ("", "unknown"))
            raise GrubioError(
                f"{error.problem}; {tally.lines_refused} lines of annotation were left out, such "
                f"as {where}: {problem}",
                hint=error.hint,
            ) from error
        raise


def _annotated(
    contigs: list[Record], genome: AnnotatedGenome, settings: PrepareSettings, tally: GenomeTally
) -> list[Record]:
    # The contigs to use; those without any annotation are warned of or left out.
    without = {contig.id: len(contig) for contig in contigs if contig.id not in genome.annotated}
    tally.not_annotated = without
    if not without:
        return contigs
    if settings.annotated == "only":
        tally.contigs_left_out += len(without)
        return [contig for contig in contigs if contig.id not in without]
    share = sum(without.values()) / sum(map(len, contigs))
    logger.warning(
        "no annotation for %d of %d contigs, %.1f %% of the bases, which become background: %s; "
        "--annotated only leaves them out",
        *(len(without), len(contigs), 100 * share, named(without, _CONTIGS_NAMED)),
    )
    return contigs


def _warn_of_covered(tally: GenomeTally) -> None:
    for name, places in tally.places.items():
        if places.loci and tally.covered[name] == len(places.loci):
            logger.warning(
                "class '%s' labels nothing: all that it finds is covered by classes that come "
                "before it; name it before them, or leave it out",
                name,
            )


def _tracks(targets: Sequence[TargetSettings], contigs: Sequence[Record]) -> Tracks:
    lengths = {contig.id: len(contig) for contig in contigs}
    tracks = {}
    for settings in targets:
        assert settings.file is not None
        target, path = settings.target(), settings.file.location
        tracks[target.name] = read_track(path, lengths)
        for name, values in tracks[target.name].items():
            outside = (values < target.low) | (values > target.high)
            if outside.any():
                raise GrubioError(
                    f"{values[outside][0]:g} is not between {target.low:g} and {target.high:g}",
                    path=path,
                    record=name,
                    position=int(np.flatnonzero(outside)[0]) + 1,
                )
    return tracks


def _records(
    contig: Record, scheme: LabelScheme, block_length: int, tally: GenomeTally, tracks: Tracks
) -> Iterator[Record]:
    letters = np.frombuffer((scheme.letters + UNKNOWN_LABEL).encode(), dtype=np.uint8)
    bases = np.frombuffer(contig.sequence.upper().encode(), dtype=np.uint8)
    unknown = bases == ord(DNA.unknown)
    labels = {}
    by_strand = class_of_each_base(contig.id, len(contig), list(tally.places.values()))
    for index, (name, places) in enumerate(tally.places.items()):
        tally.covered[name] += sum(
            not (by_strand[locus.strand][locus.start : locus.end] == index).any()
            for locus in places.on(contig.id)
        )
    for strand, classes in by_strand.items():
        classes[unknown] = scheme.size
        labels[strand] = str(letters[classes].tobytes(), "ascii")
    counts = str.maketrans(dict.fromkeys(scheme.letters, "1") | {UNKNOWN_LABEL: "0"})
    for start, end in pairwise(block_starts(len(contig), block_length)):
        sequence = contig.sequence[start:end]
        for strand in STRANDS:
            locus = Locus(contig.id, start, end, strand)
            text = labels[strand][start:end]
            text = text if strand == "+" else text[::-1]
            along = slice(None) if strand == "+" else slice(None, None, -1)
            answers = {name: values[contig.id][start:end] for name, values in tracks.items()}
            yield Record(
                str(locus),
                contig.description,
                sequence if strand == "+" else reverse_complement(sequence),
                text if scheme.size else None,
                text.translate(counts) if scheme.size and UNKNOWN_LABEL in text else None,
                group=block_of(locus),
                answers={name: answer[along] for name, answer in answers.items()},
            )


def _sites(places: Mapping[str, ClassPlaces], scheme: LabelScheme) -> dict[str, int]:
    return {
        letter: found.width
        for letter, found in zip(scheme.letters, places.values(), strict=False)
        if found.width is not None and found.width <= LARGEST_SITE
    }


def _count(record: Record, tally: Tally) -> None:
    tally.read += 1
    tally.kept += 1
    tally.residues += len(record)
    for name, answer in record.answers.items():
        tally.values[name] += int(np.isfinite(np.asarray(answer)).sum())
    counted = Counter(record.labels or "")
    tally.masked += counted.pop(UNKNOWN_LABEL, 0)
    tally.labels += counted


def _genome_as_dict(tally: GenomeTally) -> dict[str, object]:
    return {
        "contigs": tally.contigs,
        "bases": tally.bases,
        "features": {name: found.features for name, found in tally.places.items()},
        "clipped": {name: found.clipped for name, found in tally.places.items()},
        "short": {name: found.short for name, found in tally.places.items()},
        "broken_frames": {name: list(found.broken) for name, found in tally.places.items()},
        "covered": dict(tally.covered),
        "not_annotated": tally.not_annotated,
        "contigs_left_out": tally.contigs_left_out,
        "contigs_refused": tally.contigs_refused,
        "lines_refused": tally.lines_refused,
    }
