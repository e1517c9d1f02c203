"""Motifs as position frequency matrices: from sites, as MEME text, and beside a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from grubio.alphabet import DNA
from grubio.errors import GrubioError

_LEAST_OVERLAP = 5

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Match:
    """The nearest motif of a database.

    Attributes
    ----------
    name
        Its name.
    correlation
        Pearson correlation of the frequencies where the two overlap.
    offset
        Place of its first column on the motif; may be negative.
    strand
        ``+``, or ``-`` if its reverse complement is meant.
    """

    name: str
    correlation: float
    offset: int
    strand: str


def frequencies(sequences: Sequence[str]) -> Matrix:
    """Return the share of A, C, G and T at each place of aligned sites, ``(place, base)``.

    Examples
    --------
    >>> frequencies(["AC", "AG"]).tolist()
    [[1.0, 0.0, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0]]
    """
    return np.asarray(
        np.mean([DNA.one_hot(sequence) for sequence in sequences], axis=0), dtype=np.float64
    )


def information(matrix: Matrix, background: Matrix) -> Matrix:
    """Return the information at each place in bits, ``(place,)``, against a background ``(base,)``.

    The relative entropy of Schneider et al., J. Mol. Biol. 188:415, 1986, without the correction
    for few sites.
    """
    known = np.where(matrix > 0, matrix, 1.0)
    return np.asarray((matrix * (np.log2(known) - np.log2(background))).sum(axis=1))


def consensus(matrix: Matrix) -> str:
    """Return the most frequent base of each place, in lower case where it is in under half."""
    letters = [DNA.letters[place] for place in matrix.argmax(axis=1)]
    return "".join(
        letter if share >= 0.5 else letter.lower()
        for letter, share in zip(letters, matrix.max(axis=1), strict=True)
    )


def meme_text(motifs: Mapping[str, Matrix], counts: Mapping[str, int], background: Matrix) -> str:
    """Return motifs in the minimal MEME format, version 4.

    Format: https://meme-suite.org/doc/meme-format.html
    """
    shares = " ".join(f"{b} {p:.5f}" for b, p in zip(DNA.letters, background, strict=True))
    lines = ["MEME version 4", "", "ALPHABET= ACGT", "", "strands: + -", ""]
    lines += ["Background letter frequencies", shares, ""]
    for name, matrix in motifs.items():
        lines += [
            f"MOTIF {name}",
            f"letter-probability matrix: alength= 4 w= {len(matrix)} nsites= {counts[name]} E= 0",
            *(" ".join(f"{value:.6f}" for value in row) for row in matrix),
            "",
        ]
    return "\n".join(lines)


def read_database(path: Path) -> dict[str, Matrix]:
    """Return the motifs of a file in MEME or JASPAR format, each ``(place, base)``.

    Raises
    ------
    GrubioError
        If the file cannot be read as either.
    """
    from Bio import motifs

    try:
        text = path.read_text(encoding="utf-8")
        kind = "minimal" if text.lstrip().startswith("MEME") else "jaspar"
        with path.open(encoding="utf-8") as handle:
            found = list(motifs.parse(handle, kind))
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise GrubioError(f"cannot be read as motifs: {error}", path=path) from error
    if not found:
        raise GrubioError("holds no motifs", path=path, hint="give MEME or JASPAR format")
    matrices = {}
    for motif in found:
        counts = np.array([motif.counts[letter] for letter in DNA.letters], dtype=np.float64).T
        matrices[str(motif.name)] = counts / counts.sum(axis=1, keepdims=True)
    return matrices


def nearest(matrix: Matrix, database: Mapping[str, Matrix]) -> Match:
    """Return the motif of a database that correlates best, over all offsets and both strands."""
    best = Match("", -2.0, 0, "+")
    for name, theirs in database.items():
        # Columns in the order ACGT: turned about both axes, a matrix is its reverse complement.
        for strand, turned in (("+", theirs), ("-", theirs[::-1, ::-1])):
            least = min(_LEAST_OVERLAP, len(matrix), len(turned))
            for offset in range(least - len(turned), len(matrix) - least + 1):
                ours = matrix[max(offset, 0) : offset + len(turned)]
                part = turned[max(-offset, 0) :][: len(ours)]
                if ours.std() and part.std():
                    value = float(np.corrcoef(ours.ravel(), part.ravel())[0, 1])
                    if value > best.correlation:
                        best = Match(name, value, offset, strand)
    return best
