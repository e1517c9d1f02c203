"""Rows of a table, written to Parquet in groups of about a million."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from grubio.sequences.scheme import LabelScheme
from grubio.sequences.target import Target
from grubio.writers.parquet_groups import ParquetGroups

_ROWS_PER_GROUP = 1_000_000


class ParquetRows(ParquetGroups[pa.RecordBatch]):
    """A Parquet file that is filled part by part.

    The scheme's name and classes, and the model, are in the file's metadata.

    Parameters
    ----------
    path
        File to write.
    fields
        Names and types of the columns.
    scheme
        The classes.
    further
        Further targets; they are in the file's metadata as well.
    model
        The model and what it was trained on, if it is known.
    """

    def __init__(
        self,
        path: Path,
        fields: Sequence[tuple[str, pa.DataType]],
        scheme: LabelScheme,
        further: Sequence[Target] = (),
        model: str = "",
    ) -> None:
        about = {"grubio_scheme": scheme.name, "grubio_classes": json.dumps(scheme.as_dict())}
        if further:
            about["grubio_targets"] = json.dumps([target.as_dict() for target in further])
        if model:
            about["grubio_model"] = model
        self._schema = pa.schema(fields, metadata=about)
        super().__init__(path, self._schema, pa.Table.from_batches, _ROWS_PER_GROUP)

    def add_rows(self, columns: Sequence[pa.Array]) -> None:
        """Add rows: one array for each column."""
        # An empty list says nothing of its type.
        typed = [c.cast(t) for c, t in zip(columns, self._schema.types, strict=True)]
        self.add(pa.record_batch(typed, schema=self._schema), len(columns[0]))
