"""Answers for additional targets, from columns of the records' table or from files of their own.

A file is a table with a header line and columns named ``id`` and as the target, otherwise its
first two; or, for shares of classes, a NumPy archive whose array ``freq``, uint8
``(residue, class)``, has the residues of all records in order. A cell has labels, one letter per
residue; numbers separated by commas; or, as ``tenths``, one digit per residue.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from grubio.config import TargetSettings
from grubio.errors import GrubioError
from grubio.readers.table import rows_of
from grubio.sequences.record import Record
from grubio.sequences.target import Answer, values_of_tenths

_UNKNOWN = ("", "?", "-", "NA", "NaN", "nan")


def with_answers(records: Iterable[Record], settings: TargetSettings) -> Iterator[Record]:
    """Yield records with their answers for a target.

    Records whose cell is empty, or that are not in the file, have no answer.

    Parameters
    ----------
    records
        Records; without a file of the target they have the cells of its column as answers.
    settings
        The target.

    Raises
    ------
    GrubioError
        With the line or the record, if a cell is not as expected; if an id occurs twice; if no
        record is in the file; or if an archive has another number of residues than the records.
    """
    if settings.answers == "shares":
        yield from _with_shares(records, settings)
        return
    name = settings.name
    path = None if settings.file is None else settings.file.location
    answers = None if path is None else _answers_of_table(path, settings)
    found = 0
    for record in records:
        others = {key: answer for key, answer in record.answers.items() if key != name}
        answer = None
        if answers is not None:
            found += record.id in answers
            answer = answers.get(record.id)
        elif cell := record.answers.get(name):
            try:
                answer = _answer(str(cell), settings)
            except ValueError as error:
                raise GrubioError(f"{name}: {error}", record=record.id) from None
        yield replace(record, answers=others if answer is None else {**others, name: answer})
    if answers is not None and not found:
        raise GrubioError("none of its ids is among the records", path=path)


def _answers_of_table(path: str, settings: TargetSettings) -> dict[str, Answer | None]:
    answers: dict[str, Answer | None] = {}
    id_column, column = 0, 1
    for place, (number, cells) in enumerate(rows_of(path)):
        if place == 0:
            header = [name.strip().lower() for name in cells]
            wanted = ("id", settings.target().heading.lower())
            if set(wanted) <= set(header):
                id_column, column = map(header.index, wanted)
            continue
        if len(cells) <= max(id_column, column):
            raise GrubioError(f"an id and {settings.name} were expected", path=path, line=number)
        name, cell = cells[id_column], cells[column]
        if name in answers:
            raise GrubioError("the id occurs twice", path=path, line=number, record=name)
        try:
            answers[name] = _answer(cell, settings) if cell.strip() else None
        except ValueError as error:
            raise GrubioError(str(error), path=path, line=number, record=name) from None
    return answers


def _answer(cell: str, settings: TargetSettings) -> Answer:
    target = settings.target()
    if target.kind == "classes":
        return cell
    if settings.answers == "tenths":
        return values_of_tenths(cell, target)
    values = np.full(cell.count(",") + 1, np.nan, dtype=np.float32)
    for place, text in enumerate(cell.split(",")):
        if text.strip() in _UNKNOWN:
            continue
        try:
            values[place] = float(text)
        except ValueError:
            raise ValueError(f"'{text}' at position {place + 1} is not a number") from None
        if not target.low <= values[place] <= target.high:
            raise ValueError(
                f"{text} at position {place + 1} is not between {target.low:g} and {target.high:g}"
            )
    return values


def _with_shares(records: Iterable[Record], settings: TargetSettings) -> Iterator[Record]:
    if settings.file is None:
        raise GrubioError(f"target {settings.name}: its shares need a file")
    path, classes = settings.file.location, settings.target().size
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
