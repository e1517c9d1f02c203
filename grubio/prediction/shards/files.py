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
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from grubio.datasets.parquet import open_parquet
from grubio.errors import GrubioError
from grubio.inference.predictor import Prediction
from grubio.inference.stretches import Stretch
from grubio.prediction.shards.plan import Plan, Shard
from grubio.sequences.locus import Strand
from grubio.sequences.record import Record
from grubio.sequences.scheme import LabelScheme
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
_PREDICTIONS = pa.schema(
    [
        ("id", pa.string()),
        ("description", pa.string()),
        ("sequence", pa.large_string()),
        ("mask", pa.large_string()),
        ("probabilities", pa.large_binary()),
        ("accessibility", pa.large_binary()),
    ]
)
_STRETCHES = pa.schema(
    [
        ("contig", pa.string()),
        ("length", pa.int64()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("residues", pa.large_string()),
        ("+", pa.large_binary()),
        ("-", pa.large_binary()),
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


def predictions_writer(path: Path, shard: Shard) -> ShardWriter:
    """Return a writer for rows of :func:`prediction_row`."""
    return _writer(path, shard, _PREDICTIONS)


def prediction_row(prediction: Prediction) -> dict[str, Any]:
    """Return a prediction as a row."""
    record, exposed = prediction.record, prediction.accessibility
    return {
        "id": record.id,
        "description": record.description,
        "sequence": record.sequence,
        "mask": record.mask,
        "probabilities": _bytes(prediction.probabilities),
        "accessibility": None if exposed is None else _bytes(exposed),
    }


def stretches_writer(path: Path, shard: Shard) -> ShardWriter:
    """Return a writer for rows of :func:`stretch_row`."""
    return _writer(path, shard, _STRETCHES)


def stretch_row(stretch: Stretch) -> dict[str, Any]:
    """Return a stretch as a row."""
    row = {name: getattr(stretch, name) for name in _STRETCHES.names[:5]}
    return row | {strand: _bytes(values) for strand, values in stretch.probabilities.items()}


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
    return Shard(Plan.from_json(about["plan"]), about["number"], about["computed"], strands, rows)


def read_parts(path: str | Path) -> Iterator[ContigPart]:
    """Yield the records, or parts of contigs, of a shard."""
    for row in _rows(path):
        yield ContigPart(**row)


def read_predictions(path: str | Path, scheme: LabelScheme) -> Iterator[Prediction]:
    """Yield the predictions of a shard; ``scheme`` is the model's."""
    for row in _rows(path):
        exposed = row["accessibility"]
        yield Prediction(
            Record(row["id"], row["description"], row["sequence"], mask=row["mask"]),
            _array(row["probabilities"]).reshape(-1, scheme.size),
            scheme,
            None if exposed is None else _array(exposed),
        )


def read_stretches(
    path: str | Path, scheme: LabelScheme, strands: Sequence[Strand]
) -> Iterator[Stretch]:
    """Yield the stretches of a shard; ``scheme`` is the model's."""
    for row in _rows(path):
        values = {strand: _array(row.pop(strand)).reshape(-1, scheme.size) for strand in strands}
        yield Stretch(
            **{name: row[name] for name in _STRETCHES.names[:5]},
            probabilities=values,
            scheme=scheme,
        )


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


def _bytes(values: npt.NDArray[np.float32]) -> bytes:
    return np.ascontiguousarray(values, dtype="<f4").tobytes()


def _array(content: bytes) -> npt.NDArray[np.float32]:
    return np.frombuffer(content, dtype="<f4").astype(np.float32)


def _rows(path: str | Path) -> Iterator[dict[str, Any]]:
    with open_parquet(path, *_NO_SHARD) as parquet:
        for group in range(parquet.num_row_groups):
            yield from parquet.read_row_group(group).to_pylist()
