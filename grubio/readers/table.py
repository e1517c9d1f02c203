"""Tab-separated tables, with a header line or with columns named by the reader.

Columns ``id`` and ``sequence``, and for labels one of ``labels``, ``label``, ``target``, ``ss8``
or ``ss3``. Optional columns: ``mask`` (0 and 1), ``split`` (``train``, ``valid`` or ``val``,
``test``), ``group``, ``description``. Others are not looked at. Nothing is quoted.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from grubio.errors import GrubioError
from grubio.files import open_input
from grubio.sequences.record import Record

_LABEL_COLUMNS = ("labels", "label", "target", "ss8", "ss3")
SPLIT_NAMES = {"train": "train", "valid": "valid", "val": "valid", "test": "test"}


def read_table(path: str | Path, columns: Sequence[str] = ()) -> Iterator[Record]:
    """Yield the records of a table in order.

    Parameters
    ----------
    path
        The table, plain or compressed.
    columns
        Names of the columns if there is no header line.

    Raises
    ------
    GrubioError
        With the line, if a column is missing, a row has another number of cells, an id is empty or
        comes twice, or a split is unknown.
    """
    lines_of: dict[str, int] = {}
    with open_input(path) as raw:
        lines = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="replace", newline=None)
        header = list(columns) or next(lines, "").rstrip("\n").split("\t")
        _require_columns(header, path)
        labels_column = next(name for name in _LABEL_COLUMNS if name in header)
        for number, line in enumerate(lines, start=1 if columns else 2):
            if not line.strip():
                continue
            cells = line.rstrip("\n").split("\t")
            if len(cells) != len(header):
                raise GrubioError(
                    f"{len(cells)} cells; the header has {len(header)}", path=path, line=number
                )
            row = dict(zip(header, cells, strict=True))
            name = row["id"].strip()
            if not name or any(letter.isspace() for letter in name):
                raise GrubioError(
                    "the id is empty or has spaces", path=path, line=number, record=name or None
                )
            if name in lines_of:
                raise GrubioError(
                    f"the id comes twice, in lines {lines_of[name]} and {number}",
                    path=path,
                    record=name,
                )
            lines_of[name] = number
            split = row.get("split") or None
            if split is not None and split not in SPLIT_NAMES:
                raise GrubioError(
                    f"split '{split}'; train, valid or test was expected",
                    path=path,
                    line=number,
                    record=name,
                )
            yield Record(
                name,
                row.get("description", ""),
                row["sequence"].strip(),
                row[labels_column].strip("\r"),
                row.get("mask") or None,
                row.get("group") or None,
                None if split is None else SPLIT_NAMES[split],
            )
    if not lines_of:
        raise GrubioError("holds no records", path=path)


def _require_columns(header: list[str], path: str | Path) -> None:
    wanted = [name for name in ("id", "sequence") if name not in header]
    if not any(name in header for name in _LABEL_COLUMNS):
        wanted.append(" or ".join(_LABEL_COLUMNS))
    if wanted:
        raise GrubioError(
            f"has no column {', no column '.join(wanted)}; it has: {', '.join(header)[:200]}",
            path=path,
            line=1,
            hint="name the columns in the first line, or with --columns id,sequence,labels",
        )
