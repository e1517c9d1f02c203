"""The files of a prediction in shards.

An input is cut into shards of about equal numbers of residues. ``K-of-N.records.parquet`` holds
the checked records of a shard, in the order of the input, and ``K-of-N.probabilities.parquet`` what
the model says of them, bit for bit, so that any format can be written of it later. A shard holds
whole records; only a contig that is labelled window by window is cut, at the border of two cores,
and its parts have the bases on both sides that their windows see.

Every file carries the plan that it belongs to (:mod:`grubio.prediction.shards.plan`). Files of two
plans are never mixed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa

from grubio.datasets.parquet import open_parquet
from grubio.errors import GrubioError
from grubio.prediction.shards.plan import Shard, ShardPlan
from grubio.sequences.windows import ContigPart
from grubio.writers.parquet_groups import ParquetGroups

_RESIDUES_PER_GROUP = 200_000
_KEY = b"grubio_shard"
_NO_SHARD = ("is damaged or no shard of a prediction", "label it again")

_RECORDS = pa.schema(
    [
        ("id", pa.string()),
        ("description", pa.string()),
        ("sequence", pa.large_string()),
        ("mask", pa.large_string()),
        ("length", pa.int64()),
        ("offset", pa.int64()),
        ("first", pa.int64()),
        ("last", pa.int64()),
    ]
)

ShardWriter: TypeAlias = ParquetGroups[Mapping[str, Any]]
"""Is filled with rows and their residues."""


def records_writer(path: Path, shard: Shard) -> ShardWriter:
    """Return a writer for rows of :func:`part_row`."""
    return _writer(path, shard, _RECORDS)


def part_row(part: ContigPart) -> dict[str, Any]:
    """Return a record, or a part of a contig, as a row."""
    return {name: getattr(part, name) for name in _RECORDS.names}


def answers_writer(path: Path, shard: Shard, columns: Mapping[str, str]) -> ShardWriter:
    """Return a writer for answers as rows; see :class:`grubio.prediction.model_kind.ModelKind`."""
    return _writer(path, shard, pa.schema([pa.field(*column) for column in columns.items()]))


def read_shard(path: str | Path) -> Shard:
    """Return what a file says of itself.

    Raises
    ------
    GrubioError
        If it is missing, damaged, or no shard.
    """
    with open_parquet(path, *_NO_SHARD) as parquet:
        metadata = (parquet.schema_arrow.metadata or {}).get(_KEY)
        rows = parquet.metadata.num_rows
    if metadata is None:
        raise GrubioError("is no shard of a prediction", path=path)
    about = json.loads(metadata)
    strands = tuple(about["strands"])
    return Shard(
        ShardPlan.from_json(about["plan"]), about["number"], about["computed"], strands, rows
    )


def read_parts(path: str | Path) -> Iterator[ContigPart]:
    """Yield the records, or parts of contigs, of a shard."""
    for row in read_rows(path):
        yield ContigPart(**row)


def read_rows(path: str | Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a shard."""
    with open_parquet(path, *_NO_SHARD) as parquet:
        for group in range(parquet.num_row_groups):
            yield from parquet.read_row_group(group).to_pylist()


def _writer(path: Path, shard: Shard, columns: pa.Schema) -> ShardWriter:
    about = {
        "plan": shard.plan.as_json(),
        "number": shard.number,
        "computed": shard.computed,
        "strands": "".join(shard.strands),
    }
    schema = columns.with_metadata({_KEY: json.dumps(about).encode()})
    # Probabilities do not repeat; a dictionary of them only costs time.
    return ParquetGroups(
        path,
        schema,
        partial(pa.Table.from_pylist, schema=schema),
        _RESIDUES_PER_GROUP,
        use_dictionary=False,
        write_statistics=False,
    )
