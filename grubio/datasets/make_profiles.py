"""Profiles for the records of a file: from alignments, or by a search for homologs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from grubio.config import OnInvalid
from grubio.config.profiles import SearchSettings
from grubio.datasets.validation import checked_records
from grubio.errors import GrubioError
from grubio.files import STDIO, open_input, sha256_of_file
from grubio.model.devices import available_threads
from grubio.overwriting import keeps_inputs
from grubio.profiles.archive import open_archive
from grubio.profiles.search import HomologSearch
from grubio.profiles.source import Profiles, with_profiles
from grubio.readers.fasta import read_fasta
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.record import Record
from grubio.sequences.scheme import NO_CLASSES

_PARQUET = b"PAR1"
DATASET_ENDING = ".parquet"


@keeps_inputs("sequences", "alignments", "database", outputs=("output",))
def make_profiles(
    sequences: str | Path,
    output: Path,
    *,
    alignments: Sequence[Path] = (),
    database: Path | None = None,
    settings: SearchSettings | None = None,
    on_invalid: OnInvalid = "error",
    part: tuple[int, int] = (1, 1),
    threads: int | None = None,
) -> Counter[str]:
    """Write the profiles of all records of a file; a record without homologs gets its own.

    Parameters
    ----------
    sequences
        FASTA of proteins, a dataset, the records of a shard, or another table as Parquet with the
        columns ``id`` and ``sequence``.
    output
        File of profiles to write (``.npz``); or, of a dataset, the dataset with its profiles
        (``.parquet``).
    alignments
        Files and folders of profiles or alignments (:class:`grubio.profiles.source.Profiles`).
    database
        What to search instead; see :class:`grubio.profiles.search.HomologSearch`.
    settings
        How to search.
    on_invalid
        What to do with letters that are no amino acids.
    part
        Number of a part, from 1, and the number of parts: only the records of this part are looked
        at.
    threads
        CPU threads of MMseqs2.

    Returns
    -------
    Counter
        ``records``, ``residues``, and ``alone``: records without homologs.

    Raises
    ------
    GrubioError
        If a file is at fault, or neither alignments nor a database are given, or both.
    """
    if bool(alignments) == (database is not None):
        raise GrubioError("give either alignments or a database")
    records = list(_records(sequences, on_invalid))
    number, parts = part
    if not 1 <= number <= parts:
        raise GrubioError(f"part {number} of {parts}; a part from 1 to {parts} was expected")
    if parts > 1 and output.suffix == DATASET_ENDING:
        raise GrubioError(
            "a dataset is written whole",
            path=output,
            hint="write the parts as .npz, then give them as --alignments",
        )
    first, last = ((len(records) * k) // parts for k in (number - 1, number))
    records = records[first:last]
    made: dict[str, Any] = {"sequences": Path(sequences).name}
    if str(sequences) != STDIO:
        made["sha256"] = sha256_of_file(sequences)
    if database is None:
        source = Profiles(alignments)
        made = {**source.made, **made, "alignments": [path.name for path in alignments]}
        return _written(sequences, output, with_profiles(records, source), made)
    settings, threads = settings or SearchSettings(), threads or available_threads()
    search = HomologSearch(database, settings, threads, output.with_name(f"{output.name}.part"))
    named = search.profiles(records)
    found = (
        replace(record, profile=one.profile) for record, one in zip(records, named, strict=True)
    )
    counts = _written(sequences, output, found, made | search.made)
    search.close()
    return counts


def _written(
    sequences: str | Path, output: Path, records: Iterable[Record], made: dict[str, Any]
) -> Counter[str]:
    counts: Counter[str] = Counter()

    def tallied() -> Iterator[Record]:
        for record in records:
            alone = record.profile is not None and record.profile.depth == 1
            # The first number is kept as it is, and would be True.
            counts.update(records=1, residues=len(record), alone=int(alone))
            yield record

    if output.suffix != DATASET_ENDING:
        with open_archive(output, made) as add:
            for record in tallied():
                assert record.profile is not None
                add(record.id, record.profile)
        return counts
    from grubio.datasets.parquet import read_header, write_dataset

    header = read_header(sequences)
    write_dataset(output, replace(header, profiles=made), tallied())
    return counts


def _records(sequences: str | Path, on_invalid: OnInvalid) -> Iterator[Record]:
    with open_input(sequences) as raw:
        is_parquet = raw.peek(4).startswith(_PARQUET)
    if is_parquet:
        yield from _records_of_parquet(sequences, on_invalid)
        return
    yield from checked_records(read_fasta(sequences), PROTEIN, on_invalid, path=sequences)


def _records_of_parquet(path: str | Path, on_invalid: OnInvalid) -> Iterator[Record]:
    from grubio.datasets.parquet import COLUMNS, open_parquet, read_header, read_records
    from grubio.readers.parquet_table import read_parquet

    with open_parquet(path, "is not a Parquet file", "give FASTA or a dataset") as file:
        names = {*file.schema_arrow.names}
    if not {*COLUMNS} <= names and {"id", "sequence"} <= names:
        records = read_parquet(path, NO_CLASSES.name)
        yield from checked_records(records, PROTEIN, on_invalid, path=path)
        return
    alphabet = read_header(path).alphabet
    if alphabet is not PROTEIN:
        raise GrubioError(f"holds {alphabet.title}; proteins have profiles", path=path)
    yield from read_records(path, targets=True)
