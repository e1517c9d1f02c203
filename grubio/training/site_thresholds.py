"""How sites are called, chosen on validation blocks: how far apart, and from which score on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from grubio.datasets.parquet import DatasetHeader, read_records
from grubio.inference.predictor import Predictor
from grubio.metrics.classification import binned_average_precision
from grubio.metrics.site_matching import countable_starts, matched, near_a_site, true_sites
from grubio.metrics.sites import HEADLINE_TOLERANCE, ranked_counts
from grubio.model.bundle import Bundle, Site
from grubio.sequences.record import Record, scored_classes
from grubio.sequences.runs_and_peaks import called_radius, peaks, site_scores

_LEAST_GAIN = 0.002
"""Average precision that sites close to each other have to add on validation blocks."""


def genome_sites(
    bundle: Bundle,
    dataset: Path,
    header: DatasetHeader,
    false_positives_per_kb: float,
    threads: int | None,
) -> dict[str, Site] | None:
    """Return how a calibrated model calls sites, for a genome; None for sequences.

    They are chosen on the validation blocks of the dataset (:func:`chosen_sites`).
    """
    if header.kind != "genome":
        return None
    predictor = Predictor(replace(bundle, sites={}), "cpu", threads)
    blocks = read_records(dataset, "valid")
    return chosen_sites(predictor, blocks, header.sites or {}, false_positives_per_kb)


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

    Sites are called as close to each other as their own width, if that ranks the validation sites
    better than ten bases: where the network knows their place exactly, neighbours are sites of
    their own, as of introns with two acceptors, and otherwise they are one site that is blurred.
    """
    scans = {
        (letter, radius): _Scan([], [], [])
        for letter, width in widths.items()
        for radius in (called_radius(width), width)
    }
    known: dict[str, int] = defaultdict(int)
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
            countable = countable_starts(short | unknown, width)
            known[letter] += int(countable[sites].sum())
            for radius in {called_radius(width), width}:
                starts = peaks(scores, radius)
                starts = starts[countable[starts]]
                scan = scans[letter, radius]
                scan.scores.append(scores[starts])
                scan.right.append(matched(starts, scores[starts], sites, HEADLINE_TOLERANCE))
                scan.false.append(scores[starts[~near_a_site(starts, sites)]])
    # Each base was counted on both strands.
    allowed = int(false_positives_per_kb * bases / 2 / 1000)
    chosen = {}
    for letter, width in widths.items():
        usual, close = scans[letter, called_radius(width)], scans[letter, width]
        gain = close.precision(known[letter]) - usual.precision(known[letter])
        apart = width if gain > _LEAST_GAIN else None
        false = np.concatenate((usual if apart is None else close).false)
        chosen[letter] = Site(width, _lowest(false, allowed), apart)
    return chosen


class _Scan(NamedTuple):
    """Scores of the candidates of a class, whether they are right, and scores of the wrong ones."""

    scores: list[npt.NDArray[np.float64]]
    right: list[npt.NDArray[np.bool_]]
    false: list[npt.NDArray[np.float64]]

    def precision(self, known: int) -> float:
        """Return the average precision, with so many known sites."""
        scores, right = np.concatenate(self.scores), np.concatenate(self.right)
        counts = ranked_counts(scores, right, np.zeros(len(scores), dtype=np.int64), 1)
        return float(binned_average_precision(counts[0], np.array(known))) if known else 0.0


def _lowest(false: npt.NDArray[np.float64], allowed: int) -> float:
    ranked = np.sort(false)[::-1]
    if allowed >= len(ranked):
        return 0.0
    # Just above the first false call too many.
    return float(np.nextafter(ranked[allowed], 2.0))
