"""In-silico mutagenesis: what every single substitution around a site does to its score."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from grubio.inference.predictor import Predictor
from grubio.sequences.alphabet import DNA
from grubio.sequences.record import Record
from grubio.sequences.runs_and_peaks import site_scores

CONTEXT = 150
"""Bases on each side of the changed stretch that the model sees."""


def substitution_effects(
    predictor: Predictor, sequence: str, start: int, width: int, letter: str, flank: int
) -> npt.NDArray[np.float64]:
    """Return the change of a site's score for each substitution, ``(place, base)``.

    The score is the log-odds of the mean probability p of the class over the site,
    ``log2(p / (1 - p))``; the base that is there has change 0. Places run from ``flank`` bases
    before the site to ``flank`` bases after it.

    Parameters
    ----------
    predictor
        The model.
    sequence
        The record that holds the site, in its own direction.
    start, width
        The site. It and its flanks must lie in the record.
    letter
        The class.
    flank
        Bases on each side of the site that are changed too.
    """
    first, last = start - flank, start + width + flank
    low = max(first - CONTEXT, 0)
    text = sequence[low : last + CONTEXT].upper()
    column = predictor.bundle.scheme.letters.index(letter)
    variants = [text]
    places = []
    for place in range(first - low, last - low):
        for base, other in enumerate(DNA.letters):
            if other != text[place]:
                variants.append(text[:place] + other + text[place + 1 :])
                places.append((place - (first - low), base))
    records = (Record(f"variant{n}", "", variant) for n, variant in enumerate(variants))
    scores = [
        _log_odds(
            site_scores(answer.probabilities[start - low : start - low + width, column], width)[0]
        )
        for answer in predictor.predict(records)
    ]
    effects = np.zeros((last - first, DNA.channels))
    for (place, base), score in zip(places, scores[1:], strict=True):
        effects[place, base] = score - scores[0]
    return effects


def _log_odds(probability: float) -> float:
    held = min(max(probability, 1e-7), 1 - 1e-7)
    return float(np.log2(held / (1 - held)))
