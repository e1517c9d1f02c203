"""Simple predictors for genomes: a position weight matrix, and logistic regression on k-mers.

Both see training blocks only. What has to be chosen (how many bases around a site the matrix
covers, how strong the penalty of the regression is) is chosen by average precision on validation
blocks, or on the training blocks where there is no validation site.

Scores are for the strand as it is given: scan both strands of a block as two records.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

# Loaded with the module, so that a limit on threads set before fitting holds for it.
from sklearn.linear_model import LogisticRegression

from grubio.evaluation.genome.pwm import ANY_CLASS, PWM, fit_pwm, plain
from grubio.metrics.bootstrap import Floats
from grubio.metrics.candidates import LabelledStrand, SiteTruth, find_candidates, site_truth
from grubio.metrics.sites import HEADLINE_TOLERANCE, ranked_counts, ranking_scores, scanned
from grubio.sequences.alphabet import DNA

FLANKS = ((0, 0), (5, 5), (10, 10), (30, 5), (20, 20), (40, 20))
"""Bases before and after a site that the matrix may cover; the best pair is taken.

The third and the fourth reach the -35 box of a promoter from its -10 box."""

PENALTIES = (0.003, 0.03, 0.3)
"""Inverse strengths of the penalty of the regression; the best is taken."""

MAX_BACKGROUND = 30_000
"""Most training bases of each kind, of the class and of none, behind the regression."""

_K = 3
_KMERS = 4**_K
_CLEAR_OF_SITES = 10

ChoiceT = TypeVar("ChoiceT")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class KmerLogistic:
    """Logistic regression on which k-mer stands at each place around a base.

    Attributes
    ----------
    weights
        Float32 ``(place, k-mer code)``; the last code is a k-mer with an unknown base.
    intercept
        Corrected for the share of bases that were drawn for training.
    before
        Bases that the first place lies before the base that is scored.
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


def chosen_pwm(
    train: Sequence[LabelledStrand], valid: Sequence[LabelledStrand], index: int, width: int
) -> PWM | None:
    """Return the matrix with the best of :data:`FLANKS`; None if there is no training site."""
    fitted = [pwm for flank in FLANKS if (pwm := fit_pwm(train, index, width, flank))]
    on, truth = _choosing_set(train, valid, index, width)

    def quality(pwm: PWM) -> float:
        return _site_precision(on, truth, [pwm.scores(strand.sequence) for strand in on])

    best = _best(fitted, quality)
    if best is not None:
        after = len(best.log_odds) - best.before - width
        logger.info("the matrix covers %d bases before a site and %d after", best.before, after)
    return best


def fit_kmers(
    strands: Sequence[LabelledStrand],
    index: int,
    classes: int,
    window: tuple[int, int],
    penalty: float,
    seed: int,
    width: int | None = None,
) -> KmerLogistic | None:
    """Return the regression fitted to training strands; None if a kind of base is missing.

    Parameters
    ----------
    strands
        Training strands.
    index, classes
        The class, and the number of classes.
    window
        Bases before and after the scored one that it sees.
    penalty
        Inverse strength of the penalty.
    seed
        Seed of the draw of bases.
    width
        Bases of a site: then the starts of sites are told from bases at least 10 away from them,
        else the bases of the class from all others.
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
    on, truth = _choosing_set(train, valid, index, width)

    def quality(model: KmerLogistic) -> float:
        return _site_precision(on, truth, [site_log_odds(model, s.sequence, width) for s in on])

    return _best([model for model in fits if model is not None], quality)


def dense_kmers(
    train: Sequence[LabelledStrand], index: int, classes: int, seed: int
) -> KmerLogistic | None:
    """Return the regression on 30 bases before and after a base, for a class of varying width."""
    return fit_kmers(train, index, classes, (30, 30), PENALTIES[1], seed)


def site_log_odds(model: KmerLogistic, sequence: str, width: int) -> Floats:
    """Return the log-odds of a site that starts at each base, float64 ``(start,)``."""
    return model.log_odds(sequence)[: max(len(sequence) - width + 1, 0)]


def _choosing_set(
    train: Sequence[LabelledStrand], valid: Sequence[LabelledStrand], index: int, width: int
) -> tuple[Sequence[LabelledStrand], SiteTruth]:
    truth = site_truth(valid, index, width, ANY_CLASS)
    if any(len(starts) for starts in truth.starts):
        return valid, truth
    return train, site_truth(train, index, width, ANY_CLASS)


def _best(fitted: Sequence[ChoiceT], quality: Callable[[ChoiceT], float]) -> ChoiceT | None:
    return max(fitted, key=quality, default=None)


def _site_precision(
    strands: Sequence[LabelledStrand], truth: SiteTruth, scores: Sequence[Floats]
) -> float:
    found = find_candidates(strands, scores, truth)
    over = scanned(strands, truth, ANY_CLASS)
    right = found.right[HEADLINE_TOLERANCE]
    counts = ranked_counts(found.score, right, found.block, len(over.sites))
    sums = np.asarray(over.sites.sum()), np.asarray(over.kilobases.sum())
    return float(ranking_scores(counts.sum(axis=0), *sums)["average_precision"])


def _training_bases(
    strands: Sequence[LabelledStrand], index: int, classes: int, width: int | None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    # Bases of the class and others, each int64 (base, 2): strand and offset.
    truth = site_truth(strands, index, width, classes) if width else None
    none = np.empty((0, 2), dtype=np.int64)
    kinds = ([none], [none])
    for number, strand in enumerate(strands):
        counted = strand.classes < classes
        positive = counted & (strand.classes == index)
        clear = counted & ~positive
        if truth is not None:
            starts = truth.starts[number]
            for start in starts.tolist():
                clear[max(start - _CLEAR_OF_SITES, 0) : start + _CLEAR_OF_SITES + 1] = False
            positive = np.zeros(len(counted), dtype=bool)
            positive[starts] = True
        for kind, mask in zip(kinds, (positive, clear), strict=True):
            offsets = np.flatnonzero(mask)
            kind.append(np.stack((np.full(len(offsets), number), offsets), axis=1))
    return np.concatenate(kinds[0]), np.concatenate(kinds[1])


def _placed_kmers(sequence: str, before: int, places: int) -> npt.NDArray[np.int64]:
    # The code of the k-mer at each offset from -before on, int64 (base + place - 1,).
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
