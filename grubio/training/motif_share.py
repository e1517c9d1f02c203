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
import torch
from torch import Tensor, nn

from grubio.inference.predictor import Predictor
from grubio.metrics.bootstrap import Estimate, bootstrap_weights
from grubio.metrics.candidates import find_candidates, site_truth, strands_of
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
    learned = head.weight.detach().clone(), head.bias.detach().clone()

    def take(shares: Mapping[int, float]) -> None:
        of_row = torch.tensor([shares.get(index, 1.0) for index in range(scheme.size)])
        with torch.no_grad():
            for parameter, first, last in zip(
                (head.weight, head.bias), begun, learned, strict=True
            ):
                # Probabilities do not change if all outputs do by the same; those of the background
                # are made 0, as they began, so that each class has a share of its own.
                relative = last - last[background]
                share = of_row.to(last).reshape(-1, *[1] * (last.ndim - 1))
                parameter.copy_(torch.lerp(first.to(last), relative, share))

    weights = bootstrap_weights(1 + max(strand.block for strand in strands), _REPLICATES, _SEED)
    found: dict[int, dict[float, Estimate]] = {index: {} for index in known}
    for share in SHARES:
        take(dict.fromkeys(known, share))
        predictor = Predictor(bundle_of(labeller, DNA), "cpu", threads)
        answers = [one.probabilities for one in predictor.predict(records[at] for at in order)]
        for index, truth in known.items():
            scores = [site_scores(rows[:, index], truth.width) for rows in answers]
            found[index][share] = ranking_metrics(
                find_candidates(strands, scores, truth),
                HEADLINE_TOLERANCE,
                scanned(strands, truth, ANY_CLASS),
                weights,
            )["average_precision"]
    chosen = {index: least_share(of_class) for index, of_class in found.items()}
    take(chosen)
    result = {}
    for index, of_class in found.items():
        name, share = scheme.class_names[index], chosen[index]
        result[name] = MotifShare(share, {at: score.value for at, score in of_class.items()})
        logger.info(
            "%s: %g of what was learned is added to the motif: average precision of validation "
            "sites %.3f, with the motif alone %.3f, with all %.3f",
            name,
            share,
            *(of_class[at].value for at in (share, 0.0, 1.0)),
        )
    return result


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
