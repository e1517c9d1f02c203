"""How much of what a network learned is added to the motifs that it began with.

The output of each class is a point on the line between its weights before the first step, with
which the network ranks sites as the matrix of the class does, and those that it learned (Wortsman
et al., CVPR 2022). Of the points, the nearest to the matrix is taken whose average precision on
the validation sites is within one standard error of the best (the one-standard-error rule; Breiman
et al., Classification and Regression Trees, 1984). With few sites, a network that learned nothing
which certainly holds for others is then its matrix.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from grubio.inference.predictor import Predictor
from grubio.metrics.bootstrap import Estimate, bootstrap_weights
from grubio.metrics.candidates import (
    LabelledStrand,
    SiteTruth,
    find_candidates,
    site_truth,
    strands_of,
)
from grubio.metrics.pwm import ANY_CLASS
from grubio.metrics.sites import HEADLINE_TOLERANCE, ranking_metrics, scanned
from grubio.model.labeller import Labeller, bundle_of
from grubio.sequences.alphabet import DNA
from grubio.sequences.record import Record
from grubio.sequences.runs_and_peaks import site_scores
from grubio.training.stem_motifs import StemMotif

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of what was learned."""

_REPLICATES, _SEED = 500, 1

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class MotifShare:
    """How much of what was learned is added to the motif of a class.

    Attributes
    ----------
    share
        One of :data:`SHARES`.
    average_precision
        Of the validation sites of the class, for each of :data:`SHARES`.
    """

    share: float
    average_precision: Mapping[float, float]

    def as_dict(self) -> dict[str, object]:
        """Return what ``model.json`` says of it."""
        scores = {f"{share:g}": round(score, 6) for share, score in self.average_precision.items()}
        return {"share": self.share, "average_precision": scores}


def choose_shares(
    labeller: Labeller,
    begun: tuple[Tensor, Tensor],
    motifs: Sequence[StemMotif],
    records: Sequence[Record],
    threads: int,
) -> dict[str, MotifShare]:
    """Give each class of the first head the share that ranks its sites best, within the noise.

    Parameters
    ----------
    labeller
        With the weights that were learned.
    begun
        Weights and biases of its first head before the first step.
    motifs
        What it began with.
    records
        Both strands of labelled blocks of a genome, for validation.
    threads
        Of the CPU.

    Returns
    -------
    What was chosen, by the name of the class. A class without a validation site is left out and
    remains as it was learned. So do all, if there are classes without a motif besides the
    background: they are nothing before the first step.
    """
    head, scheme = labeller.heads[0], labeller.targets[0].scheme
    assert isinstance(head, nn.Linear)
    assert scheme is not None
    if len(motifs) < scheme.size - 1:
        return {}
    strands, order = strands_of(records, scheme)
    truths = {
        motif.index: site_truth(strands, motif.index, motif.pwm.width, ANY_CLASS)
        for motif in motifs
    }
    known = {index: truth for index, truth in truths.items() if any(map(len, truth.starts))}
    if not known:
        return {}
    (background,) = set(range(scheme.size)) - truths.keys()
    line = _Line(head, begun, background)
    weights = bootstrap_weights(1 + max(strand.block for strand in strands), _REPLICATES, _SEED)
    found: dict[int, dict[float, Estimate]] = {index: {} for index in known}
    for share in SHARES:
        line.take(dict.fromkeys(known, share))
        predictor = Predictor(bundle_of(labeller, DNA), "cpu", threads)
        answers = [one.probabilities for one in predictor.predict(records[at] for at in order)]
        for index, truth in known.items():
            found[index][share] = _average_precision(index, truth, strands, answers, weights)
    chosen = {index: least_share(of_class) for index, of_class in found.items()}
    line.take(chosen)
    return {
        scheme.class_names[index]: _told(scheme.class_names[index], chosen[index], of_class)
        for index, of_class in found.items()
    }


def least_share(found: Mapping[float, Estimate]) -> float:
    """Return the least share whose score is within a standard error of the best.

    The error is that of the difference, over the bootstrap samples that both have.
    """
    best = max(found.values(), key=lambda score: score.value)
    behind = {share: best - score for share, score in sorted(found.items())}
    return next(
        share
        for share, difference in behind.items()
        if difference.value <= np.nanstd(difference.replicates)
    )


class _Line:
    """Between what a head began with and what it learned, for each class a point of its own."""

    def __init__(self, head: nn.Linear, begun: tuple[Tensor, Tensor], background: int) -> None:
        self._head, self._begun = head, begun
        # Probabilities do not change if all outputs do by the same; those of the background are
        # made 0, as they began, so that each class has a share of its own.
        self._learned = [
            parameter.detach() - parameter.detach()[background]
            for parameter in (head.weight, head.bias)
        ]

    def take(self, shares: Mapping[int, float]) -> None:
        """Give the classes these shares of what was learned, and others all of it."""
        classes = self._head.out_features
        of_row = torch.tensor([shares.get(index, 1.0) for index in range(classes)])
        parameters = (self._head.weight, self._head.bias)
        with torch.no_grad():
            for parameter, first, last in zip(parameters, self._begun, self._learned, strict=True):
                share = of_row.to(last).reshape(-1, *[1] * (last.ndim - 1))
                parameter.copy_(torch.lerp(first.to(last), last, share))


def _average_precision(
    index: int,
    truth: SiteTruth,
    strands: Sequence[LabelledStrand],
    answers: Sequence[npt.NDArray[np.float32]],
    weights: npt.NDArray[np.float64],
) -> Estimate:
    scores = [site_scores(rows[:, index], truth.width) for rows in answers]
    candidates = find_candidates(strands, scores, truth)
    over = scanned(strands, truth, ANY_CLASS)
    return ranking_metrics(candidates, HEADLINE_TOLERANCE, over, weights)["average_precision"]


def _told(name: str, share: float, found: Mapping[float, Estimate]) -> MotifShare:
    logger.info(
        "%s: %g of what was learned is added to the motif: average precision of validation sites "
        "%.3f, with the motif alone %.3f, with all %.3f",
        name,
        share,
        *(found[at].value for at in (share, 0.0, 1.0)),
    )
    return MotifShare(share, {at: score.value for at, score in found.items()})
