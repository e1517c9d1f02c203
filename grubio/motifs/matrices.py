"""Position frequency matrices: from aligned sites, as MEME text, and compared with others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from grubio.metrics.site_alignment import informative
from grubio.readers.motifs import Matrix
from grubio.sequences.alphabet import DNA

_LEAST_OVERLAP = 5


@dataclass(frozen=True)
class Match:
    """The most similar motif of a database.

    Attributes
    ----------
    name
        Its name.
    correlation
        Pearson correlation of the frequencies over the overlap.
    offset
        Position of its first column relative to the first base of the query; may be negative.
    strand
        ``-`` if its reverse complement matches, else ``+``.
    """

    name: str
    correlation: float
    offset: int
    strand: str


def frequencies(sequences: Sequence[str]) -> Matrix:
    """Return the frequencies of A, C, G and T at each place of aligned sites, ``(place, base)``.

    Examples
    --------
    >>> frequencies(["AC", "AG"]).tolist()
    [[1.0, 0.0, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0]]
    """
    one_hot = np.array([DNA.one_hot(sequence) for sequence in sequences], dtype=np.float64)
    return np.asarray(one_hot.mean(axis=0))


def informative_part(bits: Matrix, sites: int, first: int, last: int, most: int) -> tuple[int, int]:
    """Return the bounds (first, one past the last) of a site with its informative flanks.

    It is extended to the farthest place with 0.2 bits more than expected of as many random sites,
    ``3 / (2 ln 2 sites)`` (Schneider et al., 1986).

    Parameters
    ----------
    bits
        Information at each place, ``(place,)``.
    sites
        Number of aligned sites.
    first, last
        Bounds of the site.
    most
        Maximum number of places to add on either side.

    Examples
    --------
    >>> informative_part(np.array([0.0, 1.0, 0.0, 2.0, 2.0, 0.1, 0.1]), 1000, 3, 5, 3)
    (1, 5)
    """
    low, high = max(first - most, 0), min(last + most, len(bits))
    good = np.flatnonzero(informative(bits[low:high], sites)) + low
    return min([first, *good.tolist()]), max([last, *(good + 1).tolist()])


def consensus(matrix: Matrix) -> str:
    """Return the most frequent base of each place, in lower case if in less than half of sites."""
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


def nearest(matrix: Matrix, database: Mapping[str, Matrix]) -> Match:
    """Return the motif of a database with the highest correlation, at any offset and strand."""
    best = Match("", -2.0, 0, "+")
    for name, theirs in database.items():
        # With columns in the order ACGT, reversing both axes gives the reverse complement.
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
