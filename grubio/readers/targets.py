"""Further targets of labelled chains: accessibility and evolutionary profiles.

Accessibility is a tab-separated table with a header line, whose first two columns are the id and
one digit per residue: relative solvent accessibility in tenths, ``-`` where unknown. Profiles are
a NumPy archive whose array ``freq``, uint8 ``(residue, 20)``, holds the substitution frequencies
of all residues of all records in the order of the records, in sixty-thirds, columns
``ACDEFGHIKLMNPQRSTVWY``.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from grubio.errors import GrubioError
from grubio.files import open_input
from grubio.sequences.record import PROFILE_COLUMNS, Record

_DIGITS = set("0123456789-")


def with_accessibility(records: Iterable[Record], path: str | Path) -> Iterator[Record]:
    """Yield records with the accessibility that a table gives for their ids.

    Records that are not in the table have none.

    Raises
    ------
    GrubioError
        With the line, if a row is no id and digits; if an id comes twice; or if no record is in
        the table.
    """
    digits_of: dict[str, str] = {}
    with open_input(path) as raw:
        for number, line in enumerate(raw, start=1):
            cells = line.decode("utf-8", errors="replace").rstrip("\r\n").split("\t")
            if number == 1 or cells == [""]:
                continue
            if len(cells) < 2 or not set(cells[1]) <= _DIGITS:
                raise GrubioError(
                    "an id and one digit per residue were expected", path=path, line=number
                )
            if cells[0] in digits_of:
                raise GrubioError("the id comes twice", path=path, line=number, record=cells[0])
            digits_of[cells[0]] = cells[1]
    found = 0
    for record in records:
        found += record.id in digits_of
        yield replace(record, accessibility=digits_of.get(record.id))
    if not found:
        raise GrubioError("none of its ids is among the records", path=path)


def with_profiles(records: Iterable[Record], path: str | Path) -> Iterator[Record]:
    """Yield records with their part of an archive of profiles.

    Raises
    ------
    GrubioError
        If the file is no such archive, or has another number of residues than the records.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            frequencies = archive["freq"]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise GrubioError(
            f"is not a NumPy archive with an array freq: {error}", path=path
        ) from error
    if frequencies.dtype != np.uint8 or frequencies.shape[1:] != (PROFILE_COLUMNS,):
        raise GrubioError(
            f"freq is {frequencies.dtype} {frequencies.shape}; "
            f"uint8 (residue, {PROFILE_COLUMNS}) was expected",
            path=path,
        )
    end = 0
    for record in records:
        start, end = end, end + len(record)
        if end <= len(frequencies):
            yield replace(record, profile=frequencies[start:end].tobytes())
    if end != len(frequencies):
        raise GrubioError(
            f"{len(frequencies)} residues, but the records have {end}",
            path=path,
            hint="profiles must be in the order of the records",
        )
