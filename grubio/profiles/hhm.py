"""Hidden Markov models of HH-suite (``.hhm``), one or many in a file.

The emissions of the match states are frequencies without pseudocounts, ``-1000 log2 f``; those of
BLOSUM62 are added by :mod:`grubio.profiles.pseudocounts`, with the effective number of sequences
that the file gives for each column. Each match state must be a residue of the first sequence
(``hhmake -M first``, or an A3M).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np

from grubio.errors import GrubioError
from grubio.profiles.named import COPY, NamedProfile
from grubio.profiles.pseudocounts import with_pseudocounts
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.profile import profile_from
from grubio.text import text_lines

_UNIT = 1000
_COLUMNS = len(PROTEIN.letters)


def read_hhm(path: str | Path) -> Iterator[NamedProfile]:
    """Yield the profile of each model.

    Raises
    ------
    GrubioError
        With the line, if a match state is not as expected; if a model is cut off, or there is none.
    """
    empty = True
    model = 0

    def of_model(numbered: tuple[int, str]) -> int:
        nonlocal model
        at = model
        model += numbered[1].startswith("//")
        return at

    for _, lines in groupby(text_lines(path), of_model):
        listed = list(lines)
        if any(line.strip(" \n/") for _, line in listed):
            empty = False
            yield _model(listed, path)
    if empty:
        raise GrubioError("holds no model of HH-suite: the alignment is empty", path=path)


def _model(lines: list[tuple[int, str]], path: str | Path) -> NamedProfile:
    name, depth, neff = None, None, None
    order: list[int] = []
    residues, emissions, diversity = "", list[list[float]](), list[float]()
    following = iter(lines)
    for number, line in following:
        cells = line.split()
        match cells[:1]:
            case ["NAME"] if len(cells) > 1:
                name = cells[1]
            case ["NEFF"] if len(cells) > 1:
                neff = _effective_number(cells[1], path, number, name)
            case ["FILT"]:
                depth = next((int(n) for n in re.findall(r"\d+", line)), None)
            case ["HMM"] if {*cells[1:]} == {*PROTEIN.letters}:
                order = [cells.index(letter) for letter in PROTEIN.letters]
        # A match state: residue, position, emissions, position; transitions and Neff below it.
        if not order or len(cells) < _COLUMNS + 2 or cells[1] != str(len(residues) + 1):
            continue
        below = next(following, (number, ""))[1].split()
        try:
            emissions.append([_share(cells[place + 1]) for place in order])
            diversity.append(int(below[7]) / _UNIT)
        except (ValueError, IndexError, OverflowError):
            raise GrubioError(
                "a match state was expected: a residue, its position, 20 numbers, and below it 7 "
                "numbers and Neff",
                path=path,
                line=number,
                record=name,
            ) from None
        residues += cells[0]
    if residues and not lines[-1][1].startswith("//"):
        raise GrubioError(
            f"is cut off after residue {len(residues)}: a model ends with //",
            path=path,
            record=name,
            hint=COPY,
        )
    if not residues:
        raise GrubioError("the alignment is empty", path=path, record=name)
    observed = np.array(emissions)
    sums = observed.sum(axis=1, keepdims=True)
    observed = np.divide(observed, sums, out=np.zeros_like(observed), where=sums > 0)
    mixed = with_pseudocounts(observed, np.array(diversity))
    return NamedProfile(name, profile_from(residues, mixed, depth, neff))


def _effective_number(cell: str, path: str | Path, number: int, name: str | None) -> float:
    try:
        return float(cell)
    except ValueError:
        problem = f"NEFF '{cell[:40]}' is not a number"
        raise GrubioError(problem, path=path, line=number, record=name) from None


def _share(cell: str) -> float:
    return 0.0 if cell == "*" else float(2 ** (-int(cell) / _UNIT))
