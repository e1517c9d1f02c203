"""How much of what a network learned is added to the motifs that it began with.

The first head is a point on the line between its weights before the first step, with which the
network ranks sites as the matrices do, and those that it learned (Wortsman et al., CVPR 2022): the
one that ranks validation sites best. With few sites a network that learned nothing which holds for
others is then its matrix, and not less.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from statistics import mean

import torch
from torch import Tensor, nn

from grubio.inference.predictor import Predictor
from grubio.metrics.candidates import site_truth, strands_of
from grubio.metrics.pwm import ANY_CLASS, average_precision
from grubio.model.labeller import Labeller, bundle_of
from grubio.sequences.alphabet import DNA
from grubio.sequences.record import Record
from grubio.sequences.runs_and_peaks import site_scores
from grubio.training.stem_motifs import StemMotif

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of what was learned; of those that are equally good, the first is taken."""

logger = logging.getLogger(__name__)


def choose_share(
    labeller: Labeller,
    begun: tuple[Tensor, Tensor],
    motifs: Sequence[StemMotif],
    records: Sequence[Record],
    threads: int,
) -> dict[float, float]:
    """Give the first head of a labeller the share that ranks sites best.

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
    The average precision of sites, a mean over classes, for each of :data:`SHARES`. It is empty,
    and the head remains as it was learned, if the records have no site, or there are classes
    without a motif besides the background: they are nothing before the first step.
    """
    head, scheme = labeller.heads[0], labeller.targets[0].scheme
    assert isinstance(head, nn.Linear)
    assert scheme is not None
    if len(motifs) < scheme.size - 1:
        return {}
    strands, order = strands_of(records, scheme)
    truths = [site_truth(strands, motif.index, motif.pwm.width, ANY_CLASS) for motif in motifs]
    known = [
        (motif, truth)
        for motif, truth in zip(motifs, truths, strict=True)
        if any(map(len, truth.starts))
    ]
    if not known:
        return {}
    learned = head.weight.detach().clone(), head.bias.detach().clone()

    def take(share: float) -> None:
        with torch.no_grad():
            for parameter, first, last in zip(
                (head.weight, head.bias), begun, learned, strict=True
            ):
                parameter.copy_(torch.lerp(first.to(last.device), last, share))

    found = {}
    for share in SHARES:
        take(share)
        predictor = Predictor(bundle_of(labeller, DNA), "cpu", threads)
        answers = [one.probabilities for one in predictor.predict(records[at] for at in order)]
        found[share] = mean(
            average_precision(
                strands,
                [site_scores(rows[:, motif.index], truth.width) for rows in answers],
                truth,
            )
            for motif, truth in known
        )
    best = max(SHARES, key=found.__getitem__)
    take(best)
    logger.info(
        "%g of what was learned is added to the motifs: average precision of validation sites "
        "%.3f, with the motifs alone %.3f, with all %.3f",
        best,
        found[best],
        found[0.0],
        found[1.0],
    )
    return found
