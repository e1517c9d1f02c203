"""Tables of records, separated by tabs, commas or semicolons, with or without a header line.

Columns ``id`` and ``sequence``, and for labels one named as the scheme (``ss8``, ``ss3``), or else
``labels``, ``label`` or ``target``. Optional columns: ``mask`` (0 and 1), ``split`` (``train``,
``valid`` or ``val``, ``test``), ``group``, ``description``, and those of additional targets. Others
are ignored, as is the case of names. Cells may be in double quotes, except between tabs.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from grubio.errors import GrubioError
from grubio.sequences.record import Record
from grubio.sequences.scheme import SCHEMES
from grubio.text import refuse_invisible, text_lines

_LABEL_COLUMNS = ("labels", "label", "target")
SPLIT_NAMES = {"train": "train", "valid": "valid", "val": "valid", "test": "test"}
_DELIMITERS = "\t,;"


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
        occurs twice, or a split is unknown.
    """
    lines_of: dict[str, int] = {}
    header: list[str] = []
    additional = {target: column.lower() for target, column in (answers or {}).items()}
    for number, cells in rows_of(path):
        if not header:
            header = [name.strip().lower() for name in columns or cells]
            labels_column = _labels_column(header, scheme, additional.values(), path)
            if not columns:
                continue
        if len(cells) != len(header):
            raise GrubioError(
                f"{len(cells)} cells; {len(header)} were expected: {', '.join(header)[:200]}",
                path=path,
                line=number,
            )
        row = dict(zip(header, cells, strict=True))
        name = row["id"].strip()
        if not name or any(letter.isspace() for letter in name):
            raise GrubioError(
                "the id is empty or has spaces", path=path, line=number, record=name or None
            )
        if name in lines_of:
            raise GrubioError(
                f"the id occurs twice, in lines {lines_of[name]} and {number}",
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
        refuse_invisible(name + row["sequence"] + row[labels_column], path, number)
        yield Record(
            name,
            row.get("description", ""),
            row["sequence"].strip(),
            row[labels_column],
            row.get("mask") or None,
            row.get("group") or None,
            None if split is None else SPLIT_NAMES[split],
            {target: row[column] for target, column in additional.items()},
        )
    if not lines_of:
        raise GrubioError("holds no records", path=path)


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
    header: list[str], scheme: str, additional: Iterable[str], path: str | Path
) -> str:
    found = [name for name in (scheme.lower(), *_LABEL_COLUMNS) if name in header]
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
            " or with --columns id,sequence,labels",
        )
    repeated = next((name for name in header if header.count(name) > 1), None)
    if repeated is not None:
        raise GrubioError(f"has two columns {repeated}", path=path, line=1)
    return found[0]
