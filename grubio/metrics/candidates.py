"""Sites of fixed width on the strands of genomes: what is known, and the candidates of a scan.

See :mod:`grubio.metrics.site_matching` for what a site is and which candidates are right.
Candidates are the peaks of the scores of a record, :func:`grubio.sequences.runs_and_peaks.peaks`
with a radius of the width or 10 bases, whichever is more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
from grubio.sequences.locus import Locus
from grubio.sequences.record import Record
from grubio.sequences.runs_and_peaks import called_radius, peaks
from grubio.sequences.scheme import LabelScheme
from grubio.sequences.scored_classes import scored_classes

NEAR = 300
"""Bases around a known site that count as near it."""

_STRAND_REACH = 10


@dataclass(frozen=True)
class LabelledStrand:
    """One strand of a block, as it was labelled.

    Attributes
    ----------
    locus
        Where it lies.
    sequence
        Its bases, in its own direction.
    classes
        Class of each base, uint8 ``(base,)``; no class of the scheme where it does not count.
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
    """What is known about the sites of one class. Lists hold one item per strand.

    Attributes
    ----------
    width
        Bases of a site.
    starts
        Offsets of the true sites, int64 ``(site,)``, in order.
    countable
        Whether a candidate that starts there is right or wrong, bool ``(start,)``.
    near
        Whether a base lies within :data:`NEAR` bases of a true site of either strand of the block,
        bool ``(base,)``.
    """

    width: int
    starts: list[Starts]
    countable: list[Mask]
    near: list[Mask]


@dataclass(frozen=True)
class Candidates:
    """The candidates of a scan that count; all arrays are ``(candidate,)``.

    Attributes
    ----------
    strand, block
        Index of the strand and of its block.
    start
        Offset into the strand.
    score
        The better the higher.
    near
        Whether it starts within :data:`NEAR` bases of a true site.
    right
        Whether it is right, by tolerance.
    known
        Whether a true site starts within the largest tolerance, taken or not.
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
        If the id of a record is no locus, does not fit its sequence, or occurs twice.
    """
    placed: list[tuple[Locus, int]] = []
    for index, record in enumerate(records):
        try:
            locus = Locus.from_id(record.id)
        except ValueError as error:
            raise GrubioError(str(error), record=record.id) from error
        if len(locus) != len(record):
            raise GrubioError(
                f"the locus has {len(locus)} bases, the sequence {len(record)}", record=record.id
            )
        placed.append((locus, index))
    placed.sort()
    place_of = {locus: place for place, (locus, _) in enumerate(placed)}
    if len(place_of) < len(placed):
        raise GrubioError("a locus occurs twice among the records")
    blocks: dict[tuple[str, int, int], int] = {}
    strands = []
    for locus, index in placed:
        other = Locus(locus.contig, locus.start, locus.end, "-" if locus.strand == "+" else "+")
        block = blocks.setdefault((locus.contig, locus.start, locus.end), len(blocks))
        classes = scored_classes(records[index], scheme)
        strands.append(
            LabelledStrand(locus, records[index].sequence, classes, block, place_of.get(other))
        )
    return strands, [index for _, index in placed]


def site_truth(
    strands: Sequence[LabelledStrand], index: int, width: int, classes: int
) -> SiteTruth:
    """Return what is known about the sites of the class ``index`` of ``classes``."""
    starts, countable = [], []
    blocks = 1 + max((strand.block for strand in strands), default=-1)
    near_of_block: list[Mask | None] = [None] * blocks
    for strand in strands:
        found, short = true_sites(strand.classes, index, width)
        starts.append(found)
        countable.append(countable_starts(short | (strand.classes >= classes), width))
        near = near_of_block[strand.block]
        if near is None:
            near = near_of_block[strand.block] = np.zeros(len(strand.locus), dtype=bool)
        for start in found:
            site = strand.locus.part(int(start), int(start) + width)
            first = site.start - strand.locus.start
            near[max(first - NEAR, 0) : first + width + NEAR] = True
    nears = []
    for strand in strands:
        near = near_of_block[strand.block]
        assert near is not None
        nears.append(near if strand.locus.strand == "+" else near[::-1])
    return SiteTruth(width, starts, countable, nears)


def find_candidates(
    strands: Sequence[LabelledStrand], scores: Sequence[Floats], truth: SiteTruth
) -> Candidates:
    """Return the candidates of a scan with their outcome.

    Parameters
    ----------
    strands
        What was scanned.
    scores
        Score of a site that starts at each base, ``(start,)``, for each strand.
    truth
        The known sites.
    """
    parts = []
    for number, values in enumerate(scores):
        starts = peaks(values, called_radius(truth.width))
        starts = starts[truth.countable[number][starts]]
        values = values[starts]
        sites = truth.starts[number]
        right = {d: matched(starts, values, sites, d) for d in TOLERANCES}
        known = near_a_site(starts, sites)
        parts.append((starts, values, truth.near[number][starts], right, known))
    sizes = [len(part[0]) for part in parts]
    return Candidates(
        strand=np.repeat(np.arange(len(strands)), sizes),
        block=np.repeat(np.array([s.block for s in strands], dtype=np.int64), sizes),
        start=np.concatenate([part[0] for part in parts]),
        score=np.concatenate([part[1] for part in parts]),
        near=np.concatenate([part[2] for part in parts]),
        right={d: np.concatenate([part[3][d] for part in parts]) for d in TOLERANCES},
        known=np.concatenate([part[4] for part in parts]),
    )


def strand_outcomes(
    strands: Sequence[LabelledStrand], scores: Sequence[Floats], truth: SiteTruth
) -> list[tuple[int, bool]]:
    """Return, for each true site whose other strand was scanned, its block and the outcome.

    It is true if the best score within 10 bases is higher on the annotated strand than at the
    same place on the other one.
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
    # Not infinite: scikit-learn refuses that.
    edge = np.full(width - 1, np.finfo(np.float32).min, dtype=np.float64)
    padded = np.concatenate((edge, scores, edge))
    if not len(scores):
        return np.full(bases, np.finfo(np.float32).min, dtype=np.float64)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, width).max(axis=1))


def _best_around(scores: Floats, start: int) -> float:
    return float(scores[max(start - _STRAND_REACH, 0) : start + _STRAND_REACH + 1].max())
