"""Thresholds of sites: the lowest with an allowed rate of false positives in validation."""

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
        The model; its own thresholds are not used.
    records
        Both strands of labelled blocks of a genome.
    widths
        Bases of a site of each class, by letter.
    false_positives_per_kb
        Allowed calls per 1,000 labelled bases, on both strands together, that are near no known
        site. Calls are counted and matched as for the scores:
        :func:`grubio.metrics.site_matching.countable_starts`,
        :func:`grubio.metrics.site_matching.near_a_site`.
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
    # Each base was counted on both strands.
    allowed = int(false_positives_per_kb * bases / 2 / 1000)
    return {
        letter: Site(width, _lowest(np.concatenate(false[letter]), allowed))
        for letter, width in widths.items()
    }


def _lowest(false: npt.NDArray[np.float64], allowed: int) -> float:
    ranked = np.sort(false)[::-1]
    if allowed >= len(ranked):
        return 0.0
    # Just above the first false call too many.
    return float(np.nextafter(ranked[allowed], 2.0))
