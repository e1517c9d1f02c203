"""What a labeller is fitted to: the labels, and the further targets that some datasets have."""

from __future__ import annotations

import torch
from torch import Tensor, nn
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
    """Return the mean surprise at the labels.

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
    known = classes != IGNORED
    likelihood = scores[known, classes[known]].exp()
    return ((1 - likelihood) ** focal_gamma * surprise[known]).mean()


def teacher_loss(logits: Tensor, taught: Tensor) -> Tensor:
    """Return the mean cross-entropy to a teacher's probabilities.

    Both are ``(time, batch, class)``; residues of zeros are not taught. Zero if none is.
    """
    seen = taught.sum(dim=2) > 0
    if not seen.any():
        return logits.new_zeros(())
    return cross_entropy(logits[seen].float(), taught[seen].float())


def accessibility_loss(said: Tensor, known: Tensor) -> Tensor:
    """Return the mean cross-entropy of accessibilities ``(time, batch)``, NaN where unknown.

    Zero if none is known.
    """
    there = ~known.isnan()
    if not there.any():
        return said.new_zeros(())
    return binary_cross_entropy_with_logits(said[there].float().logit(eps=1e-6), known[there])


def profile_loss(states: Tensor, profile: Tensor, head: nn.Linear) -> Tensor:
    """Return the mean cross-entropy to substitution frequencies of what a head makes of states.

    States are ``(time, batch, channel)`` and frequencies ``(time, batch, residue)``; those of
    zeros are unknown. Zero if all are.
    """
    seen = profile.sum(dim=2) > 0
    if not seen.any():
        return states.new_zeros(())
    wanted = profile[seen].float()
    return cross_entropy(head(states[seen]), wanted / wanted.sum(dim=1, keepdim=True))
