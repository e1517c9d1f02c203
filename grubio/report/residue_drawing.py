"""Chains drawn residue by residue: what was observed, what was predicted, how sure the model was.

A drawing is a list of blocks of ten residues, which the page lays out in lines of as many blocks
as fit: six on a screen, three on a phone.
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
from grubio.sequences.scheme import UNKNOWN_LABEL, LabelScheme

BLOCK = 10
MOST_RESIDUES = 1200
"""A longer chain is drawn up to here."""

_FEWEST_SCORED = 30


@dataclass(frozen=True)
class Run:
    """Neighbouring residues that look the same: one class, all of them right or all wrong."""

    letters: str
    class_index: int | None
    wrong: bool = False


@dataclass(frozen=True)
class Block:
    """Ten residues (or fewer, at the end).

    Attributes
    ----------
    start
        1-based position of the first residue.
    residues
        Their letters.
    observed, predicted
        Their classes.
    bars
        Path data of one bar per residue in a box of ``BLOCK`` by 100; its height is the
        confidence in percent.
    """

    start: int
    residues: str
    observed: list[Run]
    predicted: list[Run]
    bars: str


@dataclass(frozen=True)
class ChainDrawing:
    """One chain as drawn.

    Attributes
    ----------
    chain
        Its scores.
    blocks
        Its residues.
    drawn
        How many residues the blocks hold.
    """

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

    Chains with fewer than 30 scored residues are passed over: chance rules there. No chain is in
    both lists.
    """
    ranked = _ranked(chains)
    count = min(count, len(ranked) // 2)
    return ranked[:count], ranked[len(ranked) - count :][::-1]


def typical(chains: Sequence[ChainScore]) -> list[ChainScore]:
    """Return the chain of the middle score, of those with 30 scored residues; none if none has."""
    ranked = _ranked(chains)
    return ranked[len(ranked) // 2 :][:1]


def draw_chains(
    predictions: Path, scheme: LabelScheme, chains: Sequence[ChainScore]
) -> list[ChainDrawing]:
    """Draw chains from a file of test predictions, in the classes of the headline score.

    Parameters
    ----------
    predictions
        ``test_predictions.parquet``.
    scheme
        The scheme of the probabilities in it.
    chains
        Which chains, and in what order. Those that the file lacks are left out.

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
    probabilities = prediction.probabilities[:MOST_RESIDUES]
    coarse = scheme.headline
    if coarse is not scheme:
        probabilities = probabilities @ scheme.reduction_matrix(coarse)
        observed = "".join(scheme.reduction.get(letter, UNKNOWN_LABEL) for letter in observed)
    predicted = coarse.decode(probabilities.argmax(axis=1))
    confidence = probabilities.max(axis=1)
    blocks = []
    for at in range(0, len(residues), BLOCK):
        here = slice(at, at + BLOCK)
        blocks.append(
            Block(
                at + 1,
                residues[here],
                _runs(observed[here], observed[here], coarse),
                _runs(predicted[here], observed[here], coarse),
                _bars(confidence[here]),
            )
        )
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
