"""A Parquet file that is filled piece by piece and written in groups."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

Piece = TypeVar("Piece")


class ParquetGroups(Generic[Piece]):
    """Keeps pieces until they are large enough for a group of rows.

    The file is closed whatever happens; after an error what waits is not written.

    Parameters
    ----------
    path
        File to write.
    schema
        Its columns.
    joined
        Makes a table of pieces.
    size
        How large a group is, in whatever :meth:`add` counts.
    options
        Of :class:`pyarrow.parquet.ParquetWriter`.
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

    def add(self, piece: Piece, size: int) -> None:
        """Add a piece that counts as much."""
        self._waiting.append(piece)
        self._held += size
        if self._held >= self._size:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(self._joined(self._waiting))
        self._waiting, self._held = [], 0
