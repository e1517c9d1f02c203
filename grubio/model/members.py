"""Several models as one: their networks together, or one network of their mean weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from grubio.errors import GrubioError
from grubio.model.architecture import WeightPrecision
from grubio.model.bundle import Bundle


def joined(bundles: Sequence[Bundle]) -> Bundle:
    """Return the ensemble of models of the same targets; it is not calibrated."""
    first = bundles[0]
    weights = {
        f"members.{number}.{name}": weight
        for number, bundle in enumerate(bundles)
        for name, weight in bundle.weights.items()
    }
    return Bundle(
        tuple(architecture for bundle in bundles for architecture in bundle.architectures),
        first.targets,
        weights,
        first.alphabet,
    )


def averaged(bundles: Sequence[Bundle]) -> Bundle:
    """Return one network whose weights are the means of those of several; it is not calibrated.

    It is as large and as fast as each of them. What they have learned survives only if they were
    trained from one start (Wortsman et al. 2022, arXiv:2203.05482).

    Raises
    ------
    GrubioError
        If the networks differ in shape.
    """
    first = bundles[0]
    shapes = {replace(one, dropout=0.0) for bundle in bundles for one in bundle.architectures}
    if len(shapes) > 1:
        raise GrubioError("weights are averaged of networks of one shape, these differ")
    weights = {
        name: np.stack([bundle.weights[name] for bundle in bundles]).mean(axis=0, dtype=np.float32)
        for name in first.weights
    }
    return Bundle(first.architectures, first.targets, weights, first.alphabet)


def common_precision(bundles: Sequence[Bundle]) -> WeightPrecision:
    """Return how all of them store their weights; float32 if they differ."""
    precisions = {bundle.weight_precision for bundle in bundles}
    return precisions.pop() if len(precisions) == 1 else "32"
