"""Losses for labels, shares of classes, and values."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    nll_loss,
    normalize,
    one_hot,
)

from grubio.model.batching import IGNORED
from grubio.sequences.scheme import LabelScheme
from grubio.sequences.target import FULL_WEIGHT, Target


def target_loss(target: Target, output: Tensor, answers: Tensor) -> Tensor:
    """Return the mean loss of a model's output for a target, of any kind, in a padded batch."""
    if target.scheme is None:
        return value_loss(target, output, answers)
    if target.shares:
        return shares_loss(output, answers)
    return label_loss(output, answers, target.scheme)


def label_loss(
    logits: Tensor,
    classes: Tensor,
    scheme: LabelScheme,
    *,
    weights: Tensor | None = None,
    focal_gamma: float = 0.0,
    soft: Tensor | None = None,
) -> Tensor:
    """Return the mean negative log-likelihood of the labels; zero if no label counts.

    Parameters
    ----------
    logits
        Float ``(time, batch, class)``.
    classes
        Class indices, int64 ``(time, batch)``: :data:`grubio.model.batching.IGNORED` where the
        label does not count, and from the number of classes upwards where it is a coarse one.
    scheme
        The classes.
    weights
        Weight of each class, float ``(class,)``.
    focal_gamma
        The loss of a residue is multiplied by ``(1 - p)`` to this power (Lin et al., ICCV 2017).
    soft
        Soft labels, uint8 ``(time, batch, class + 1)``: shares of the classes, and the weight of
        the residue in the mean, of 255. Where it has shares, they take the place of its label.
    """
    logits, classes = logits.flatten(0, 1), classes.flatten()
    known = classes != IGNORED
    if not known.any():
        return 0 * logits.sum()
    scores = logits.log_softmax(dim=1)
    if scheme.coarse is not None and (classes >= scheme.size).any():
        # The probability of a coarse class is the sum of those of its fine classes.
        coarse = torch.from_numpy(scheme.reduction_matrix(scheme.coarse)).to(logits.device)
        summed = (scores.exp() @ coarse).clamp_min(1e-12).log()
        scores = torch.cat((scores, summed), dim=1)
        if weights is not None:
            weights = torch.cat((weights, weights.new_ones(summed.shape[1])))
    if soft is not None:
        return _with_soft_labels(scores, classes, soft.flatten(0, 1), weights)
    if not focal_gamma:
        return nll_loss(scores, classes, weight=weights, ignore_index=IGNORED)
    losses = nll_loss(scores, classes, weight=weights, ignore_index=IGNORED, reduction="none")
    likelihood = scores[known, classes[known]].exp()
    return ((1 - likelihood) ** focal_gamma * losses[known]).mean()


def _with_soft_labels(
    scores: Tensor, classes: Tensor, soft: Tensor, weights: Tensor | None
) -> Tensor:
    # Logarithms of probabilities, (residue, class), those of coarse classes after the others.
    classes_of, of_class = soft[:, :-1].float(), torch.ones_like(scores[0])
    if weights is not None:
        of_class = weights
    size = classes_of.shape[1]
    is_soft, hard = classes_of.any(dim=1), classes != IGNORED
    # What each residue says of each class: shares, its one label, or nothing.
    wanted = torch.zeros_like(scores)
    wanted[hard] = one_hot(classes[hard], scores.shape[1]).to(scores.dtype)
    wanted[is_soft] = 0
    wanted[is_soft, :size] = normalize(classes_of[is_soft], p=1, dim=1)
    wanted = wanted * of_class
    wanted[is_soft] *= soft[is_soft, -1:].float() / FULL_WEIGHT
    total = wanted.sum()
    return -(wanted * scores).sum() / total if total > 0 else 0 * scores.sum()


def shares_loss(logits: Tensor, shares: Tensor) -> Tensor:
    """Return the mean cross-entropy to shares of the classes, such as a teacher's probabilities.

    Both are ``(time, batch, class)``; shares need not sum to 1, and are unknown where all are 0.
    The loss is zero if none is known.
    """
    known = shares.sum(dim=2) > 0
    if not known.any():
        return logits.new_zeros(())
    wanted = shares[known].float()
    return cross_entropy(logits[known].float(), wanted / wanted.sum(dim=1, keepdim=True))


def value_loss(target: Target, output: Tensor, observed: Tensor) -> Tensor:
    """Return the mean loss of values, NaN where unknown; zero if none is known.

    It is the cross-entropy of values in a range; otherwise the negative log-likelihood of a normal
    distribution (:func:`gaussian_loss`) if its deviation is predicted, or else the Huber loss with
    the bend at one standard deviation (Huber, 1964).

    Parameters
    ----------
    target
        The target.
    output
        The model's output; see :data:`grubio.model.heads.Outputs`.
    observed
        Known values as networks learn them, float ``(time, batch)``.
    """
    known = ~observed.isnan()
    if not known.any():
        return 0 * output.float().sum()
    found, wanted = output[known].float(), observed[known].float()
    if target.bounded:
        return binary_cross_entropy_with_logits(found.logit(eps=1e-6), wanted)
    return gaussian_loss(found, wanted) if target.spread else huber_loss(found, wanted)


def gaussian_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean negative log-likelihood of normal distributions, without its constant.

    Parameters
    ----------
    found
        Mean, and logarithm of the standard deviation, ``(residue, 2)``.
    wanted
        Values, ``(residue,)``.
    """
    mean, log_deviation = found.unbind(dim=-1)
    standardised = (wanted - mean) * torch.exp(-log_deviation)
    return (standardised.square() / 2 + log_deviation).mean()
