"""The position weight matrix of a class of sites, and the choice of the bases that it covers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from grubio.metrics.bootstrap import Floats
from grubio.metrics.candidates import LabelledStrand, SiteTruth, find_candidates, site_truth
from grubio.metrics.classification import binned_average_precision
from grubio.metrics.site_alignment import best_shifts
from grubio.metrics.sites import HEADLINE_TOLERANCE, ranked_counts, scanned
from grubio.sequences.alphabet import DNA

ANY_CLASS = 255
"""A number of classes above that of any scheme: every base counts when sites are only located."""

FLANKS = ((0, 0), (5, 5), (10, 10), (30, 5), (20, 20), (40, 20))
"""Bases before and after a site that the matrix may cover; the best pair is taken.

With the third and the fourth, the matrix of a -10 box also covers the -35 box of the promoter."""

MOST_ALIGNED = 5000
"""Sites above which none is moved: aligning them takes time and memory."""

_PSEUDOCOUNT = 1.0
_BASES = "ACGT"

ChoiceT = TypeVar("ChoiceT")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PWM:
    """A position weight matrix of a site and its flanks.

    Attributes
    ----------
    log_odds
        Base-2 logarithm of the frequency of each base over that in the background, float32
        ``(position, base)``, bases in the order ACGT.
    before
        Positions before the start of the site.
    width
        Bases of the site.
    room
        Bases by which a site may have been moved to where it agrees with the others.
    """

    log_odds: npt.NDArray[np.float32]
    before: int
    width: int
    room: int = 0

    def scores(self, sequence: str) -> Floats:
        """Return the score of a site that starts at each base, float64 ``(start,)``.

        Letters other than A, C, G and T, and positions outside of the sequence, add nothing.
        """
        from lightmotif.lib import ScoringMatrix, stripe

        starts = len(sequence) - self.width + 1
        if starts <= 0:
            return np.zeros(0)
        after = len(self.log_odds) - self.before - self.width
        padded = "N" * self.before + plain(sequence) + "N" * after
        columns = {base: self.log_odds[:, at].tolist() for at, base in enumerate(_BASES)}
        matrix = ScoringMatrix({**columns, "N": [0.0] * len(self.log_odds)})
        striped = matrix.calculate(stripe(padded))
        # Stripes are rows: position i is in row i // columns.
        return np.asarray(striped).ravel()[:starts].astype(np.float64)


def fit_pwm(
    strands: Sequence[LabelledStrand], index: int, width: int, flank: tuple[int, int], room: int = 0
) -> PWM | None:
    """Return the matrix of the sites of a class in training strands; None if there is no site.

    Sites whose flanks hold other letters than A, C, G and T, or cross the end of the block, are
    left out. The others may first move by up to ``room`` bases, see
    :func:`~grubio.metrics.site_alignment.best_shifts`. The pseudocount is 1 for each base.
    """
    from lightmotif.lib import CountMatrix

    before, after = flank[0] + room, flank[1] + room
    sites, composition = [], np.zeros(4)
    truth = site_truth(strands, index, width, ANY_CLASS)
    for strand, starts in zip(strands, truth.starts, strict=True):
        text = plain(strand.sequence)
        composition += [text.count(base) for base in _BASES]
        for start in starts.tolist():
            site = text[start - before : start + width + after] if start >= before else ""
            if len(site) == before + width + after and "N" not in site:
                sites.append(site)
    if not sites:
        return None
    background = (composition + _PSEUDOCOUNT) / (composition + _PSEUDOCOUNT).sum()
    if room:
        one_hot = np.array([DNA.one_hot(site) for site in sites], dtype=np.float64)
        places = width + sum(flank)
        moved = (room + best_shifts(one_hot, room, background)).tolist()
        sites = [site[at : at + places] for site, at in zip(sites, moved, strict=True)]
    counts: dict[str, Iterable[int]] = {
        base: [sum(site[place] == base for site in sites) for place in range(len(sites[0]))]
        for base in _BASES
    }
    odds = CountMatrix(counts).normalize(_PSEUDOCOUNT)
    # lightmotif has the order ACTGN and frequencies relative to 1/4. Its log_odds ignores the
    # background that it is given (version 0.10.0).
    frequencies = np.array([list(odds[at]) for at in range(len(odds))])[:, [0, 1, 3, 2]] / 4
    return PWM(np.log2(frequencies / background).astype(np.float32), flank[0], width, room)


def chosen_pwm(
    train: Sequence[LabelledStrand],
    valid: Sequence[LabelledStrand],
    index: int,
    width: int,
    room: int = 0,
) -> PWM | None:
    """Return the matrix that ranks validation sites best; None if there is no training site.

    There is one for each of :data:`FLANKS`, of the sites where they are and, with ``room``, of the
    same sites aligned.
    """
    if room and sum(map(len, site_truth(train, index, width, ANY_CLASS).starts)) > MOST_ALIGNED:
        room = 0
    fitted = [
        pwm
        for of_sites in dict.fromkeys((0, room))
        for flank in FLANKS
        if (pwm := fit_pwm(train, index, width, flank, of_sites))
    ]
    best = max(fitted, key=precision_of(PWM.scores, train, valid, index, width), default=None)
    if best is not None:
        after = len(best.log_odds) - best.before - width
        logger.info(
            "the matrix covers %d bases before a site and %d after%s",
            best.before,
            after,
            f"; sites were moved by up to {best.room} bases" if best.room else "",
        )
    return best


def precision_of(
    scores: Callable[[ChoiceT, str], Floats],
    train: Sequence[LabelledStrand],
    valid: Sequence[LabelledStrand],
    index: int,
    width: int,
) -> Callable[[ChoiceT], float]:
    """Return a function from what is fitted to its average precision on validation strands.

    Without a site in them, training strands are taken. ``scores`` gives the scores of the sites of
    a sequence, ``(start,)``.
    """
    strands, truth = valid, site_truth(valid, index, width, ANY_CLASS)
    if not any(map(len, truth.starts)):
        strands, truth = train, site_truth(train, index, width, ANY_CLASS)

    def precision(fitted: ChoiceT) -> float:
        return average_precision(strands, [scores(fitted, s.sequence) for s in strands], truth)

    return precision


def average_precision(
    strands: Sequence[LabelledStrand], scores: Sequence[Floats], truth: SiteTruth
) -> float:
    """Return the average precision of the scores of sites ``(start,)`` of some strands."""
    found = find_candidates(strands, scores, truth)
    over = scanned(strands, truth, ANY_CLASS)
    counts = ranked_counts(
        found.score, found.right[HEADLINE_TOLERANCE], found.block, len(over.sites)
    )
    return float(binned_average_precision(counts.sum(axis=0), over.sites.sum()))


def plain(sequence: str) -> str:
    """Return a sequence in upper case, with N for any letter but A, C, G, T and U, and T for U."""
    return sequence.upper().replace("U", "T").translate(_TO_N)


_TO_N = {ord(letter): "N" for letter in DNA.ambiguous if letter != "U"}
