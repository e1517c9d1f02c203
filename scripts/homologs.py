"""Homologs of training records as further records, with the labels of what they are aligned with.

python scripts/homologs.py unlabelled.fasta --labelled split.parquet pseudo.parquet \
    --exclude benchmark_sequences.fasta --output homologs.parquet

MMseqs2 searches for each training record among the proteins of the FASTA, without those that
resemble an excluded or a held-out sequence; what is found is searched for them once more. A few of
its homologs, unlike each other, become records: the part that is aligned, with the labels, soft
labels and further answers of the record's residues, and without any for insertions. The group of
such a record is the id of the record that it is aligned with, by which ``scripts/train_on_gpu.py``
knows a family.

A run that was stopped goes on after its last chunk; what is finished is kept in OUTPUT.part.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from grubio.config.profiles import SearchSettings
from grubio.datasets.parquet import DatasetHeader, read_header, read_records, write_dataset
from grubio.errors import GrubioError
from grubio.files import sha256_of_file
from grubio.model.devices import available_threads
from grubio.profiles.a3m import read_a3m_rows
from grubio.profiles.search import aligned
from grubio.readers.fasta import read_fasta
from grubio.sequences.record import Record
from grubio.sequences.target import Answer
from transfer_labels import database_of, resumed, unlike

_SEARCH = SearchSettings(iterations=1, sensitivity=4, max_sequences=150)
_MOST_SEEN = 48
_IDENTITY = (0.25, 0.9)
_MOST_ALIKE = 0.85
_LEAST_RESIDUES, _LEAST_COVERAGE = 40, 0.6
_GAP, _LOWER = ord("-"), ord("a")


def chosen_rows(rows: Sequence[tuple[str, str]], most: int, seed: int) -> Iterator[tuple[str, str]]:
    """Yield the names and A3M rows of homologs of the first row, at random, unlike each other.

    A homolog covers 60 % of the first row with 40 residues or more, of which 25 to 90 % are the
    same, and of those in a row chosen before, 85 % at most.
    """
    first = np.frombuffer(rows[0][1].encode(), np.uint8)
    others = [row for row in rows[1:] if row[0] != rows[0][0]]
    random.Random(seed).shuffle(others)
    chosen: list[npt.NDArray[np.uint8]] = []
    for name, row in others[:_MOST_SEEN]:
        letters = np.frombuffer(row.encode(), np.uint8)
        own = letters[letters < _LOWER]
        there = own != _GAP
        if there.sum() < max(_LEAST_RESIDUES, _LEAST_COVERAGE * len(first)):
            continue
        same = [(own == other)[there].mean() for other in (first, *chosen)]
        if _IDENTITY[0] <= same[0] <= _IDENTITY[1] and max(same[1:], default=0) <= _MOST_ALIKE:
            chosen.append(own)
            yield name, row
        if len(chosen) == most:
            return


def homolog(name: str, row: str, known: Record) -> Record:
    """Return an A3M row as a record, with the answers of the record that it is aligned with.

    An insertion, in lower case, has no answer.
    """
    letters = np.frombuffer(row.encode(), np.uint8)
    column = np.cumsum(letters < _LOWER) - 1
    inside = (letters < _LOWER)[letters != _GAP]
    column = np.maximum(column[letters != _GAP], 0)
    answers: dict[str, Answer] = {}
    for target, answer in known.answers.items():
        if not isinstance(answer, np.ndarray):
            continue  # a further string of labels: none of the datasets has one
        own = answer[column].copy()
        own[~inside] = np.nan if own.dtype == np.float32 else 0
        answers[target] = own
    mask = known.mask or "1" * len(known)
    labels = known.labels or ""
    return replace(
        known,
        id=f"{known.id}|{name}",
        sequence=row.replace("-", "").upper(),
        labels="".join(labels[at] for at in column) if labels else None,
        mask="".join(mask[at] if ok else "0" for at, ok in zip(column, inside, strict=True)),
        answers=answers,
        group=known.id,
        split="train",
    )


def homologs(
    records: Sequence[Record], database: Path, most: int, threads: int, folder: Path
) -> Iterator[Record]:
    """Yield homologs of records that are found in a database of MMseqs2."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="search-") as name:
        own = Path(name)
        database_of((record.sequence for record in records), own, "queries")
        for part in aligned(database, _SEARCH, threads, own):
            for rows in read_a3m_rows(part, insertions=True):
                number = int(rows[0][0])
                for found, row in chosen_rows(rows, most, number):
                    yield homolog(found, row, records[number])


