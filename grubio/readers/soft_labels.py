"""Soft labels: a share of each class instead of one label, and how much each residue counts.

In a table they are the columns ``soft_labels``, from 0 to 255, all classes of the first residue,
then of the second, and ``label_weights``, from 0 to 255, one for each residue. A cell has numbers
with commas between them, or in Parquet bytes or a list. In a record they are the answer for the
labels, uint8 ``(residue, class + 1)``, whose last column is the weight.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from grubio.errors import GrubioError
from grubio.sequences.record import Record
from grubio.sequences.scheme import UNKNOWN_LABEL, LabelScheme
from grubio.sequences.target import FULL_WEIGHT, LABELS, SOFT_COLUMN, WEIGHT_COLUMN


def soft_labels_of(
    row: Mapping[str, Any], residues: int, path: str | Path, line: int | None, record: str
) -> npt.NDArray[np.uint8] | None:
    """Return the soft labels of a row of a table; None if it has neither of the two columns.

    Without the column of shares, there are no classes beside the weight.

    Raises
    ------
    GrubioError
        If a cell has other numbers than these, or another number of them.
    """
    where: dict[str, Any] = {"path": path, "line": line, "record": record}
    shares = _numbers(row.get(SOFT_COLUMN), SOFT_COLUMN, where)
    weights = _numbers(row.get(WEIGHT_COLUMN), WEIGHT_COLUMN, where)
    if shares is None and weights is None:
        return None
    if weights is None:
        weights = np.full(residues, FULL_WEIGHT, dtype=np.uint8)
    if shares is None:
        shares = np.zeros(0, dtype=np.uint8)
    for name, found, unit in ((WEIGHT_COLUMN, weights, residues), (SOFT_COLUMN, shares, residues)):
        if not unit or len(found) % unit or (name == WEIGHT_COLUMN and len(found) != unit):
            raise GrubioError(
                f"{residues} residues but {len(found)} values of {name}",
                **where,
                hint="give each residue one weight, and one share of each class",
            )
    return np.column_stack((shares.reshape(residues, -1), weights))


def with_soft_labels(
    records: Iterable[Record], scheme: LabelScheme, path: str | Path | None
) -> Iterator[Record]:
    """Yield records whose soft labels are complete and agree with their labels.

    Weights alone are soft labels that are certain. A residue that has a soft label alone gets its
    likeliest class as its label. One of weight 0 has no label.

    Raises
    ------
    GrubioError
        If there is another number of classes.
    """
    for record in records:
        soft = record.answers.get(LABELS)
        yield _complete(record, soft, scheme, path) if isinstance(soft, np.ndarray) else record


def bytes_of(cell: Any) -> npt.NDArray[np.uint8]:
    """Return the numbers of a cell: text with commas between them, bytes or a list.

    Raises
    ------
    ValueError
        If one is not a whole number from 0 to 255.
    """
    if isinstance(cell, bytes):
        return np.frombuffer(cell, dtype=np.uint8)
    text = ",".join(map(str, cell)) if isinstance(cell, list) else str(cell)
    return np.array([_byte(part) for part in text.strip().strip("[]").split(",")], np.uint8)


def _complete(
    record: Record, soft: npt.NDArray[np.uint8], scheme: LabelScheme, path: str | Path | None
) -> Record:
    shares, weights = soft[:, :-1], soft[:, -1]
    classes = np.arange(scheme.size)
    if not shares.shape[1] and record.labels is not None and len(record.labels) == len(soft):
        # Letters that are none of its classes match no class.
        shares = FULL_WEIGHT * (scheme.encode(record.labels)[:, np.newaxis] == classes).astype(
            np.uint8
        )
    if shares.shape[1] != scheme.size:
        raise GrubioError(
            f"{shares.shape[1]} shares for each residue; {scheme.name} has {scheme.size} classes",
            path=path,
            record=record.id,
        )
    letters = UNKNOWN_LABEL * len(soft) if record.labels is None else record.labels
    if len(letters) == len(soft):
        likeliest = scheme.decode(shares.argmax(axis=1).astype(np.uint8))
        guessed = (np.array(list(letters)) == UNKNOWN_LABEL) & shares.any(axis=1)
        own = np.where(guessed, list(likeliest), list(letters))
        letters = "".join(np.where(weights > 0, own, UNKNOWN_LABEL))
    complete = np.column_stack((shares, weights))
    return replace(record, labels=letters, answers={**record.answers, LABELS: complete})


def _numbers(cell: Any, name: str, where: Mapping[str, Any]) -> npt.NDArray[np.uint8] | None:
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    try:
        return bytes_of(cell)
    except ValueError as error:
        raise GrubioError(f"{name}: {error}", **where) from None


def _byte(text: str) -> int:
    if text.strip().isdecimal() and int(text) <= FULL_WEIGHT:
        return int(text)
    raise ValueError(f"'{text.strip()}'; a whole number from 0 to {FULL_WEIGHT} was expected")
