"""The matrix that PSI-BLAST writes with ``-out_ascii_pssm``.

Each line has a position, a residue, 20 scores and 20 percentages of the amino acids. The scores
become frequencies (:func:`grubio.profiles.pseudocounts.from_scores`): they hold the pseudocounts of
PSI-BLAST, which the percentages lack. The matrix does not tell how deep its alignment was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from grubio.errors import GrubioError
from grubio.profiles.named import NamedProfile
from grubio.profiles.pseudocounts import from_scores
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.profile import profile_from
from grubio.text import text_lines

_ROW = re.compile(r"\s*(\d+)\s+([A-Za-z])\s+(-?\d.*)")
# Scores below -9 may touch.
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def read_pssm(path: str | Path) -> Iterator[NamedProfile]:
    """Yield the profile of each matrix; they have no ids.

    Raises
    ------
    GrubioError
        With the line, if a row lacks scores or a position, or if there is no matrix.
    """
    order: list[int] = []
    residues, scores = "", list[list[float]]()
    for number, line in text_lines(path):
        cells = line.split()
        if len(cells) >= len(PROTEIN.letters) and {*cells} == {*PROTEIN.letters}:
            if residues:
                yield _named(residues, scores)
            order = [cells.index(letter) for letter in PROTEIN.letters]
            residues, scores = "", []
        elif order and (row := _ROW.match(line)):
            found = _NUMBER.findall(row[3])
            if int(row[1]) != len(residues) + 1 or len(found) < len(order):
                raise GrubioError(
                    f"position {len(residues) + 1} with {len(order)} scores was expected; "
                    f"position {row[1]} with {len(found)} numbers was found",
                    path=path,
                    line=number,
                )
            residues += row[2]
            scores.append([float(found[place]) for place in order])
    if not residues:
        raise GrubioError("holds no matrix of PSI-BLAST: the alignment is empty", path=path)
    yield _named(residues, scores)


def _named(residues: str, scores: list[list[float]]) -> NamedProfile:
    return NamedProfile(None, profile_from(residues, from_scores(np.array(scores))))
