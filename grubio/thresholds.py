"""Thresholds of sites: as low as a number of wrong calls on validation blocks allows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from grubio.bundle import Site
from grubio.inference import Predictor
from grubio.record import Record
from grubio.sites import called_radius, peaks, site_scores

TOLERANCE = 10
"""Bases from a known site within which a call is not wrong."""


def chosen_sites(
    predictor: Predictor,
    records: Iterable[Record],
    widths: Mapping[str, int],
    false_positives_per_kb: float,
) -> dict[str, Site]:
    """Return how each class of fixed width is called.

    Parameters
    ----------
    predictor
        The model; its thresholds are not used.
    records
        Both strands of labelled blocks of a genome.
    widths
        Bases of a site of each class, by letter.
    false_positives_per_kb
        Calls in 1,000 bases of the blocks, both strands together, that may lie more than
        :data:`TOLERANCE` bases from a known site.
    """
    false: dict[str, list[npt.NDArray[np.float64]]] = defaultdict(list)
    bases = 0
    scheme = predictor.bundle.scheme
    for prediction in predictor.predict(records):
        bases += len(prediction.record)
        labels = prediction.record.labels or ""
        for letter, width in widths.items():
            column = scheme.letters.index(letter)
            scores = site_scores(prediction.probabilities[:, column], width)
            starts = peaks(scores, called_radius(width))
            known = _near_known(labels, letter, width)[starts]
            false[letter].append(scores[starts[~known]])
    # Every block is there as both strands.
    allowed = int(false_positives_per_kb * bases / 2 / 1000)
    return {
        letter: Site(width, _lowest(np.concatenate(false[letter]), allowed))
        for letter, width in widths.items()
    }


def _near_known(labels: str, letter: str, width: int) -> npt.NDArray[np.bool_]:
    marked = np.frombuffer(labels.encode("ascii"), dtype=np.uint8) == ord(letter)
    # A call that begins at most this far before or after a known base lies near its site.
    near = np.zeros(len(marked), dtype=bool)
    for place in np.flatnonzero(marked).tolist():
        near[max(0, place - TOLERANCE - width + 1) : place + TOLERANCE + 1] = True
    return near


def _lowest(false: npt.NDArray[np.float64], allowed: int) -> float:
    ranked = np.sort(false)[::-1]
    if allowed >= len(ranked):
        return 0.0
    # Just above the first false call that is one too many.
    return float(np.nextafter(ranked[allowed], 2.0))
