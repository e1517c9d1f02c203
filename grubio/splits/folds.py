"""Folds of a cross-validation: units dealt out so that the folds are of like size.

A unit is a group of homologs, or a block or contig of a genome; it is in one fold as a whole.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from grubio.errors import GrubioError
from grubio.sequences.record import Record

UnitT = TypeVar("UnitT", bound=Hashable)


def fold_path(path: Path, fold: int) -> Path:
    """Return the path of what belongs to a fold.

    Examples
    --------
    >>> fold_path(Path("data/split.parquet"), 2).name
    'split-fold2.parquet'
    """
    return path.with_name(f"{path.stem}-fold{fold}{path.suffix}")


def dealt_to_folds(
    sizes: Mapping[UnitT, int],
    folds: int,
    seed: int,
    path: Path,
    what: str,
    given: Mapping[UnitT, int] | None = None,
) -> dict[UnitT, int]:
    """Return the fold of each unit, 1 to ``folds``: the largest first, each to the smallest fold.

    Parameters
    ----------
    sizes
        Residues of each unit.
    folds
        How many folds.
    seed
        Decides among units of one size.
    path
        The dataset, for errors.
    what
        What the units are, for errors.
    given
        Units that are in a fold already.

    Raises
    ------
    GrubioError
        If there are fewer units than folds.
    """
    if len(sizes) < folds:
        raise GrubioError(
            f"has {len(sizes)} {what}, which cannot fill {folds} folds",
            path=path,
            hint=f"ask for at most {len(sizes)} folds, or give more diverse data",
        )
    fold_of = dict(given or {})
    totals = [0] * folds
    for unit, fold in fold_of.items():
        totals[fold - 1] += sizes[unit]
    free = [unit for unit in sizes if unit not in fold_of]
    np.random.default_rng(seed).shuffle(free)
    for unit in sorted(free, key=sizes.__getitem__, reverse=True):
        fold_of[unit] = 1 + totals.index(min(totals))
        totals[fold_of[unit] - 1] += sizes[unit]
    return fold_of


def own_folds(records: Sequence[Record], folds: int, path: Path) -> dict[str, int]:
    """Return the fold of each record that has one, by id; names of folds are sorted as numbers.

    Raises
    ------
    GrubioError
        If the records have another number of folds than was asked for.
    """
    names = sorted({r.fold for r in records if r.fold is not None}, key=_natural)
    if names and len(names) != folds:
        raise GrubioError(
            f"its column fold has {len(names)} folds ({', '.join(names)[:100]}), and {folds} were "
            "asked for",
            path=path,
            hint=f"ask for {len(names)} folds, or leave out the column",
        )
    numbers = {name: number for number, name in enumerate(names, start=1)}
    return {record.id: numbers[record.fold] for record in records if record.fold is not None}


def folds_of_groups(
    records: Sequence[Record],
    group_of: Mapping[str, int],
    folds: int,
    seed: int,
    path: Path,
) -> dict[str, int]:
    """Return the fold of each record by id: its own one, that of its group, or as dealt out.

    Raises
    ------
    GrubioError
        As for :func:`dealt_to_folds` and :func:`own_folds`.
    """
    own = own_folds(records, folds, path)
    sizes: Counter[int] = Counter()
    given: dict[int, int] = {}
    for record in records:
        group = group_of[record.id]
        sizes[group] += len(record)
        if record.id in own:
            given.setdefault(group, own[record.id])
    if len(own) < len(records):
        given = dealt_to_folds(sizes, folds, seed, path, "groups of homologs", given)
    return {record.id: own.get(record.id) or given[group_of[record.id]] for record in records}


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part) if part.isdigit() else -1, part) for part in re.split(r"(\d+)", name)]
