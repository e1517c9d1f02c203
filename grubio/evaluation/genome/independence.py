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
    """Return how much of the test blocks was seen in training or validation.

    ``shared_bases`` of ``bases`` are in training or validation blocks; the nearest of these on the
    same contig is ``nearest`` bases away, None without one. ``repeated_bases`` are repeated in
    training blocks (:mod:`grubio.splits.repeats`), None without any. Bases of double-stranded DNA
    are counted.
    """
    blocks = {block_of(strand.locus): strand for strand in test}
    others = {block_of(strand.locus): strand.locus for strand in (*train, *valid)}
    gaps = [
        max(one.locus.start, other.start) - min(one.locus.end, other.end)
        for one in blocks.values()
        for other in others.values()
        if one.locus.contig == other.contig
    ]
    held = {name: strand.sequence for name, strand in blocks.items()}
    seen = {block_of(strand.locus): strand.sequence for strand in train}
    repeats = repeats_in_training(held, seen.items()).values() if train else []
    return Independence(
        shared_bases=sum(max(-gap, 0) for gap in gaps),
        nearest=max(min(gaps), 0) if gaps else None,
        bases=sum(map(len, held.values())),
        repeated_bases=sum(found.bases for found in repeats) if train else None,
    )
