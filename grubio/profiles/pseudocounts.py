"""Pseudocounts: what is expected where few homologs have been seen.

The frequencies of a column are mixed with those that BLOSUM62 expects beside them, in the way of
PSI-BLAST (Altschul et al., Nucleic Acids Research 25:3389, 1997), but for their weight::

    g_i = P_i * sum_j f_j * exp(lambda * s_ij)
    Q_i = (alpha * f_i + beta * g_i) / (alpha + beta),   alpha = N - 1,   beta = 1

``f`` are observed frequencies, ``P`` those of all proteins, ``s`` the scores of BLOSUM62, and
``lambda`` the scale of Karlin and Altschul (PNAS 87:2264, 1990), at which the shares of all pairs
sum to 1. ``N`` says how diverse the column is: of a sequence alone it is 1, so that its profile is
what BLOSUM62 expects in place of each residue. With PSI-BLAST's ``beta`` of 10, labels from an
alignment are worse (``docs/experiments.md``): a network smooths by itself.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from grubio.sequences.alphabet import PROTEIN, PROTEIN_COMPOSITION

BETA = 1.0
"""Weight of the expectation."""

_SCORES = """
 4  0 -2 -1 -2  0 -2 -1 -1 -1 -1 -2 -1 -1 -1  1  0  0 -3 -2
 0  9 -3 -4 -2 -3 -3 -1 -3 -1 -1 -3 -3 -3 -3 -1 -1 -1 -2 -2
-2 -3  6  2 -3 -1 -1 -3 -1 -4 -3  1 -1  0 -2  0 -1 -3 -4 -3
-1 -4  2  5 -3 -2  0 -3  1 -3 -2  0 -1  2  0  0 -1 -2 -3 -2
-2 -2 -3 -3  6 -3 -1  0 -3  0  0 -3 -4 -3 -3 -2 -2 -1  1  3
 0 -3 -1 -2 -3  6 -2 -4 -2 -4 -3  0 -2 -2 -2  0 -2 -3 -2 -3
-2 -3 -1  0 -1 -2  8 -3 -1 -3 -2  1 -2  0  0 -1 -2 -3 -2  2
-1 -1 -3 -3  0 -4 -3  4 -3  2  1 -3 -3 -3 -3 -2 -1  3 -3 -1
-1 -3 -1  1 -3 -2 -1 -3  5 -2 -1  0 -1  1  2  0 -1 -2 -3 -2
-1 -1 -4 -3  0 -4 -3  2 -2  4  2 -3 -3 -2 -2 -2 -1  1 -2 -1
-1 -1 -3 -2  0 -3 -2  1 -1  2  5 -2 -2  0 -1 -1 -1  1 -1 -1
-2 -3  1  0 -3  0  1 -3  0 -3 -2  6 -2  0  0  1  0 -3 -4 -2
-1 -3 -1 -1 -4 -2 -2 -3 -1 -3 -2 -2  7 -1 -2 -1 -1 -2 -4 -3
-1 -3  0  2 -3 -2  0 -3  1 -2  0  0 -1  5  1  0 -1 -2 -2 -1
-1 -3 -2  0 -3 -2  0 -3  2 -2 -1  0 -2  1  5 -1 -1 -3 -3 -2
 1 -1  0  0 -2  0 -1 -2  0 -2 -1  1 -1  0 -1  4  1 -2 -3 -2
 0 -1 -1 -1 -2 -2 -2 -1 -1 -1 -1  0 -1 -1 -1  1  5  0 -2 -2
 0 -1 -3 -2 -1 -3 -3  3 -2  1  1 -3 -2 -2 -3 -2  0  4 -3 -1
-3 -2 -4 -3  1 -2 -2 -3 -3 -2 -1 -4 -4 -2 -3 -3 -2 -3 11  2
-2 -2 -3 -2  3 -3  2 -1 -2 -1 -1 -2 -3 -1 -2 -2 -2 -1  2  7
"""
BLOSUM62 = np.array(_SCORES.split(), dtype=np.float64).reshape(20, 20)
"""Henikoff and Henikoff, PNAS 89:10915, 1992; the alphabet has the order of rows and columns."""

Floats = npt.NDArray[np.float64]


def with_pseudocounts(observed: Floats, diversity: Floats) -> Floats:
    """Return frequencies ``(residue, 20)`` with pseudocounts.

    Parameters
    ----------
    observed
        Frequencies ``(residue, 20)``; rows sum to 1, or to 0 where nothing is known.
    diversity
        ``N`` of each residue, ``(residue,)``.
    """
    known = observed.sum(axis=1, keepdims=True)
    expected = observed @ expected_beside() + (1 - known) * background()
    alpha = np.maximum(diversity - 1, 0)[:, np.newaxis] * known
    return np.asarray((alpha * observed + BETA * expected) / (alpha + BETA))


@cache
def background() -> Floats:
    """Return the share of each amino acid in all proteins, ``(20,)``."""
    shares = np.array([PROTEIN_COMPOSITION[letter] for letter in PROTEIN.letters])
    return np.asarray(shares / shares.sum())


@cache
def expected_beside() -> Floats:
    """Return the share of each amino acid beside each, ``(20, 20)``; rows sum to 1."""
    conditional = background() * np.exp(_scale() * BLOSUM62)
    return np.asarray(conditional / conditional.sum(axis=1, keepdims=True))


def from_scores(scores: Floats) -> Floats:
    """Return the frequencies that log-odds scores in units of BLOSUM62 stand for; rows sum to 1."""
    weights = background() * np.exp(_scale() * scores)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


@cache
def _scale() -> float:
    pairs, scores = np.outer(background(), background()), BLOSUM62
    low, high = 0.1, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if (pairs * np.exp(middle * scores)).sum() < 1:
            low = middle
        else:
            high = middle
    return low
