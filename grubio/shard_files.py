"""The files of a prediction in shards.

An input is cut into shards of about equal numbers of residues. ``K-of-N.records.parquet`` holds
the checked records of a shard, in the order of the input, and ``K-of-N.probabilities.parquet`` what
the model says of them, bit for bit, so that any format can be written of it later. A shard holds
whole records; only a contig that is labelled window by window is cut, at the border of two cores,
and its parts have the bases on both sides that their windows see.

Every file carries the :class:`Plan` that it belongs to. Files of two plans are never mixed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from grubio.checking import Tally
from grubio.dataset import open_parquet
from grubio.errors import GrubioError
from grubio.inference import Prediction, Stretch
from grubio.locus import Strand
from grubio.record import Record
from grubio.scheme import LabelScheme
from grubio.windows import ContigPart

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


@dataclass(frozen=True)
class Plan:
    """What was cut, for which model, into how many shards.

    Attributes
    ----------
    input_sha256
        Of the FASTA file, as it is on the disk.
    model_sha256
        Of the model's ``model.json``, which holds the SHA-256 of the weights.
    on_invalid
        What was done with invalid records.
    shards
        How many.
    tally
        What was read, changed and refused in the whole input.
    """

    input_sha256: str
    model_sha256: str
    on_invalid: str
    shards: int
    tally: Tally

    def as_json(self) -> str:
        """Return the plan as JSON; the same plan is the same text."""
        return json.dumps({**vars(self), "tally": vars(self.tally)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Return the plan that :meth:`as_json` wrote."""
        content = json.loads(text)
        tally = Tally(**content.pop("tally"))
        for name in ("replaced", "labels"):
            setattr(tally, name, Counter(getattr(tally, name)))
        tally.refused = [(name, reason) for name, reason in tally.refused]
        return cls(**content, tally=tally)


@dataclass(frozen=True)
class Shard:
    """What a file of a shard says of itself.

    Attributes
    ----------
    plan
        The plan that it belongs to.
    number
        1-based.
    computed
        With what it was computed, for example ``cpu with AVX2``; empty for records.
    strands
        Strands that were labelled, for models of a genome.
    rows
        Records, parts of contigs, predictions or stretches in the file.
    """

    plan: Plan
    number: int
    computed: str = ""
    strands: tuple[Strand, ...] = ()
    rows: int = 0


def shard_name(number: int, shards: int) -> str:
    """Return the name of a shard, as Snakemake calls its scattered items.

    Examples
    --------
    >>> shard_name(3, 16)
    '3-of-16'
    """
    return f"{number}-of-{shards}"


class ShardWriter:
    """A file of a shard that is filled row by row.

    Parameters
    ----------
    path
        File to write.
    shard
        What it says of itself.
    schema
        Its columns.
    """

    def __init__(self, path: Path, shard: Shard, schema: pa.Schema) -> None:
        about = {
            "plan": shard.plan.as_json(),
            "number": shard.number,
            "computed": shard.computed,
            "strands": "".join(shard.strands),
        }
        self._schema = schema.with_metadata({_KEY: json.dumps(about).encode()})
        # Probabilities do not repeat; a dictionary of them only costs time.
        self._writer = pq.ParquetWriter(
            path, self._schema, compression="zstd", use_dictionary=False, write_statistics=False
        )
        self._rows: list[Mapping[str, Any]] = []
        self._residues = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._flush()
        finally:
            self._writer.close()

    def add(self, row: Mapping[str, Any], residues: int) -> None:
        """Add a row."""
        self._rows.append(row)
        self._residues += residues
        if self._residues >= _RESIDUES_PER_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
        self._rows, self._residues = [], 0


def records_writer(path: Path, shard: Shard) -> ShardWriter:
    """Return a writer for rows of :func:`part_row`."""
    return ShardWriter(path, shard, _RECORDS)


def part_row(part: ContigPart) -> dict[str, Any]:
    """Return a record, or a part of a contig, as a row."""
    return {name: getattr(part, name) for name in _RECORDS.names}


def predictions_writer(path: Path, shard: Shard) -> ShardWriter:
    """Return a writer for rows of :func:`prediction_row`."""
    return ShardWriter(path, shard, _PREDICTIONS)


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
    return ShardWriter(path, shard, _STRETCHES)


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


def _bytes(values: npt.NDArray[np.float32]) -> bytes:
    return np.ascontiguousarray(values, dtype="<f4").tobytes()


def _array(content: bytes) -> npt.NDArray[np.float32]:
    return np.frombuffer(content, dtype="<f4").astype(np.float32)


def _rows(path: str | Path) -> Iterator[dict[str, Any]]:
    with open_parquet(path, *_NO_SHARD) as parquet:
        for group in range(parquet.num_row_groups):
            yield from parquet.read_row_group(group).to_pylist()
