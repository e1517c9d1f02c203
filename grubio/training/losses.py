"""Losses of the kinds of answers: labels, shares of classes, and values."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, nll_loss

from grubio.model.batching import IGNORED


def label_loss(
    logits: Tensor,
    classes: Tensor,
    coarse: Tensor,
    *,
    weights: Tensor | None = None,
    focal_gamma: float = 0.0,
) -> Tensor:
    """Return the mean surprise at the labels; zero if no label counts.

    Parameters
    ----------
    logits
        Float ``(residue, class)``.
    classes
        Class indices, int64 ``(residue,)``: :data:`grubio.model.batching.IGNORED` where the label
        does not count, and from the number of classes upwards where it is a coarse one.
    coarse
        Which classes a coarse one has, float ``(class, coarse class)``.
    weights
        Of the classes, float ``(class,)``.
    focal_gamma
        Surprise is weighted by ``(1 - p)`` to this power (Lin et al., ICCV 2017).
    """
    known = classes != IGNORED
    if not known.any():
        return 0 * logits.sum()
    scores = logits.log_softmax(dim=1)
    if (classes >= logits.shape[1]).any():
        # The probability of a coarse class is the sum of those of its fine classes.
        summed = (scores.exp() @ coarse).clamp_min(1e-12).log()
        scores = torch.cat((scores, summed), dim=1)
        if weights is not None:
            weights = torch.cat((weights, weights.new_ones(summed.shape[1])))
    if not focal_gamma:
        return nll_loss(scores, classes, weight=weights, ignore_index=IGNORED)
    surprise = nll_loss(scores, classes, weight=weights, ignore_index=IGNORED, reduction="none")
    likelihood = scores[known, classes[known]].exp()
    return ((1 - likelihood) ** focal_gamma * surprise[known]).mean()


def shares_loss(logits: Tensor, shares: Tensor) -> Tensor:
    """Return the mean cross-entropy to shares of the classes, such as a teacher's probabilities.

    Both are ``(time, batch, class)``; shares need not add up to 1, and residues of zeros are
    unknown. Zero if all are.
    """
    known = shares.sum(dim=2) > 0
    if not known.any():
        return logits.new_zeros(())
    wanted = shares[known].float()
    return cross_entropy(logits[known].float(), wanted / wanted.sum(dim=1, keepdim=True))


def value_loss(predicted: Tensor, observed: Tensor) -> Tensor:
    """Return the mean cross-entropy of values from 0 to 1, ``(time, batch)``, NaN where unknown.

    Zero if none is known.
    """
    known = ~observed.isnan()
    if not known.any():
        return predicted.new_zeros(())
    return binary_cross_entropy_with_logits(
        predicted[known].float().logit(eps=1e-6), observed[known]
    )
