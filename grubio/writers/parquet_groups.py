"""Parquet files that are filled piece by piece and written in groups of rows."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from grubio.sequences.scheme import LabelScheme
from grubio.sequences.target import Target

Piece = TypeVar("Piece")
_ROWS_PER_GROUP = 1_000_000


class ParquetGroups(Generic[Piece]):
    """Keeps pieces until there are enough for a group of rows.

    The file is closed whatever happens; after an error the pieces that wait are not written.

    Parameters
    ----------
    path
        File to write.
    schema
        Its columns.
    joined
        Makes a table of pieces.
    size
        Size of a group, in whatever :meth:`add` counts.
    options
        Options of :class:`pyarrow.parquet.ParquetWriter`.
    """

    def __init__(
        self,
        path: Path,
        schema: pa.Schema,
        joined: Callable[[list[Piece]], pa.Table],
        size: int,
        **options: Any,
    ) -> None:
        self._writer = pq.ParquetWriter(path, schema, compression="zstd", **options)
        self._joined = joined
        self._size = size
        self._waiting: list[Piece] = []
        self._held = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._flush()
        finally:
            self._writer.close()

    def add(self, piece: Piece, size: int) -> None:
        """Add a piece and its size."""
        self._waiting.append(piece)
        self._held += size
        if self._held >= self._size:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(self._joined(self._waiting))
        self._waiting, self._held = [], 0


class ParquetRows(ParquetGroups[pa.RecordBatch]):
    """A table of predictions in groups of about a million rows.

    The scheme's name and classes, additional targets and the model are in the file's metadata.

    Parameters
    ----------
    path
        File to write.
    fields
        Names and types of the columns.
    scheme
        The classes.
    additional
        Additional targets.
    model
        The model and what it was trained on, if it is known.
    """

    def __init__(
        self,
        path: Path,
        fields: Sequence[tuple[str, pa.DataType]],
        scheme: LabelScheme,
        additional: Sequence[Target] = (),
        model: str = "",
    ) -> None:
        about = {"grubio_scheme": scheme.name, "grubio_classes": json.dumps(scheme.as_dict())}
        if additional:
            about["grubio_targets"] = json.dumps([target.as_dict() for target in additional])
        if model:
            about["grubio_model"] = model
        self._schema = pa.schema(fields, metadata=about)
        super().__init__(path, self._schema, pa.Table.from_batches, _ROWS_PER_GROUP)

    def add_rows(self, columns: Sequence[pa.Array]) -> None:
        """Add rows: one array for each column."""
        # An empty list has no type of its own.
        typed = [c.cast(t) for c, t in zip(columns, self._schema.types, strict=True)]
        self.add(pa.record_batch(typed, schema=self._schema), len(columns[0]))
