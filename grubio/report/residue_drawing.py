"""Chains residue by residue: observed and predicted classes, and confidence.

A drawing is a list of blocks of ten residues; the page fits as many as it can into a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt

from grubio.runs.chain_predictions import ChainPrediction, read_chain_predictions
from grubio.runs.tables import ChainScore
from grubio.sequences.best_path import best_classes
from grubio.sequences.scheme import UNKNOWN_LABEL, LabelScheme
from grubio.sequences.segments import confidence

BLOCK = 10
MOST_RESIDUES = 1200
"""Longer chains are cut off here."""

_FEWEST_SCORED = 30


@dataclass(frozen=True)
class Run:
    """A run of residues of one class, all of them right or all wrong."""

    letters: str
    class_index: int | None
    wrong: bool = False


@dataclass(frozen=True)
class Block:
    """Ten residues, or fewer at the end.

    ``start`` is 1-based. ``bars`` is path data in a box of ``BLOCK`` by 100, one bar per residue,
    as high as the confidence in percent.
    """

    start: int
    residues: str
    observed: list[Run]
    predicted: list[Run]
    bars: str


@dataclass(frozen=True)
class ChainDrawing:
    """The drawing of a chain; ``drawn`` is the number of residues in the blocks."""

    chain: ChainScore
    blocks: list[Block]
    drawn: int

    @property
    def whole(self) -> bool:
        """Whether all residues are drawn."""
        return self.drawn >= self.chain.residues


def worst_and_best(
    chains: Sequence[ChainScore], count: int = 3
) -> tuple[list[ChainScore], list[ChainScore]]:
    """Return the chains with the lowest and with the highest scores, extremes first.

    Scores of fewer than 30 residues are too noisy and left out. No chain is in both lists.
    """
    ranked = _ranked(chains)
    count = min(count, len(ranked) // 2)
    return ranked[:count], ranked[len(ranked) - count :][::-1]


def typical(chains: Sequence[ChainScore]) -> list[ChainScore]:
    """Return the chain with the median score among those with at least 30 scored residues."""
    ranked = _ranked(chains)
    return ranked[len(ranked) // 2 :][:1]


def draw_chains(
    predictions: Path, scheme: LabelScheme, chains: Sequence[ChainScore]
) -> list[ChainDrawing]:
    """Draw chains of ``test_predictions.parquet`` in the classes of the headline score.

    Chains that the file lacks are left out.

    Raises
    ------
    GrubioError
        If the file is damaged or lacks a column.
    """
    if not chains:
        return []
    found = read_chain_predictions(predictions, scheme, [chain.id for chain in chains])
    return [_draw(chain, scheme, found[chain.id]) for chain in chains if chain.id in found]


def _ranked(chains: Sequence[ChainScore]) -> list[ChainScore]:
    eligible = [c for c in chains if c.score is not None and c.scored >= _FEWEST_SCORED]
    return sorted(eligible, key=lambda chain: (chain.score, chain.id))


def _draw(chain: ChainScore, scheme: LabelScheme, prediction: ChainPrediction) -> ChainDrawing:
    residues, observed = prediction.residues[:MOST_RESIDUES], prediction.observed[:MOST_RESIDUES]
    probabilities = prediction.probabilities
    coarse = scheme.headline
    if coarse is not scheme:
        probabilities = probabilities @ scheme.reduction_matrix(coarse)
        observed = "".join(scheme.reduction.get(letter, UNKNOWN_LABEL) for letter in observed)
    predicted = coarse.decode(*best_classes([probabilities], coarse))[:MOST_RESIDUES]
    probable = confidence(predicted, probabilities[:MOST_RESIDUES], coarse)
    blocks = [
        Block(
            at + 1,
            residues[at : at + BLOCK],
            _runs(observed[at : at + BLOCK], observed[at : at + BLOCK], coarse),
            _runs(predicted[at : at + BLOCK], observed[at : at + BLOCK], coarse),
            _bars(probable[at : at + BLOCK]),
        )
        for at in range(0, len(residues), BLOCK)
    ]
    return ChainDrawing(chain, blocks, len(residues))


def _runs(labels: str, observed: str, scheme: LabelScheme) -> list[Run]:
    looks = [
        (label, label != truth and truth in scheme.letters)
        for label, truth in zip(labels, observed, strict=True)
    ]
    found = []
    for (label, wrong), members in groupby(looks):
        index = scheme.letters.find(label)
        found.append(Run(label * len(list(members)), None if index < 0 else index, wrong))
    return found


def _bars(confidence: npt.NDArray[np.floating]) -> str:
    heights = [round(100 * float(value)) for value in confidence]
    return "".join(f"M{x}.1 100v-{height}h.8v{height}z" for x, height in enumerate(heights))
