"""The leakage audit: for each test and validation record its nearest training record.

A tab-separated table with a header line; columns ``id, split, nearest, identity, coverage,
evalue``. ``identity`` is the share of identical residues in the alignment, ``coverage`` the share
of the shorter chain that is aligned. The last four are empty where no alignment is significant or
at least 80 residues long over half of the shorter chain; shorter ones are alike by chance. For a
block of a genome ``coverage`` is the share of its bases that are repeated in training blocks
(:mod:`grubio.splits.repeats`), ``nearest`` the training block with the most of them; no alignment
is made, so ``identity`` and ``evalue`` are empty.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from grubio.errors import GrubioError
from grubio.files import table_text, write_text_whole

NEAREST_COLUMNS = ("nearest", "identity", "coverage", "evalue")
COLUMNS = ("id", "split", *NEAREST_COLUMNS)


@dataclass(frozen=True)
class AuditRow:
    """One record and its nearest training record; None where there is none."""

    id: str
    split: str
    nearest: str = ""
    identity: float | None = None
    coverage: float | None = None
    evalue: float | None = None

    def nearest_cells(self) -> list[str | None]:
        """Return the text of :data:`NEAREST_COLUMNS`; None where there is nothing to write."""
        numbers = ((self.identity, ".3f"), (self.coverage, ".3f"), (self.evalue, ".2g"))
        written = (None if number is None else format(number, form) for number, form in numbers)
        return [self.nearest, *written]


def write_audit(path: str | Path, rows: Iterable[AuditRow]) -> None:
    """Write an audit table in one step."""
    cells = ([row.id, row.split, *row.nearest_cells()] for row in rows)
    write_text_whole(path, table_text(COLUMNS, cells))


def read_audit(path: str | Path) -> dict[str, AuditRow]:
    """Return the rows of an audit table by id.

    Raises
    ------
    GrubioError
        If the file is missing or is no audit table.
    """
    try:
        with open(path, encoding="utf-8", newline="") as lines:
            table = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
            if tuple(table.fieldnames or ()) != COLUMNS:
                raise GrubioError(f"columns {', '.join(COLUMNS)} were expected", path=path)
            return {row["id"]: _row(row) for row in table}
    except OSError as error:
        raise GrubioError(error.strerror or str(error), path=path) from error


def _row(cells: dict[str, str]) -> AuditRow:
    def number(name: str) -> float | None:
        return float(cells[name]) if cells[name] else None

    return AuditRow(
        cells["id"],
        cells["split"],
        cells["nearest"],
        number("identity"),
        number("coverage"),
        number("evalue"),
    )
