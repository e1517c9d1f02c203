"""Tables of records, separated by tabs, commas or semicolons, with or without a header line.

Columns ``id`` and ``sequence``, and for labels one named as the scheme (``ss8``, ``ss3``), or else
``labels``, ``label`` or ``target``. Optional columns: ``mask`` (0 and 1), ``split`` (``train``,
``valid`` or ``val``, ``test``), ``group``, ``fold`` (of a cross-validation), ``description``, soft
labels (:mod:`grubio.readers.soft_labels`), which may stand in place of labels, and those of
additional targets. Others are ignored, as is the case of names. Cells may be in double
quotes, except between tabs. With the scheme ``none`` there are no labels.

A table may instead have a row for each residue, with the columns ``id`` and ``residue``, and the
others as above with one letter or number in each cell, ``split``, ``group`` and ``fold`` the same
along a record. With a column ``position``, which may begin anywhere, rows that are missing or not
in order are found: as in a structure, a gap is not closed.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from grubio.errors import GrubioError
from grubio.readers.cells import AtResidue, letters_of, text_of
from grubio.readers.soft_labels import soft_labels_of
from grubio.sequences.record import Record
from grubio.sequences.scheme import NO_CLASSES, SCHEMES
from grubio.sequences.target import LABELS, SOFT_COLUMN
from grubio.text import refuse_invisible, text_lines

_LABEL_COLUMNS = ("labels", "label", "target")
SPLIT_NAMES = {"train": "train", "valid": "valid", "val": "valid", "test": "test"}
_DELIMITERS = "\t,;"
_OF_RECORDS = ("id", "split", "group", "fold", "description")

Row: TypeAlias = dict[str, Any]
"""The cells of a row by the name of their column; in Parquet a cell may be a list of numbers."""


def read_table(
    path: str | Path,
    columns: Sequence[str] = (),
    scheme: str = "ss8",
    answers: Mapping[str, str] | None = None,
) -> Iterator[Record]:
    """Yield the records of a table in order.

    Parameters
    ----------
    path
        The table, plain or compressed.
    columns
        Names of the columns if there is no header line.
    scheme
        Name of the label scheme, after which the column of labels may be named.
    answers
        Columns of additional targets, by target; their cells become the answers as they are.

    Raises
    ------
    GrubioError
        With the line, if a column is missing, a row has another number of cells, an id is empty or
        occurs twice (the rows of one that has a row for each residue have to be together), or a
        split is unknown.
    """
    header: list[str] = []

    def rows() -> Iterator[tuple[int, Row]]:
        for number, cells in rows_of(path):
            if not header:
                header.extend(name.strip().lower() for name in columns or cells)
                if not columns:
                    continue
            if len(cells) != len(header):
                raise GrubioError(
                    f"{len(cells)} cells; {len(header)} were expected: {', '.join(header)[:200]}",
                    path=path,
                    line=number,
                )
            yield number, dict(zip(header, cells, strict=True))

    yield from records_of(rows(), header, path, scheme, answers)


def records_of(
    rows: Iterable[tuple[int | None, Row]],
    header: Sequence[str],
    path: str | Path,
    scheme: str,
    answers: Mapping[str, str] | None,
) -> Iterator[Record]:
    """Yield the records of the rows of a table, whatever its format.

    A table without the column ``sequence`` but with ``residue`` has a row for each residue; the
    rows of an id are next to one another, and a column ``position`` rises by one along them.

    Parameters
    ----------
    rows
        The line of each row if there are lines, and its cells by the name of the column.
    header
        Names of the columns in lower case; it may be filled with the first row.
    path
        The table.
    scheme, answers
        As for :func:`read_table`.

    Raises
    ------
    GrubioError
        As for :func:`read_table`.
    """
    lines_of: dict[str, int | None] = {}
    additional = {target: column.lower() for target, column in (answers or {}).items()}
    labels_column = ""
    whole: Iterable[tuple[int | None, Row]] = rows
    following = iter(rows)
    if (first := next(following, None)) is not None:
        by_residue = "residue" in header and "sequence" not in header
        known = [*header, "sequence"] if by_residue else header
        labels_column = _labels_column(known, scheme, additional.values(), path)
        whole = itertools.chain([first], following)
        whole = _joined(whole, {labels_column, "residue", "mask"}, path) if by_residue else whole
    elif header:
        _labels_column(header, scheme, additional.values(), path)
    for number, row in whole:
        name = str(row["id"]).strip()
        if not name or any(letter.isspace() for letter in name):
            raise GrubioError(
                "the id is empty or has spaces", path=path, line=number, record=name or None
            )
        if name in lines_of:
            lines = f", in lines {lines_of[name]} and {number}" if number else ""
            raise GrubioError(f"the id occurs twice{lines}", path=path, record=name)
        lines_of[name] = number
        yield _record(row, name, labels_column, additional, path, number)
    if not lines_of:
        raise GrubioError("holds no records", path=path)


def text_in(row: Row, key: str, path: str | Path, number: int | None = None) -> str:
    """Return the text of a cell.

    Raises
    ------
    GrubioError
        With the record, if it has none.
    """
    try:
        return text_of(row[key])
    except ValueError as error:
        raise GrubioError(
            f"{key}: {error}",
            path=path,
            line=number,
            record=str(row.get("id")),
            position=error.position if isinstance(error, AtResidue) else None,
        ) from None


def _record(
    row: Row,
    name: str,
    labels_column: str,
    additional: Mapping[str, str],
    path: str | Path,
    number: int | None,
) -> Record:
    split = row.get("split") or None
    if split is not None and split not in SPLIT_NAMES:
        raise GrubioError(
            f"split '{split}'; train, valid or test was expected",
            path=path,
            line=number,
            record=name,
        )
    sequence, labels = row["sequence"], None
    if labels_column and row[labels_column] is not None:
        labels = text_in(row, labels_column, path, number)
    answers = {target: row[column] for target, column in additional.items()}
    soft = soft_labels_of(row, len(sequence.strip()), path, number, name)
    if soft is not None:
        answers[LABELS] = soft
    refuse_invisible(name + sequence + (labels or ""), path, number or 0)
    return Record(
        name,
        row.get("description") or "",
        sequence.strip(),
        labels,
        row.get("mask") or None,
        row.get("group") or None,
        None if split is None else SPLIT_NAMES[split],
        answers,
        fold=str(row.get("fold") or "").strip() or None,
    )


def _joined(
    rows: Iterable[tuple[int | None, Row]], texts: Collection[str], path: str | Path
) -> Iterator[tuple[int | None, Row]]:
    # Rows of residues as rows of records: texts are joined, other cells of residues are lists.
    for name, group in itertools.groupby(rows, key=lambda row: row[1]["id"]):
        numbers, cells = zip(*group, strict=True)
        _require_one_record(numbers, cells, path)
        row: Row = {}
        for key in cells[0]:
            column = [one[key] for one in cells]
            # A column that is empty for a record is an empty cell of it.
            if key in _OF_RECORDS or all(cell in ("", None) for cell in column):
                row[key] = column[0]
                continue
            try:
                row[key] = letters_of(column) if key in texts else column
            except AtResidue as error:
                raise GrubioError(
                    f"{key}: {error}",
                    path=path,
                    line=numbers[error.position - 1],
                    record=str(name),
                    position=error.position,
                    hint=None if key in ("residue", "mask") else "write ? where it is unknown",
                ) from None
        yield numbers[0], {**row, "sequence": row["residue"]}


def _require_one_record(
    numbers: Sequence[int | None], cells: Sequence[Row], path: str | Path
) -> None:
    where: dict[str, Any] = {"path": path, "record": str(cells[0]["id"])}
    for at, (before, row) in enumerate(itertools.pairwise(cells), start=1):
        where |= {"line": numbers[at], "position": at + 1}
        for key in ("split", "group", "fold"):
            if row.get(key) != before.get(key):
                raise GrubioError(
                    f"{key} '{row[key]}' after '{before[key]}'",
                    **where,
                    hint=f"give all residues of a record the same {key}",
                )
        if "position" in row and _place(row, where) != _place(before, where) + 1:
            raise GrubioError(
                f"its residues are not in order: position {row['position']} comes after "
                f"{before['position']}",
                **where,
                hint="sort the rows by id and position; give residues that are missing in between "
                "as X, or leave the column out if it counts in another way",
            )


def _place(row: Row, where: dict[str, Any]) -> int:
    text = str(row["position"]).strip()
    # pandas writes whole numbers as 7.0 where one of them is missing.
    found = re.fullmatch(r"(-?\d{1,18})(\.0)?", text)
    if found is None:
        raise GrubioError(
            f"position '{text[:40]}' is not a whole number",
            **where,
            hint="count the residues of each id, or leave the column out",
        )
    return int(found[1])


def rows_of(path: str | Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the line of each row that is not blank, and its cells.

    Raises
    ------
    GrubioError
        With the line, if a quote is not closed or an encoding is not known.
    """
    # By default a cell of more than 128 KiB is an error; a sequence may be longer.
    csv.field_size_limit(1 << 30)
    lines = (line for _, line in text_lines(path))
    blank, first = 0, ""
    for first in lines:
        # Excel may write the delimiter above the header.
        if first.strip() and not first.startswith("sep="):
            break
        blank += 1
    delimiter = next((d for d in _DELIMITERS if d in first), "\t")
    rows = csv.reader(
        itertools.chain([first], lines),
        delimiter=delimiter,
        # R quotes the names of columns as well as the cells; without, a quote is text.
        quoting=csv.QUOTE_NONE if delimiter == "\t" and first[:1] != '"' else csv.QUOTE_MINIMAL,
        strict=True,
    )
    try:
        for cells in rows:
            if any(cell.strip() for cell in cells):
                yield blank + rows.line_num, cells
    except csv.Error as error:
        raise GrubioError(str(error), path=path, line=blank + rows.line_num) from error


