"""A simple predictor for genomes: logistic regression on k-mers.

It is fitted to training blocks only. Its penalty is chosen by average precision on validation
blocks, or on training blocks if no validation block has a site. Each strand of a block is scored on
its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

# Loaded with the module, so that a limit on threads set before fitting holds for it.
from sklearn.linear_model import LogisticRegression

from grubio.metrics.bootstrap import Floats
from grubio.metrics.candidates import LabelledStrand, site_truth
from grubio.metrics.pwm import plain, precision_of
from grubio.sequences.alphabet import DNA

PENALTIES = (0.003, 0.03, 0.3)
"""Inverse penalties of the regression; the best is taken."""

MAX_BACKGROUND = 30_000
"""Most training bases in the class, and most outside of it, that the regression is fitted to."""

_K = 3
_KMERS = 4**_K
_CLEAR_OF_SITES = 10


@dataclass(frozen=True)
class KmerLogistic:
    """Logistic regression on the k-mers at each position around a base.

    Attributes
    ----------
    weights
        Float32 ``(position, k-mer code)``; the last code is a k-mer with an unknown base.
    intercept
        Corrected for the shares of bases that were drawn for training.
    before
        Bases from the first position to the base that is scored.
    """

    weights: npt.NDArray[np.float32]
    intercept: float
    before: int

    def log_odds(self, sequence: str) -> Floats:
        """Return the log-odds of the class at each base, float64 ``(base,)``."""
        kmers = _placed_kmers(sequence, self.before, len(self.weights))
        total = np.full(len(sequence), self.intercept)
        for place, table in enumerate(self.weights):
            total += table[kmers[place : place + len(sequence)]]
        return total


def fit_kmers(
    strands: Sequence[LabelledStrand],
    index: int,
    classes: int,
    window: tuple[int, int],
    penalty: float,
    seed: int,
    width: int | None = None,
) -> KmerLogistic | None:
    """Return the regression fitted to training strands; None without bases in or outside the class.

    Parameters
    ----------
    strands
        Training strands.
    index, classes
        The class, and the number of classes.
    window
        Bases before and after the scored one that it sees.
    penalty
        Inverse penalty.
    seed
        Seed of the draw of bases.
    width
        Width of a site: starts of sites are contrasted with bases more than 10 away from them.
        Without it, bases of the class are contrasted with all others.
    """
    from scipy.sparse import csr_matrix

    positive, negative = _training_bases(strands, index, classes, width)
    if not len(positive) or not len(negative):
        return None
    generator = np.random.default_rng(seed)
    drawn, shares = [], []
    for kind in (negative, positive):
        kept = min(len(kind), MAX_BACKGROUND)
        drawn.append(kind[np.sort(generator.choice(len(kind), kept, replace=False))])
        shares.append(kept / len(kind))
    before, after = window
    places = before + after + 2 - _K
    chosen = np.concatenate(drawn)
    kmers = np.empty((len(chosen), places), dtype=np.int64)
    for number in np.unique(chosen[:, 0]):
        rows = np.flatnonzero(chosen[:, 0] == number)
        found = _placed_kmers(strands[number].sequence, before, places)
        kmers[rows] = np.lib.stride_tricks.sliding_window_view(found, places)[chosen[rows, 1]]
    known = kmers < _KMERS
    columns = (kmers + np.arange(places) * _KMERS)[known]
    ends = np.concatenate(([0], known.sum(axis=1).cumsum()))
    features = csr_matrix(
        (np.ones(len(columns)), columns, ends), shape=(len(chosen), places * _KMERS)
    )
    target = np.repeat([0, 1], [len(kind) for kind in drawn])
    model = LogisticRegression(C=penalty, max_iter=200, tol=1e-3)
    model.fit(features, target)
    weights = np.zeros((places, _KMERS + 1), dtype=np.float32)
    weights[:, :_KMERS] = model.coef_[0].reshape(places, _KMERS)
    # King and Zeng, Political Analysis 9:137-163 (2001), equation 7.
    intercept = float(model.intercept_[0] - np.log(shares[1] / shares[0]))
    return KmerLogistic(weights, intercept, before)


def chosen_site_kmers(
    train: Sequence[LabelledStrand],
    valid: Sequence[LabelledStrand],
    index: int,
    classes: int,
    width: int,
    seed: int,
) -> KmerLogistic | None:
    """Return the regression on 40 bases before and 20 after a site, with the best penalty."""
    window = (40, 20 + width - 1)
    fits = (fit_kmers(train, index, classes, window, c, seed, width) for c in PENALTIES)
    quality = precision_of(partial(site_log_odds, width=width), train, valid, index, width)
    return max((model for model in fits if model is not None), key=quality, default=None)


def dense_kmers(
    train: Sequence[LabelledStrand], index: int, classes: int, seed: int
) -> KmerLogistic | None:
    """Return the regression on 30 bases before and after a base, for a class of varying width."""
    return fit_kmers(train, index, classes, (30, 30), PENALTIES[1], seed)


def site_log_odds(model: KmerLogistic, sequence: str, width: int) -> Floats:
    """Return the log-odds of a site that starts at each base, float64 ``(start,)``."""
    return model.log_odds(sequence)[: max(len(sequence) - width + 1, 0)]


def _training_bases(
    strands: Sequence[LabelledStrand], index: int, classes: int, width: int | None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    # Bases of the class and others, each int64 (base, 2): strand and offset.
    truth = site_truth(strands, index, width, classes) if width else None
    kinds = np.zeros((2, len(strands), max((len(s.classes) for s in strands), default=0)), bool)
    for number, strand in enumerate(strands):
        positive, clear = kinds[:, number, : len(strand.classes)]
        positive[:] = strand.classes == index
        clear[:] = (strand.classes < classes) & ~positive
        if truth is not None:
            positive[:] = False
            positive[truth.starts[number]] = True
            for start in truth.starts[number].tolist():
                clear[max(start - _CLEAR_OF_SITES, 0) : start + _CLEAR_OF_SITES + 1] = False
    return np.argwhere(kinds[0]), np.argwhere(kinds[1])


def _placed_kmers(sequence: str, before: int, places: int) -> npt.NDArray[np.int64]:
    # The code of the k-mer at each offset from -before onwards, int64 (base + place - 1,).
    codes = DNA.encode(plain(sequence)).astype(np.int64)
    padded = np.full(len(codes) + places + _K - 2, 4)
    padded[before : before + len(codes)] = codes
    total = np.zeros(len(padded) - _K + 1, dtype=np.int64)
    unknown = np.zeros(len(total), dtype=bool)
    for at in range(_K):
        part = padded[at : at + len(total)]
        total = total * 4 + part
        unknown |= part > 3
    return np.where(unknown, _KMERS, total)
