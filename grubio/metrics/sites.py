"""Scores of ranked candidate sites, and their bootstrap intervals over blocks.

Blocks are resampled, both strands together. Everything is computed from the numbers of wrong and
right candidates between the scores of the right ones, so that a bootstrap sample is a weighted sum
and its scores are exact. A site without a candidate counts as missed.

Sites that are not annotated are unknown, not negative: precision over a genome is a lower bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grubio.metrics.bootstrap import Estimate, Floats, Score, ratio, resampled, share
from grubio.metrics.candidates import Candidates, LabelledStrand, SiteTruth
from grubio.metrics.classification import binned_average_precision, binned_counts

FALSE_POSITIVES_PER_KB = (0.1, 1.0)
HEADLINE_TOLERANCE = 3
REGIONS = ("genome", "near_known")

# Samples computed at a time, which bounds the memory for classes with thousands of sites.
_CHUNK = 100


@dataclass(frozen=True)
class Scanned:
    """How much was scanned of each block; arrays ``(block,)``.

    Attributes
    ----------
    sites
        True sites of both strands.
    starts
        Places where a candidate may start, of both strands.
    kilobases
        Thousands of scored bases; a base of double-stranded DNA counts once.
    """

    sites: Floats
    starts: Floats
    kilobases: Floats


def scanned(
    strands: Sequence[LabelledStrand], truth: SiteTruth, classes: int, *, near: bool = False
) -> Scanned:
    """Return how much was scanned of each block, or within it near known sites."""
    blocks = 1 + max(strand.block for strand in strands)
    sites, starts, bases, strands_of_block = np.zeros((4, blocks))
    for number, strand in enumerate(strands):
        inside = truth.near[number] if near else np.ones(len(strand.classes), dtype=bool)
        countable = truth.countable[number]
        sites[strand.block] += countable[truth.starts[number]].sum()
        starts[strand.block] += (countable & inside[: len(countable)]).sum()
        bases[strand.block] += ((strand.classes < classes) & inside).sum()
        strands_of_block[strand.block] += 1
    return Scanned(sites, starts, bases / np.maximum(strands_of_block, 1) / 1000)


def ranking_metrics(
    candidates: Candidates, tolerance: int, over: Scanned, weights: Floats, *, near: bool = False
) -> dict[str, Estimate]:
    """Return average precision, precision at k and recall at fixed rates of false positives.

    Average precision is the sum of precision times the step in recall over falling thresholds, as
    in scikit-learn. Precision at k looks at as many candidates as there are true sites. Among equal
    scores, wrong candidates come first.

    Parameters
    ----------
    candidates
        Candidates, and which of them are right.
    tolerance
        One of the tolerances.
    over
        How much was scanned.
    weights
        How often each block is drawn, ``(replicate, block)``.
    near
        Whether only candidates near known sites count.
    """
    chosen = candidates.near if near else np.ones(len(candidates.score), dtype=bool)
    counts = ranked_counts(
        candidates.score[chosen],
        candidates.right[tolerance][chosen],
        candidates.block[chosen],
        len(over.sites),
    )
    # The first row takes every block once: the value itself.
    rows = np.concatenate((np.ones((1, weights.shape[1])), weights))
    parts = [
        ranking_scores(
            resampled(some, counts), resampled(some, over.sites), resampled(some, over.kilobases)
        )
        for some in np.array_split(rows, -(-len(rows) // _CHUNK))
    ]
    values = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return {name: Estimate(float(rows[0]), rows[1:]) for name, rows in values.items()}


def ranked_counts(
    scores: Floats, right: npt.NDArray[np.bool_], block: npt.NDArray[np.int64], blocks: int
) -> npt.NDArray[np.int64]:
    """Return counts of wrong and right candidates between thresholds, int64 ``(block, 2, bin)``.

    The thresholds are the scores of the right ones; see
    :func:`grubio.metrics.classification.binned_counts`. Arguments are ``(candidate,)``.
    """
    return binned_counts(scores, right, block, blocks, np.unique(scores[right]))


def ranking_scores(
    counts: npt.NDArray[np.generic], sites: Floats, kilobases: Floats
) -> dict[str, Floats]:
    """Return the scores of :func:`ranking_metrics`, each ``(...)``, from ``(..., 2, bin)``.

    ``sites`` and ``kilobases`` are ``(...)``. Without sites a score is NaN.
    """
    falling = counts[..., ::-1].astype(np.float64)
    wrong, right = falling[..., 0, :], falling[..., 1, :]
    false = wrong.cumsum(axis=-1)
    before = right.cumsum(axis=-1) - right + false
    first_k = np.clip(sites[..., None] - before, 0, right).sum(axis=-1)
    scores = {
        "average_precision": binned_average_precision(counts, sites),
        "precision_at_k": ratio(first_k, sites),
    }
    for rate in FALSE_POSITIVES_PER_KB:
        allowed = false <= rate * kilobases[..., None]
        scores[recall_name(rate)] = ratio((right * allowed).sum(axis=-1), sites)
    return scores


def recall_name(rate: float) -> str:
    """Return the name of the recall at a rate of false positives per thousand bases."""
    return f"recall_at_{rate:g}_per_kb"


def prevalence_metrics(over: Scanned, weights: Floats) -> dict[str, Score]:
    """Return what a constant score reaches: precision is the share of starts that are sites."""
    return dict.fromkeys(
        ("average_precision", "precision_at_k"), share(over.sites, over.starts, weights).score
    )


def share_of(outcomes: Sequence[tuple[int, bool]], blocks: int, weights: Floats) -> Score:
    """Return the share of outcomes that are true, each given with its block."""
    block, true = np.array(outcomes, dtype=np.int64).reshape(-1, 2).T
    total = np.bincount(block, minlength=blocks)
    return share(np.bincount(block, true, minlength=blocks), total, weights).score


def curve(
    candidates: Candidates, tolerance: int, over: Scanned, *, near: bool = False, points: int = 300
) -> list[tuple[float, float, float]]:
    """Return points of the precision-recall curve, ``(score, recall, precision)``, best first."""
    order = np.argsort(-candidates.score, kind="stable")
    order = order[candidates.near[order]] if near else order
    right = candidates.right[tolerance][order]
    places = np.flatnonzero(right)
    if not len(places):
        return []
    kept = places[np.unique(np.linspace(0, len(places) - 1, points).round().astype(int))]
    found = right.cumsum()[kept]
    recall, precision = found / over.sites.sum(), found / (kept + 1)
    scores = candidates.score[order][kept]
    return list(zip(scores.tolist(), recall.tolist(), precision.tolist(), strict=True))
