"""In-silico mutagenesis: the effect of every single substitution around a site on its score."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import logit

from grubio.inference.predictor import Predictor
from grubio.sequences.alphabet import DNA
from grubio.sequences.record import Record
from grubio.sequences.runs_and_peaks import site_scores

CONTEXT = 150
"""Bases that the model sees on either side of the mutated region."""


def substitution_effects(
    predictor: Predictor, sequence: str, start: int, width: int, letter: str, flank: int
) -> npt.NDArray[np.float64]:
    """Return the change of a site's score for each substitution, ``(place, base)``.

    The score is the log-odds of the mean probability p of the class over the site,
    ``log2(p / (1 - p))``; the reference base has change 0. Places run from ``flank`` bases before
    the site to ``flank`` bases after it.

    Parameters
    ----------
    predictor
        The model.
    sequence
        The record with the site, on the strand of the site.
    start, width
        The site. It and its flanks must lie within the record.
    letter
        The class.
    flank
        Bases on either side of the site that are mutated as well.
    """
    first, last = start - flank, start + width + flank
    low = max(first - CONTEXT, 0)
    text = sequence[low : last + CONTEXT].upper()
    column = predictor.bundle.scheme.letters.index(letter)
    reference = text[first - low : last - low]
    changes = [
        (place, base)
        for place, present in enumerate(reference)
        for base, other in enumerate(DNA.letters)
        if other != present
    ]
    variants = [text]
    for place, base in changes:
        at = first - low + place
        variants.append(text[:at] + DNA.letters[base] + text[at + 1 :])
    site = slice(start - low, start - low + width)
    probabilities = [
        site_scores(answer.probabilities[site, column], width)[0]
        for answer in predictor.predict(
            Record(f"variant{n}", "", variant) for n, variant in enumerate(variants)
        )
    ]
    held = np.clip(np.array(probabilities, dtype=np.float64), 1e-7, 1 - 1e-7)
    log_odds = logit(held) / np.log(2)
    effects = np.zeros((last - first, DNA.channels))
    effects[tuple(np.transpose(changes))] = log_odds[1:] - log_odds[0]
    return effects
