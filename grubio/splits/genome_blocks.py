"""The split of a genome: blocks dealt out whole, both strands together, with gaps between them.

Bases that are close to each other share genes and motifs, so blocks of different splits on one
contig are kept ``gap`` bases apart: what lies between is cut off the block of the lesser split,
train before valid before test. A record that is cut gets the locus that is left as its id. The two
ends of a contig do not count as neighbours, even if it is circular.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from grubio.config import SplitSettings
from grubio.errors import GrubioError
from grubio.sequences.locus import Locus, block_of
from grubio.sequences.record import Record
from grubio.splits.folds import dealt_to_folds

_RANK = {"train": 0, "valid": 1, "test": 2}


@dataclass(frozen=True, slots=True, order=True)
class Block:
    """A part of a contig, half-open."""

    contig: str
    start: int
    end: int

    def __len__(self) -> int:
        """Return the number of bases."""
        return self.end - self.start

    def __str__(self) -> str:
        """Return the group of its records."""
        return f"{self.contig}:{self.start}-{self.end}"


def split_blocks(
    records: Sequence[Record], settings: SplitSettings, path: str | Path
) -> list[Record]:
    """Return the records of a genome in splits, in their order, cut where a gap is needed.

    Blocks that already have a split keep it.

    Parameters
    ----------
    records
        Blocks of contigs, whose ids are loci.
    settings
        Fractions, unit, gap and seed.
    path
        The dataset, for errors.

    Raises
    ------
    GrubioError
        If an id is no locus, blocks overlap, the strands of one have different splits, there are
        too few to be divided, or a gap would leave nothing of one.
    """
    loci = [_locus_of(record, path) for record in records]
    blocks = [Block(locus.contig, locus.start, locus.end) for locus in loci]
    given: dict[Block, str | None] = {}
    for record, block in zip(records, blocks, strict=True):
        if given.setdefault(block, record.split) != record.split:
            raise GrubioError("the other strand is in another split", path=path, record=record.id)
    split_of = _dealt_out(given, settings, path)
    kept = _with_gaps(split_of, settings.gap, path)
    return [
        _cut(record, locus, kept[block], split_of[block])
        for record, locus, block in zip(records, loci, blocks, strict=True)
    ]


def folds_of_genome(
    records: Sequence[Record], settings: SplitSettings, path: Path
) -> Iterator[tuple[list[Record], SplitSettings]]:
    """Yield, for each fold, the records with those of the fold in test, and how to divide the rest.

    Raises
    ------
    GrubioError
        If there are fewer blocks, or contigs, than folds.
    """
    unit_of: dict[str, Hashable] = {}
    sizes: Counter[Hashable] = Counter()
    for record in records:
        locus = _locus_of(record, path)
        block = Block(locus.contig, locus.start, locus.end)
        unit_of[record.id] = block if settings.unit == "block" else block.contig
        sizes[unit_of[record.id]] += len(record)
    fold_of = dealt_to_folds(sizes, settings.folds, settings.seed, path, f"{settings.unit}s")
    for fold in range(1, settings.folds + 1):
        tested = [
            record if fold_of[unit_of[record.id]] != fold else replace(record, split="test")
            for record in records
        ]
        changed = {"test_fraction": 0.0, "seed": settings.seed + fold}
        yield tested, settings.model_copy(update=changed)


def _locus_of(record: Record, path: str | Path) -> Locus:
    try:
        locus = Locus.from_id(record.id)
    except ValueError as error:
        raise GrubioError(str(error), path=path, record=record.id) from error
    if len(locus) != len(record):
        raise GrubioError(
            f"{len(record)} bases, but the locus has {len(locus)}", path=path, record=record.id
        )
    return locus


def _dealt_out(
    given: Mapping[Block, str | None], settings: SplitSettings, path: str | Path
) -> dict[Block, str]:
    unit_of: dict[Block, Hashable] = {
        block: block if settings.unit == "block" else block.contig
        for block in sorted(given)
        if given[block] is None
    }
    sizes: Counter[Hashable] = Counter()
    for block, unit in unit_of.items():
        sizes[unit] += len(block)
    order = list(sizes)
    np.random.default_rng(settings.seed).shuffle(order)
    shares = {"test": settings.test_fraction, "valid": settings.valid_fraction}
    total = sum(map(len, given))
    rest = {
        name: share * total - sum(len(block) for block, split in given.items() if split == name)
        for name, share in shares.items()
    }
    wanted = [name for name, share in shares.items() if share and name not in given.values()]
    home = _homes({unit: sizes[unit] for unit in order}, rest, wanted)
    split_of = {block: split or home[unit_of[block]] for block, split in given.items()}
    for name, share in {"train": 1.0, **shares}.items():
        if share and name not in split_of.values():
            raise GrubioError(
                f"nothing is left for split '{name}': {len(sizes)} {settings.unit}s to deal out",
                path=path,
                hint="cut smaller blocks with grubio prepare --block-length, or give --unit block",
            )
    return split_of


def _homes(
    sizes: Mapping[Hashable, int], rest: dict[str, float], wanted: Iterable[str]
) -> dict[Hashable, str]:
    # The split of each unit, in order: as near to what is left of a share as whole units come.
    home: dict[Hashable, str] = {}
    for unit, size in sizes.items():
        home[unit] = next((name for name in rest if size / 2 < rest[name]), "train")
        if home[unit] in rest:
            rest[home[unit]] -= size
    for name in wanted:
        if name not in home.values():
            # Every unit is larger than twice the share, or another share has taken the small ones.
            in_train = [unit for unit in sizes if home[unit] == "train"]
            others = [unit for unit in sizes if home[unit] != "train"]
            givers = others if len(in_train) == 1 and len(others) > 1 else in_train
            home |= dict.fromkeys(sorted(givers, key=sizes.__getitem__)[:1], name)
    return home


def _with_gaps(
    split_of: Mapping[Block, str], gap: int, path: str | Path
) -> dict[Block, tuple[int, int]]:
    # The bases of each block that are left, half-open.
    blocks = sorted(split_of)
    kept = {block: (block.start, block.end) for block in blocks}
    for one, other in pairwise(blocks):
        if one.contig != other.contig:
            continue
        apart = other.start - one.end
        if apart < 0:
            raise GrubioError("the block overlaps the next one", path=path, record=str(one))
        if split_of[one] == split_of[other] or apart >= gap:
            continue
        if _RANK[split_of[one]] < _RANK[split_of[other]]:
            kept[one] = (kept[one][0], one.end - gap + apart)
        else:
            kept[other] = (other.start + gap - apart, other.end)
    for block, (start, end) in kept.items():
        if start >= end:
            raise GrubioError(
                f"gaps of {gap} bases leave nothing of the {len(block)} bases of {block}",
                path=path,
                hint="give a smaller --gap, or larger blocks: grubio prepare --block-length",
            )
    return kept


def _cut(record: Record, locus: Locus, kept: tuple[int, int], split: str) -> Record:
    start, end = kept
    first, last = start - locus.start, end - locus.start
    if locus.strand == "-":
        first, last = locus.end - end, locus.end - start
    part = locus.part(first, last)
    return replace(
        record,
        id=str(part),
        sequence=record.sequence[first:last],
        labels=record.labels and record.labels[first:last],
        mask=record.mask and record.mask[first:last],
        answers={name: answer[first:last] for name, answer in record.answers.items()},
        group=block_of(part),
        split=split,
    )
