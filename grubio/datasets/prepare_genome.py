"""Preparation of genomes: contigs and annotation in, a dataset of labelled blocks out.

Each contig is cut into blocks, and each block becomes two records, one for each strand; see
:mod:`grubio.sequences.locus` for their ids. Both have the block without its strand as group.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from pathlib import Path

import numpy as np

from grubio.config import PrepareSettings, genome_scheme
from grubio.datasets.annotate import Painted, paint, painted_loci
from grubio.datasets.parquet import DatasetHeader, write_dataset
from grubio.datasets.prepare_sequences import tally_as_dict
from grubio.datasets.validation import Tally, checked_records
from grubio.errors import GrubioError
from grubio.files import STDIO, sha256_of_file, write_text_whole
from grubio.overwriting import keeps_inputs
from grubio.readers.annotation import read_features
from grubio.readers.fasta import read_fasta
from grubio.sequences.alphabet import DNA
from grubio.sequences.locus import STRANDS, Locus, block_of, reverse_complement
from grubio.sequences.record import Record
from grubio.sequences.scheme import UNKNOWN_LABEL, LabelScheme

LARGEST_SITE = 100
"""Bases of the widest features that are called as sites; wider ones are called as segments."""


@dataclass
class GenomeTally(Tally):
    """What was read and painted; ``residues`` counts the bases of both strands.

    Attributes
    ----------
    contigs, bases
        Contigs, and their bases on one strand.
    painted
        What each class was painted on, by name.
    contigs_refused, lines_refused
        Contigs and lines of annotation that were left out.
    """

    contigs: int = 0
    bases: int = 0
    painted: dict[str, Painted] = field(default_factory=dict)
    contigs_refused: int = 0
    lines_refused: int = 0


@keeps_inputs("files", "annotation", outputs=("output", "summary"))
def prepare_genome(
    files: Sequence[str | Path],
    annotation: Sequence[str | Path],
    output: Path,
    settings: PrepareSettings,
    *,
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
        Classes, length of a block, and what to do with invalid contigs and lines.
    summary
        JSON to write: the returned counts.

    Raises
    ------
    GrubioError
        If a file, contig or line is at fault, or a class finds no feature.
    """
    if not annotation:
        raise GrubioError(
            "format genome needs annotation", hint="give --annotation FILE (GFF3, GTF or BED)"
        )
    scheme = genome_scheme(settings.classes)
    tally = GenomeTally()
    contigs = _contigs(files, settings, tally)
    lengths = {contig.id: len(contig) for contig in contigs}

    def refuse(error: GrubioError) -> None:
        if settings.on_invalid == "error":
            raise error
        tally.lines_refused += 1
        tally.refuse(f"{error.path} line {error.line}", error.problem)

    features = chain.from_iterable(read_features(path, lengths, refuse) for path in annotation)
    try:
        tally.painted = painted_loci(features, settings.classes, lengths, refuse)
    except GrubioError as error:
        if tally.lines_refused and error.line is None:
            where, problem = next((r for r in tally.refused if " line " in r[0]), ("", "unknown"))
            raise GrubioError(
                f"{error.problem}; {tally.lines_refused} lines of annotation were left out, such "
                f"as {where}: {problem}",
                hint=error.hint,
            ) from error
        raise
    records = [
        record
        for contig in contigs
        for record in _records(contig, tally.painted.values(), scheme, settings.block_length)
    ]
    for record in records:
        _count(record, tally)
    read = [path for path in (*files, *annotation) if str(path) != STDIO]
    header = DatasetHeader(
        DNA,
        scheme,
        {Path(path).name: sha256_of_file(path) for path in read},
        _sites(tally.painted, scheme),
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
) -> list[Record]:
    contigs: dict[str, Record] = {}
    for path in files:
        # The records of the tally are the blocks; of the contigs, what was changed is of interest.
        read = Tally()
        for contig in checked_records(
            read_fasta(path), DNA, settings.on_invalid, path=path, tally=read
        ):
            if contig.id in contigs:
                raise GrubioError("the id comes twice", path=path, record=contig.id)
            contigs[contig.id] = contig
        tally.replaced += read.replaced
        tally.refused += read.refused
        tally.contigs_refused += read.read - read.kept
    if not contigs:
        raise GrubioError("no contig is left", path=files[0])
    tally.contigs = len(contigs)
    tally.bases = sum(map(len, contigs.values()))
    return list(contigs.values())


def _records(
    contig: Record, painted: Iterable[Painted], scheme: LabelScheme, block_length: int
) -> Iterator[Record]:
    letters = np.frombuffer((scheme.letters + UNKNOWN_LABEL).encode(), dtype=np.uint8)
    bases = np.frombuffer(contig.sequence.upper().encode(), dtype=np.uint8)
    unknown = bases == ord(DNA.unknown)
    labels = {}
    for strand, classes in paint(contig.id, len(contig), painted).items():
        classes[unknown] = scheme.size
        labels[strand] = str(letters[classes].tobytes(), "ascii")
    counts = str.maketrans(dict.fromkeys(scheme.letters, "1") | {UNKNOWN_LABEL: "0"})
    for start, end in pairwise(block_starts(len(contig), block_length)):
        sequence = contig.sequence[start:end]
        for strand in STRANDS:
            locus = Locus(contig.id, start, end, strand)
            text = labels[strand][start:end]
            text = text if strand == "+" else text[::-1]
            yield Record(
                str(locus),
                contig.description,
                sequence if strand == "+" else reverse_complement(sequence),
                text,
                text.translate(counts) if UNKNOWN_LABEL in text else None,
                group=block_of(locus),
            )


def _sites(painted: Mapping[str, Painted], scheme: LabelScheme) -> dict[str, int]:
    return {
        letter: width
        for letter, width in zip(
            scheme.letters, (found.width for found in painted.values()), strict=False
        )
        if width is not None and width <= LARGEST_SITE
    }


def _count(record: Record, tally: Tally) -> None:
    tally.read += 1
    tally.kept += 1
    tally.residues += len(record)
    counted = Counter(record.labels)
    tally.masked += counted.pop(UNKNOWN_LABEL, 0)
    tally.labels += counted


def _genome_as_dict(tally: GenomeTally) -> dict[str, object]:
    return {
        "contigs": tally.contigs,
        "bases": tally.bases,
        "features": {name: found.features for name, found in tally.painted.items()},
        "clipped": {name: found.clipped for name, found in tally.painted.items()},
        "short": {name: found.short for name, found in tally.painted.items()},
        "contigs_refused": tally.contigs_refused,
        "lines_refused": tally.lines_refused,
    }
