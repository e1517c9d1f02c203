"""The matrix that PSI-BLAST writes with ``-out_ascii_pssm``.

Each line has a position, a residue, 20 scores and 20 percentages of the amino acids. The
percentages are observed, and get the pseudocounts of :mod:`grubio.profiles.pseudocounts`. Where
they are zeros, because no homolog was found there, or missing, the scores become frequencies
(:func:`grubio.profiles.pseudocounts.from_scores`). The matrix does not tell how deep its alignment
was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from grubio.errors import GrubioError
from grubio.profiles.named import COPY, NamedProfile
from grubio.profiles.pseudocounts import from_scores, with_pseudocounts
from grubio.profiles.weighting import mean_around
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.profile import profile_from
from grubio.text import text_lines

_BEGIN, _END = "position-specific scoring matrix", "Lambda"
"""In the first line that PSI-BLAST writes, and in those below the matrix."""

_ROW = re.compile(r"\s*(\d+)\b\s*([A-Za-z]?)\b(.*)")
# Scores below -9 may touch.
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def read_pssm(path: str | Path) -> Iterator[NamedProfile]:
    """Yield the profile of each matrix; they have no ids.

    Raises
    ------
    GrubioError
        With the line, if a row lacks scores or a position; if a matrix is cut off, or there is
        none.
    """
    order: list[int] = []
    residues, rows = "", list[list[float]]()
    ends = True
    for number, line in text_lines(path):
        if _BEGIN in line:
            _require_end(ends, residues, path)
        ends = _BEGIN not in line and (ends or _END in line)
        cells = line.split()
        if len(cells) >= len(PROTEIN.letters) and {*cells} == {*PROTEIN.letters}:
            if residues:
                yield _named(residues, rows)
            order = [place for x in PROTEIN.letters for place, y in enumerate(cells) if x == y]
            residues, rows = "", []
        elif order and (row := _ROW.match(line)):
            found = _NUMBER.findall(row[3])
            if not row[2] or int(row[1]) != len(residues) + 1 or len(found) < len(order):
                raise GrubioError(
                    f"position {len(residues) + 1} with {len(order)} numbers was expected; "
                    f"position {row[1]} with {len(found)} was found",
                    path=path,
                    line=number,
                    hint=f"if the file is cut off here, {COPY}",
                )
            residues += row[2]
            rows.append([float(found[place]) for place in order])
    if not residues:
        raise GrubioError("holds no matrix of PSI-BLAST: the alignment is empty", path=path)
    _require_end(ends, residues, path)
    yield _named(residues, rows)


def _require_end(ends: bool, residues: str, path: str | Path) -> None:
    # Other programs leave out what is around the matrix.
    if not ends:
        problem = f"is cut off after residue {len(residues)}: '{_END}' was expected below a matrix"
        raise GrubioError(problem, path=path, hint=COPY)


def _named(residues: str, rows: list[list[float]]) -> NamedProfile:
    # ``(residue, amino acid, kind)``: scores, and percentages if the matrix has them.
    table = np.array(rows).reshape(len(rows), len(PROTEIN.letters), -1)
    scores = table[..., 0]
    shares = table[..., 1] if table.shape[2] > 1 else np.zeros_like(scores)
    sums = shares.sum(axis=1, keepdims=True)
    observed = np.divide(shares, sums, out=np.zeros_like(shares), where=sums > 0)
    mixed = with_pseudocounts(observed, mean_around((shares > 0).sum(axis=1)))
    frequencies = np.where(sums > 0, mixed, from_scores(scores))
    return NamedProfile(None, profile_from(residues, frequencies))
