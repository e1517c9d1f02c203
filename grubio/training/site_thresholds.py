"""Thresholds of sites: as low as a number of wrong calls on validation blocks allows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from grubio.inference.predictor import Predictor
from grubio.metrics.site_matching import countable_starts, near_a_site, true_sites
from grubio.model.bundle import Site
from grubio.sequences.record import Record, scored_classes
from grubio.sequences.runs_and_peaks import called_radius, peaks, site_scores


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
        Calls in 1,000 labelled bases of the blocks, both strands together, that may lie away from
        any known site. What is near one, and which calls count, is as in the scores:
        :func:`grubio.metrics.site_matching.near_a_site`,
        :func:`grubio.metrics.site_matching.countable_starts`.
    """
    false: dict[str, list[npt.NDArray[np.float64]]] = defaultdict(list)
    bases = 0
    scheme = predictor.bundle.scheme
    for prediction in predictor.predict(records):
        classes = scored_classes(prediction.record, scheme)
        unknown = classes >= scheme.size
        bases += int((~unknown).sum())
        for letter, width in widths.items():
            index = scheme.letters.index(letter)
            scores = site_scores(prediction.probabilities[:, index], width)
            sites, short = true_sites(classes, index, width)
            starts = peaks(scores, called_radius(width))
            starts = starts[countable_starts(short | unknown, width)[starts]]
            false[letter].append(scores[starts[~near_a_site(starts, sites)]])
    # Every block is there as both strands.
    allowed = int(false_positives_per_kb * bases / 2 / 1000)
    return {
        letter: Site(width, _lowest(np.concatenate(false[letter]), allowed))
        for letter, width in widths.items()
    }


def _lowest(false: npt.NDArray[np.float64], allowed: int) -> float:
    ranked = np.sort(false)[::-1]
    if allowed >= len(ranked):
        return 0.0
    # Just above the first false call that is one too many.
    return float(np.nextafter(ranked[allowed], 2.0))