def main() -> None:
    """Find homologs, chunk by chunk."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("fasta", type=Path, help="proteins to find homologs among")
    parser.add_argument("--labelled", type=Path, nargs="+", required=True, help="datasets")
    parser.add_argument("--output", type=Path, required=True, help="dataset to write")
    parser.add_argument("--exclude", type=Path, help="FASTA of what no homolog may resemble")
    parser.add_argument("--most", type=int, default=4, help="homologs of a record")
    parser.add_argument("--chunk", type=int, default=16_000, help="records searched at once")
    parser.add_argument("--threads", type=int, default=available_threads())
    arguments = parser.parse_args()
    try:
        search(arguments)
    except GrubioError as error:
        parser.exit(2, f"error: {error}\n")


def search(arguments: argparse.Namespace) -> None:
    """Find homologs of the training records of datasets, and write them as a dataset.

    Raises
    ------
    GrubioError
        If an input is at fault, MMseqs2 is not installed or fails, or nothing is found.
    """
    parts = resumed(arguments)
    known, excluded = _records_of(arguments)
    database = parts / "proteins"
    if not database.with_name("proteins.done").exists():
        kept = unlike(list(read_fasta(arguments.fasta)), excluded, arguments.threads, parts)
        database_of((record.sequence for record in kept), parts, database.name)
        database.with_name("proteins.done").touch()
    header = _header_of(arguments)
    for first in range(0, len(known), arguments.chunk):
        path = parts / f"{first:09d}.parquet"
        chunk = known[first : first + arguments.chunk]
        if not path.exists():
            found = homologs(chunk, database.resolve(), arguments.most, arguments.threads, parts)
            write_dataset(path, header, found)
        print(f"{first + len(chunk):,} of {len(known):,} records searched", flush=True)
    whole = [
        r for path in sorted(parts.glob("*.parquet")) for r in read_records(path, targets=True)
    ]
    # Among all proteins, chance hits crowd out weak ones, and E-values are larger.
    whole = unlike(whole, excluded, arguments.threads, parts)
    if not whole:
        raise GrubioError("holds no homolog of any training record", path=arguments.fasta)
    write_dataset(arguments.output, header, whole)
    shutil.rmtree(parts)
    print(f"{len(whole):,} homologs, {sum(map(len, whole)):,} residues")
    print(f"SHA-256 {sha256_of_file(arguments.output)}")


def _records_of(arguments: argparse.Namespace) -> tuple[list[Record], list[Record]]:
    known, excluded = list[Record](), list[Record]()
    for path in arguments.labelled:
        for record in read_records(path, targets=True):
            (known if record.split in (None, "train") else excluded).append(record)
    return known, [*excluded, *(read_fasta(arguments.exclude) if arguments.exclude else [])]


def _header_of(arguments: argparse.Namespace) -> DatasetHeader:
    header = read_header(arguments.labelled[0])
    inputs = [arguments.fasta, *arguments.labelled, *filter(None, [arguments.exclude])]
    sources = {path.name: sha256_of_file(path) for path in inputs}
    soft = any(read_header(path).soft_labels for path in arguments.labelled)
    for path in arguments.labelled[1:]:
        other = read_header(path)
        if (other.scheme, other.targets) != (header.scheme, header.targets):
            raise GrubioError(
                f"has other labels or targets than {arguments.labelled[0]}", path=path
            )
    return replace(header, sources=sources, profiles=None, soft_labels=soft)


if __name__ == "__main__":
    main()
