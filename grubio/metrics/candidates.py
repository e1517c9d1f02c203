"""Sites of fixed width on the strands of genomes: what is known, and the candidates of a scan.

:mod:`grubio.metrics.site_matching` defines sites and which candidates are right. Candidates are the
:func:`grubio.sequences.runs_and_peaks.peaks` of the scores of a strand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from grubio.errors import GrubioError
from grubio.metrics.bootstrap import Floats
from grubio.metrics.site_matching import (
    TOLERANCES,
    Classes,
    Mask,
    Starts,
    countable_starts,
    matched,
    near_a_site,
    true_sites,
)
from grubio.sequences.locus import Locus, block_of
from grubio.sequences.record import Record, scored_classes
from grubio.sequences.runs_and_peaks import called_radius, peaks
from grubio.sequences.scheme import LabelScheme

NEAR = 300
"""Bases around a known site that count as near it."""

_STRAND_REACH = 10


@dataclass(frozen=True)
class LabelledStrand:
    """One labelled strand of a block.

    Attributes
    ----------
    locus
        Where it lies.
    sequence
        Its bases, from 5' to 3'.
    classes
        Class of each base, uint8 ``(base,)``; not below the number of classes where a base does not
        count.
    block
        Index of the block, in the order of loci.
    mate
        Index of the other strand of the block among all strands, or None.
    """

    locus: Locus
    sequence: str
    classes: Classes
    block: int
    mate: int | None


PlacedStrands = tuple[list[LabelledStrand], list[int]]
"""Strands in the order of their loci, and the index of the record of each."""


@dataclass(frozen=True)
class SiteTruth:
    """The known sites of one class. Lists have one item per strand.

    Attributes
    ----------
    width
        Bases of a site.
    starts
        Offsets of the true sites, int64 ``(site,)``, in order.
    countable
        Whether a candidate that starts at a base counts, as right or as wrong, bool ``(start,)``.
    near
        Whether a base is within :data:`NEAR` bases of a true site on either strand of the block,
        bool ``(base,)``.
    """

    width: int
    starts: list[Starts]
    countable: list[Mask]
    near: list[Mask]


@dataclass(frozen=True)
class Candidates:
    """The candidates of a scan that count; arrays are ``(candidate,)``.

    Attributes
    ----------
    strand, block
        Index of the strand and of its block.
    start
        Offset into the strand.
    score
        Higher is better.
    near
        Whether it starts within :data:`NEAR` bases of a true site.
    right
        Whether it is right, by tolerance.
    known
        Whether a true site starts within the largest tolerance, even one taken by another.
    """

    strand: Starts
    block: Starts
    start: Starts
    score: Floats
    near: Mask
    right: dict[int, Mask]
    known: Mask


def strands_of(records: Sequence[Record], scheme: LabelScheme) -> PlacedStrands:
    """Return the strands in the order of their loci, and the index of the record of each.

    Raises
    ------
    GrubioError
        If the id of a record is no locus or does not fit its sequence, or a locus occurs twice.
    """
    loci = []
    for record in records:
        try:
            locus = Locus.from_id(record.id)
        except ValueError as error:
            raise GrubioError(str(error), record=record.id) from error
        if len(locus) != len(record):
            raise GrubioError(
                f"the locus has {len(locus)} bases, the sequence {len(record)}", record=record.id
            )
        loci.append(locus)
    order = sorted(range(len(loci)), key=loci.__getitem__)
    place_of = {loci[index]: place for place, index in enumerate(order)}
    if len(place_of) < len(loci):
        raise GrubioError("a locus occurs twice among the records")
    blocks: dict[str, int] = {}
    strands = []
    for index in order:
        locus, record = loci[index], records[index]
        block = blocks.setdefault(block_of(locus), len(blocks))
        mate = place_of.get(replace(locus, strand="-" if locus.strand == "+" else "+"))
        classes = scored_classes(record, scheme)
        strands.append(LabelledStrand(locus, record.sequence, classes, block, mate))
    return strands, order


def site_truth(
    strands: Sequence[LabelledStrand], index: int, width: int, classes: int
) -> SiteTruth:
    """Return the known sites of the class ``index`` of ``classes``."""
    starts, countable = [], []
    # On the plus strand, by block.
    near: dict[int, Mask] = {}
    for strand in strands:
        found, short = true_sites(strand.classes, index, width)
        starts.append(found)
        countable.append(countable_starts(short | (strand.classes >= classes), width))
        reached = near.setdefault(strand.block, np.zeros(len(strand.locus), dtype=bool))
        reached = reached[:: 1 if strand.locus.strand == "+" else -1]
        for start in found:
            reached[max(start - NEAR, 0) : start + width + NEAR] = True
    return SiteTruth(
        width,
        starts,
        countable,
        [near[s.block][:: 1 if s.locus.strand == "+" else -1] for s in strands],
    )


def find_candidates(
    strands: Sequence[LabelledStrand],
    scores: Sequence[Floats],
    truth: SiteTruth,
    radius: int | None = None,
) -> Candidates:
    """Return the candidates of a scan, and which of them are right.

    Parameters
    ----------
    strands
        What was scanned.
    scores
        Score of a site that starts at each base, ``(start,)``, for each strand.
    truth
        The known sites.
    radius
        Bases within which a better candidate takes the place of another; by default as sites are
        called where nothing else is known.
    """
    radius = called_radius(truth.width) if radius is None else radius
    parts = []
    for values, countable, near, sites in zip(
        scores, truth.countable, truth.near, truth.starts, strict=True
    ):
        starts = peaks(values, radius)
        starts = starts[countable[starts]]
        right = [matched(starts, values[starts], sites, d) for d in TOLERANCES]
        parts.append((starts, values[starts], near[starts], near_a_site(starts, sites), *right))
    start, score, near, known, *right = map(np.concatenate, zip(*parts, strict=True))
    sizes = [len(part[0]) for part in parts]
    return Candidates(
        strand=np.repeat(np.arange(len(strands)), sizes),
        block=np.repeat(np.array([s.block for s in strands], dtype=np.int64), sizes),
        start=start,
        score=score,
        near=near,
        right=dict(zip(TOLERANCES, right, strict=True)),
        known=known,
    )


def strand_outcomes(
    strands: Sequence[LabelledStrand], scores: Sequence[Floats], truth: SiteTruth
) -> list[tuple[int, bool]]:
    """Return for each true site, if both strands were scanned, its block and the outcome.

    The outcome is true if the best score within 10 bases is higher on the annotated strand than at
    the same place on the other one.
    """
    outcomes = []
    for number, strand in enumerate(strands):
        if strand.mate is None:
            continue
        for start in truth.starts[number]:
            mirrored = len(strand.locus) - int(start) - truth.width
            own = _best_around(scores[number], int(start))
            outcomes.append((strand.block, own > _best_around(scores[strand.mate], mirrored)))
    return outcomes


def base_scores(scores: Floats, width: int, bases: int) -> Floats:
    """Return the best score of the sites that cover each base, ``(base,)``.

    Examples
    --------
    >>> base_scores(np.array([0.1, 0.7, 0.2]), 2, 4).tolist()
    [0.1, 0.7, 0.7, 0.2]
    """
    # Not minus infinity, which scikit-learn refuses.
    least = float(np.finfo(np.float32).min)
    if not len(scores):
        return np.full(bases, least)
    padded = np.pad(scores, width - 1, constant_values=least)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, width).max(axis=1))


def _best_around(scores: Floats, start: int) -> float:
    return float(scores[max(start - _STRAND_REACH, 0) : start + _STRAND_REACH + 1].max())
