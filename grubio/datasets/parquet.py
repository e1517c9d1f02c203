"""The dataset on disk: records as Parquet, with alphabet, scheme and sources in its metadata.

Columns ``id, description, sequence, labels, mask, group, split, accessibility``, all strings, and
``profile``, bytes. The last two are further targets to learn from, null where a record has none;
see :class:`grubio.sequences.record.Record`. The file's key-value metadata
has one key, ``grubio``, a JSON object with ``alphabet``, ``scheme``, ``sources`` (file name to
SHA-256), ``sites`` (see :class:`DatasetHeader`) and ``version``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from grubio import __version__
from grubio.errors import GrubioError
from grubio.files import written_whole
from grubio.sequences.alphabet import ALPHABETS, Alphabet
from grubio.sequences.kind import Kind, kind_of
from grubio.sequences.record import Record
from grubio.sequences.scheme import LabelScheme, scheme_from_dict

COLUMNS = ("id", "description", "sequence", "labels", "mask", "group", "split")
TARGET_COLUMNS = ("accessibility", "profile")
SPLITS = ("train", "valid", "test")

_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in COLUMNS),
        ("accessibility", pa.string()),
        ("profile", pa.binary()),
    ]
)
_NO_DATASET = ("is not a Parquet file", "make a dataset with: grubio prepare")
_ROWS_PER_GROUP = 10_000
_ROWS_READ = 1_000


@dataclass(frozen=True)
class DatasetHeader:
    """What holds for all records of a dataset.

    Attributes
    ----------
    alphabet
        Kind of residue.
    scheme
        Classes of the labels.
    sources
        SHA-256 of each file that the records came from.
    sites
        For records cut out of a genome, both strands of each block, whose ids are loci
        (:mod:`grubio.sequences.locus`): the width of each class whose features all have the same
        one, by letter. None for other records.
    """

    alphabet: Alphabet
    scheme: LabelScheme
    sources: Mapping[str, str] = field(default_factory=dict)
    sites: Mapping[str, int] | None = None

    @property
    def kind(self) -> Kind:
        """Whether the records are sequences or strands of a genome."""
        return kind_of(self.sites)


def write_dataset(path: str | Path, header: DatasetHeader, records: Iterable[Record]) -> None:
    """Write records to a Parquet file, in their order, in one step.

    Raises
    ------
    GrubioError
        If the file cannot be written.
    """
    content = {
        "alphabet": header.alphabet.name,
        "scheme": header.scheme.as_dict(),
        "sources": dict(header.sources),
        "sites": header.sites and dict(header.sites),
        "version": __version__,
    }
    schema = _SCHEMA.with_metadata({"grubio": json.dumps(content, sort_keys=True)})
    with (
        written_whole(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for rows in _groups(records):
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))


def read_header(path: str | Path) -> DatasetHeader:
    """Return the header of a dataset.

    Raises
    ------
    GrubioError
        If the file is missing or is not a dataset of grubio.
    """
    with open_parquet(path, *_NO_DATASET) as file:
        raw = (file.schema_arrow.metadata or {}).get(b"grubio")
        missing = {*COLUMNS, *TARGET_COLUMNS} - set(file.schema_arrow.names)
    if raw is None or missing:
        raise GrubioError(
            "is Parquet but not a dataset of grubio",
            path=path,
            hint="make one with: grubio prepare",
        )
    try:
        content: dict[str, Any] = json.loads(raw)
        scheme = scheme_from_dict(content["scheme"])
        return DatasetHeader(
            ALPHABETS[content["alphabet"]], scheme, content["sources"], content.get("sites")
        )
    except (ValueError, KeyError) as error:
        raise GrubioError(f"has a damaged header: {error}", path=path) from error


def read_records(
    path: str | Path, split: str | None = None, *, targets: bool = False
) -> Iterator[Record]:
    """Yield the records of a dataset in order; only those of one split if it is given.

    Accessibility and profiles, which only training needs, are read if ``targets`` is true.

    Raises
    ------
    GrubioError
        If the file is missing or is not a dataset of grubio.
    """
    read_header(path)
    with open_parquet(path, *_NO_DATASET) as file:
        wanted = [*COLUMNS, *(TARGET_COLUMNS if targets else ())]
        for batch in file.iter_batches(_ROWS_READ, columns=wanted):
            for row in batch.to_pylist():
                if split is None or row["split"] == split:
                    yield Record(**row)


def require_splits(path: str | Path, records: Sequence[Record], split: str) -> None:
    """Raise GrubioError if a split that a step needs has no records."""
    if not records:
        raise GrubioError(
            f"has no records in split '{split}'",
            path=path,
            hint="divide it first: grubio split",
        )


def open_parquet(path: str | Path, problem: str, hint: str) -> pq.ParquetFile:
    """Open a Parquet file.

    Raises
    ------
    GrubioError
        If it is missing, or with the problem and the hint if it is no Parquet file.
    """
    try:
        return pq.ParquetFile(path)
    except FileNotFoundError as error:
        raise GrubioError("no such file", path=path) from error
    except (pa.ArrowInvalid, OSError) as error:
        raise GrubioError(problem, path=path, hint=hint) from error


def _groups(records: Iterable[Record]) -> Iterator[list[dict[str, Any]]]:
    rows = ({name: getattr(record, name) for name in _SCHEMA.names} for record in records)
    while group := list(islice(rows, _ROWS_PER_GROUP)):
        yield group