def _labels_column(
    header: Sequence[str], scheme: str, additional: Iterable[str], path: str | Path
) -> str:
    unlabelled = scheme == NO_CLASSES.name
    found = [name for name in (scheme.lower(), *_LABEL_COLUMNS) if name in header]
    found = [""] if unlabelled or (not found and SOFT_COLUMN in header) else found
    missing = [name for name in ("id", "sequence", *additional) if name not in header]
    others = [name for name in SCHEMES if name in header]
    if others and not found and not missing:
        raise GrubioError(
            f"has labels in column {others[0]}, and the scheme is {scheme}",
            path=path,
            line=1,
            hint=f"give --scheme {others[0]}, or name the column labels",
        )
    if not found:
        missing.append(" or ".join((*_LABEL_COLUMNS, scheme)))
    if missing:
        raise GrubioError(
            f"has no column {', no column '.join(missing)}; it has: {', '.join(header)[:200]}",
            path=path,
            line=1,
            hint="cells are between tabs, commas or semicolons; name the columns in the first line,"
            " or with --columns id,sequence,labels; records without labels: --scheme none",
        )
    repeated = next((name for name in header if header.count(name) > 1), None)
    if repeated is not None:
        raise GrubioError(f"has two columns {repeated}", path=path, line=1)
    return found[0]
