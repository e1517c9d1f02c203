"""Rows of a table, written to Parquet in groups of about a million."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from grubio.scheme import LabelScheme

_ROWS_PER_GROUP = 1_000_000


class ParquetRows:
    """A Parquet file that is filled part by part.

    The scheme's name and classes are in the file's metadata.

    Parameters
    ----------
    path
        File to write.
    fields
        Names and types of the columns.
    scheme
        The classes.
    """

    def __init__(
        self, path: Path, fields: Sequence[tuple[str, pa.DataType]], scheme: LabelScheme
    ) -> None:
        about = {"grubio_scheme": scheme.name, "grubio_classes": json.dumps(scheme.as_dict())}
        self._schema = pa.schema(fields, metadata=about)
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._flush()
        self._writer.close()

    def add(self, columns: Sequence[pa.Array]) -> None:
        """Add rows: one array for each column."""
        # An empty list says nothing of its type.
        typed = [c.cast(t) for c, t in zip(columns, self._schema.types, strict=True)]
        self._waiting.append(pa.record_batch(typed, schema=self._schema))
        self._rows += len(columns[0])
        if self._rows >= _ROWS_PER_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting))
        self._waiting, self._rows = [], 0
