"""Answers for additional targets, from columns of the records' table or from files of their own.

A file is a table with columns named ``id`` and as the target, otherwise its first two; or, for
shares of classes, a NumPy archive whose array ``freq``, uint8 ``(residue, class)``, has the
residues of all records in order. A cell has labels, one letter per residue; numbers separated by
commas (or by semicolons or spaces if there is no comma), also in square brackets; as ``tenths``,
one digit per residue; or, in the table of the records, shares as
:mod:`grubio.readers.soft_labels` has them. A table may be Parquet, where a cell may be a list of
numbers.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from grubio.config import TargetSettings
from grubio.errors import GrubioError
from grubio.readers.cells import AtResidue, text_of
from grubio.readers.soft_labels import bytes_of
from grubio.readers.table import rows_of
from grubio.sequences.record import Record
from grubio.sequences.target import Answer, values_of_tenths

_UNKNOWN = ("", "?", "-", ".", "na", "n/a", "nan", "null", "none")
_LARGEST = float(np.finfo(np.float32).max)


def with_own_answers(record: Record, targets: Iterable[TargetSettings], path: str | Path) -> Record:
    """Return a record whose answers are read from cells of its own file; an empty cell is none.

    Raises
    ------
    GrubioError
        With the file, the record and the position if a cell is not as expected.
    """
    if not record.answers:
        return record
    answers = dict(record.answers)
    for target in targets:
        if (answer := _read(answers.pop(target.name, None), target, record, path)) is not None:
            answers[target.name] = answer
    return replace(record, answers=answers)


def with_answers(records: Iterable[Record], settings: TargetSettings) -> Iterator[Record]:
    """Yield records with their answers for a target that has a file.

    Records whose cell is empty, or that are not in the file, have no answer.

    Raises
    ------
    GrubioError
        With the line or the record, if a cell is not as expected; if an id occurs twice; if no
        record is in the file; or if an archive has another number of residues than the records.
    """
    if settings.file is None:
        yield from records
        return
    path = settings.file.location
    if settings.answers == "shares":
        yield from _with_shares(records, settings, path)
        return
    cells = _cells_of_table(path, settings)
    found = 0
    for record in records:
        answers = {key: answer for key, answer in record.answers.items() if key != settings.name}
        number, cell = cells.get(record.id, (None, None))
        found += record.id in cells
        if (answer := _read(cell, settings, record, path, number)) is not None:
            answers[settings.name] = answer
        yield replace(record, answers=answers)
    if not found:
        raise GrubioError("none of its ids is among the records", path=path)


def _cells_of_table(path: str, settings: TargetSettings) -> dict[str, tuple[int | None, Any]]:
    # The line and the cell of each id.
    cells: dict[str, tuple[int | None, Any]] = {}
    for number, name, cell in _pairs_of_table(path, settings.target().heading.lower()):
        if name in cells:
            raise GrubioError("the id occurs twice", path=path, line=number, record=name)
        cells[name] = number, cell
    return cells


def _pairs_of_table(path: str, heading: str) -> Iterator[tuple[int | None, str, Any]]:
    if path.lower().endswith(".parquet"):
        from grubio.readers.parquet_table import parquet_rows

        names: list[str] = []
        for _, row in parquet_rows(path, names):
            if missing := [name for name in ("id", heading) if name not in row]:
                raise GrubioError(f"has no column '{missing[0]}'", path=path)
            yield None, row["id"], row[heading]
        return
    id_column, column = 0, 1
    for place, (number, cells) in enumerate(rows_of(path)):
        if place == 0:
            header = [name.strip().lower() for name in cells]
            if {"id", heading} <= set(header):
                id_column, column = header.index("id"), header.index(heading)
                continue
            # A header with other names is a line whose id no record has.
        if len(cells) <= max(id_column, column):
            raise GrubioError(f"an id and {heading} were expected", path=path, line=number)
        yield number, cells[id_column], cells[column]


def _read(
    cell: Any,
    settings: TargetSettings,
    record: Record,
    path: str | Path,
    line: int | None = None,
) -> Answer | None:
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    where: dict[str, Any] = {"path": path, "line": line, "record": record.id}
    try:
        answer = _answer(cell, settings)
    except AtResidue as error:
        problem = f"{settings.name}: {error}"
        raise GrubioError(problem, **where, position=error.position) from None
    except ValueError as error:
        raise GrubioError(f"{settings.name}: {error}", **where) from None
    # A stop at the end may have an answer or none.
    size = len(record.sequence.rstrip("*"))
    given = len(answer)
    if isinstance(answer, np.ndarray) and given not in (len(record.sequence), size):
        if settings.answers == "shares":
            hint = (
                f"give the {answer.shape[1]} shares of each residue, zeros where they are unknown"
            )
        else:
            hint = "give one value per residue, empty where it is unknown"
        raise GrubioError(
            f"{size} residues but {given} values of {settings.name}", **where, hint=hint
        )
    return answer


def _answer(cell: Any, settings: TargetSettings) -> Answer:
    target = settings.target()
    if settings.answers == "shares":
        shares = bytes_of(cell)
        if len(shares) % target.size:
            raise ValueError(f"{len(shares)} shares, not {target.size} of each residue")
        return shares.reshape(-1, target.size)
    if target.kind == "classes":
        return text_of(cell)
    if settings.answers == "tenths":
        return values_of_tenths(text_of(cell), target)
    parts = cell if isinstance(cell, list) else _separated(text_of(cell))
    values = np.full(len(parts), np.nan, dtype=np.float32)
    for place, part in enumerate(parts):
        if part is None or str(part).strip().lower() in _UNKNOWN:
            continue
        try:
            value = float(part)
        except (ValueError, TypeError):
            raise AtResidue(place + 1, f"'{part}' is not a number") from None
        if not abs(value) <= _LARGEST:
            raise AtResidue(place + 1, f"'{part}' is too large")
        if not target.low <= value <= target.high:
            problem = f"{part} is not between {target.low:g} and {target.high:g}"
            raise AtResidue(place + 1, problem)
        values[place] = value
    return values


def _separated(cell: str) -> list[str]:
    text = cell.strip()
    if text[:1] == "[" and text[-1:] == "]":
        text = text[1:-1]
    for mark in ",;":
        if mark in text:
            return text.split(mark)
    return text.split() if text.strip() else [""]


def _with_shares(
    records: Iterable[Record], settings: TargetSettings, path: str
) -> Iterator[Record]:
    classes = settings.target().size
    try:
        with np.load(path, allow_pickle=False) as archive:
            shares = archive["freq"]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise GrubioError(
            f"is not a NumPy archive with an array freq: {error}", path=path
        ) from error
    if shares.dtype != np.uint8 or shares.shape[1:] != (classes,):
        raise GrubioError(
            f"freq is {shares.dtype} {shares.shape}; uint8 (residue, {classes}) was expected",
            path=path,
        )
    end = 0
    for record in records:
        start, end = end, end + len(record)
        if end <= len(shares):
            yield replace(record, answers={**record.answers, settings.name: shares[start:end]})
    if end != len(shares):
        raise GrubioError(
            f"{len(shares)} residues, but the records have {end}",
            path=path,
            hint="shares must be in the order of the records",
        )
