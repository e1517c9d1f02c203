"""Predictions in Parquet that were changed by others are read right or refused."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grubio.errors import GrubioError
from grubio.prediction.read_back import PredictionsTable

ROWS = {
    "id": ["a", "a", "a", "b", "b"],
    "position": [1, 2, 3, 1, 2],
    "residue": ["M", "K", "T", "G", "S"],
    "label": ["H", "H", "C", "C", "C"],
    "p_H": [0.9, 0.8, 0.1, 0.2, 0.1],
    "p_C": [0.1, 0.2, 0.9, 0.8, 0.9],
}


def write(path: Path, order: list[int], **changed: list[object]) -> Path:
    columns = {name: pa.array(values) for name, values in (ROWS | changed).items()}
    pq.write_table(pa.table(columns).take(pa.array(order)), path)
    return path


def test_rows_in_order_are_read(tmp_path: Path) -> None:
    found = list(PredictionsTable(write(tmp_path / "p.parquet", [0, 1, 2, 3, 4])))
    assert [(one.id, one.sequence, one.labels) for one in found] == [
        ("a", "MKT", "HHC"),
        ("b", "GS", "CC"),
    ]


@pytest.mark.parametrize("order", [[0, 3, 1, 2, 4], [0, 2, 1, 3, 4], [2, 1, 0, 3, 4]])
def test_shuffled_rows_are_refused(tmp_path: Path, order: list[int]) -> None:
    with pytest.raises(GrubioError, match="record 'a': its residues are not in order"):
        list(PredictionsTable(write(tmp_path / "p.parquet", order)))


@pytest.mark.parametrize("column", ["id", "residue", "label", "p_H"])
def test_an_empty_cell_is_refused(tmp_path: Path, column: str) -> None:
    values = [None if number == 1 else value for number, value in enumerate(ROWS[column])]
    path = write(tmp_path / "p.parquet", [0, 1, 2, 3, 4], **{column: values})
    with pytest.raises(GrubioError, match=r"empty cell in column|are not in order"):
        list(PredictionsTable(path))


@pytest.mark.parametrize(
    ("key", "content"),
    [
        *(("grubio_targets", content) for content in ("[", "[1]", "1")),
        *(("grubio_classes", content) for content in ("[", "[1]", "1", "{}")),
    ],
)
def test_damaged_metadata_is_refused(tmp_path: Path, key: str, content: str) -> None:
    path = write(tmp_path / "p.parquet", [0, 1, 2, 3, 4])
    table = pq.read_table(path).replace_schema_metadata({key: content})
    pq.write_table(table, path)
    with pytest.raises(GrubioError, match="its metadata: "):
        PredictionsTable(path)
