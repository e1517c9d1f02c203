"""Tables of records as Parquet, with the columns of :mod:`grubio.readers.table`.

Values of a target are a list of numbers, or numbers as text between commas; null is unknown. A
table that has a row for each residue has a number in each row. Text may be bytes; sequences, labels
and masks may be lists of letters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from grubio.errors import GrubioError
from grubio.readers.table import Row, records_of, text_in
from grubio.sequences.record import Record

_TEXTS = ("id", "sequence", "residue", "description", "split", "group", "fold", "mask")


def read_parquet(
    path: str | Path, scheme: str = "ss8", answers: Mapping[str, str] | None = None
) -> Iterator[Record]:
    """Yield the records of a Parquet file in order; see :func:`grubio.readers.table.read_table`.

    Raises
    ------
    GrubioError
        If the file is damaged, a column is missing, an id is empty or occurs twice, or a split is
        unknown.
    """
    header: list[str] = []
    yield from records_of(parquet_rows(path, header), header, path, scheme, answers)


def parquet_rows(path: str | Path, header: list[str]) -> Iterator[tuple[None, Row]]:
    """Yield the rows of a Parquet file; they have no lines. Fill in the header, in lower case.

    Raises
    ------
    GrubioError
        If the file is missing, damaged, or no Parquet.
    """
    try:
        with pq.ParquetFile(path) as file:
            header.extend(name.strip().lower() for name in file.schema_arrow.names)
            for batch in file.iter_batches(1000):
                for row in batch.to_pylist():
                    cells = dict(zip(header, row.values(), strict=True))
                    texts = {key: text_in(cells, key, path) for key in _TEXTS if key in cells}
                    yield None, cells | texts
    except FileNotFoundError as error:
        raise GrubioError("no such file", path=path) from error
    except (OSError, ValueError, pa.ArrowException) as error:
        raise GrubioError(f"cannot be read as Parquet: {error}", path=path) from error
