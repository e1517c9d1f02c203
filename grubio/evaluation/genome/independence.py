"""Whether the test blocks of a genome are independent of those of training and validation."""

from __future__ import annotations

from collections.abc import Sequence

from grubio.metrics.candidates import LabelledStrand
from grubio.runs.metrics import Independence
from grubio.sequences.locus import block_of
from grubio.splits.repeats import repeats_in_training


def independence(
    test: Sequence[LabelledStrand], train: Sequence[LabelledStrand], valid: Sequence[LabelledStrand]
) -> Independence:
    """Return what of the test blocks was seen in training or validation.

    ``shared_bases`` of ``bases`` lie in training or validation blocks, the nearest of which is
    ``nearest`` bases away, None without one on the same contig; ``repeated_bases`` are repeated in
    training blocks elsewhere (:mod:`grubio.splits.repeats`), None without training blocks. Bases of
    double-stranded DNA are counted.
    """
    shared, nearest = 0, None
    blocks = {(s.locus.contig, s.locus.start, s.locus.end): s.sequence for s in test}
    there = {(s.locus.contig, s.locus.start, s.locus.end) for s in (*train, *valid)}
    for locus in blocks:
        for other in there:
            if other[0] == locus[0]:
                gap = max(other[1], locus[1]) - min(other[2], locus[2])
                shared += max(-gap, 0)
                nearest = max(gap, 0) if nearest is None else min(nearest, max(gap, 0))
    repeated = None
    if train:
        held = {str(locus): sequence for locus, sequence in blocks.items()}
        seen = {block_of(strand.locus): strand.sequence for strand in train}
        repeated = sum(r.bases for r in repeats_in_training(held, seen.items()).values())
    return Independence(
        shared_bases=shared,
        nearest=nearest,
        bases=sum(map(len, blocks.values())),
        repeated_bases=repeated,
    )
