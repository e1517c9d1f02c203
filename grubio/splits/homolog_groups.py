"""Groups of homologous records: dealt out to splits, removed, audited."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from grubio.config import SplitSettings
from grubio.datasets.audit import AuditRow
from grubio.errors import GrubioError
from grubio.sequences.alphabet import Alphabet
from grubio.sequences.record import Record
from grubio.splits.homology.hit import Hit
from grubio.splits.homology.search import find_hits

# A group larger than this share of a held-out split would crowd it. Of few groups that are all
# larger, those no larger than the split are taken.
_LARGEST_SHARES = (0.2, 1.0)
# E-values grow with the number of residues searched. Groups are found among all records, and the
# audit searches the training records alone; the margin keeps its verdict the same.
_EVALUE_MARGIN = 2

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class HomologSearch:
    """How homologs are searched for: alphabet, settings and threads."""

    alphabet: Alphabet
    settings: SplitSettings
    threads: int

    def hits(self, queries: Mapping[str, str], targets: Mapping[str, str]) -> Iterator[Hit]:
        """Yield alignments of two sets of sequences by id."""
        return find_hits(queries, targets, self.alphabet, self.settings, self.threads)

    def stricter(self) -> HomologSearch:
        """Return a search that finds a little more than the audit will."""
        limit = _EVALUE_MARGIN * self.settings.max_evalue
        return replace(self, settings=self.settings.model_copy(update={"max_evalue": limit}))


def dealt_out(
    records: Sequence[Record], search: HomologSearch, path: Path
) -> tuple[list[Record], int]:
    """Return the records with their group and split, and the number of groups.

    Whole groups go to one split: where one of their records is given, else by size and seed.

    Raises
    ------
    GrubioError
        If every group is too large for a split that is wanted.
    """
    settings, group_of = search.settings, groups_of(records, search)
    members: dict[int, list[Record]] = defaultdict(list)
    for record in records:
        members[group_of[record.id]].append(record)
    split_of = _split_of_groups(members, settings)
    for name, fraction in (("valid", settings.valid_fraction), ("test", settings.test_fraction)):
        if fraction and name not in split_of.values():
            raise GrubioError(
                f"no group of homologs is small enough for split '{name}' "
                f"({len(members)} groups of {len(records)} records)",
                path=path,
                hint="give more diverse records, a larger fraction, or a split column",
            )
    dealt = [
        record.with_split(str(group_of[record.id]), record.split or split_of[group_of[record.id]])
        for record in records
    ]
    return dealt, len(members)


def groups_of(records: Sequence[Record], search: HomologSearch) -> dict[str, int]:
    """Return the number of the group of homologs of each record, by id."""
    sequences = {record.id: record.sequence for record in records}
    limits = search.stricter().settings
    pairs = (
        (hit.query, hit.target)
        for hit in search.hits(sequences, sequences)
        if hit.is_homolog(limits)
    )
    return _group_of(list(sequences), pairs)


def with_one_fold_held_out(
    records: Sequence[Record],
    group_of: Mapping[str, int],
    fold_of: Mapping[str, int],
    fold: int,
    settings: SplitSettings,
    path: Path,
) -> list[Record]:
    """Return the records with group and split: one fold is test, of the others some are valid.

    Of a group with a record in the test set, the others are in train.

    Raises
    ------
    GrubioError
        If nothing is left for train, or for valid although it is wanted.
    """
    tested = {name for name, its in fold_of.items() if its == fold}
    beside = {group_of[name] for name in tested}
    members: dict[int, list[Record]] = defaultdict(list)
    for record in records:
        if group_of[record.id] not in beside:
            members[group_of[record.id]].append(record)
    changed = {"test_fraction": 0.0, "seed": settings.seed + fold}
    split_of = _split_of_groups(members, settings.model_copy(update=changed)) if members else {}
    wanted = ["train", *(["valid"] if settings.valid_fraction else [])]
    found = set(split_of.values())
    if missing := [name for name in wanted if name not in found]:
        raise GrubioError(
            f"nothing is left for split '{missing[0]}' beside fold {fold}: {len(members)} groups "
            "of homologs",
            path=path,
            hint="ask for fewer folds, or give more diverse records",
        )
    return [
        record.with_split(
            str(group_of[record.id]),
            "test" if record.id in tested else split_of.get(group_of[record.id], "train"),
        )
        for record in records
    ]


def without_homologs(
    records: Sequence[Record],
    others: Mapping[str, str],
    is_too_close: Callable[[Hit, SplitSettings], bool],
    search: HomologSearch,
) -> tuple[list[Record], list[AuditRow]]:
    """Return the records that are not too close to any other, and rows about the rest.

    Test records stay.
    """
    ours = {record.id: record.sequence for record in records if record.split != "test"}
    # Ids of the two files are apart, so that an id in both is still compared.
    marked = {f"exclude\t{name}": sequence for name, sequence in others.items()}
    hits = (hit for hit in search.hits(marked, ours) if is_too_close(hit, search.settings))
    nearest = _nearest(((hit.target, hit) for hit in hits), search.settings)
    dropped = [
        _audit_row(record, nearest[record.id], nearest[record.id].query.partition("\t")[2])
        for record in records
        if record.id in nearest
    ]
    return [record for record in records if record.id not in nearest], dropped


def audited(records: Sequence[Record], search: HomologSearch) -> tuple[list[AuditRow], set[str]]:
    """Return a row for each held-out record, and the ids of those with a homolog in train."""
    held = {r.id: r.sequence for r in records if r.split in ("valid", "test")}
    train = {r.id: r.sequence for r in records if r.split == "train"}
    hits = [hit for hit in search.hits(held, train) if hit.is_meaningful(search.settings)]
    nearest = _nearest(((hit.query, hit) for hit in hits), search.settings)
    rows = [
        _audit_row(record, found, found.target if found else "")
        for record in records
        if record.id in held
        for found in (nearest.get(record.id),)
    ]
    return rows, {hit.query for hit in hits if hit.is_homolog(search.settings)}


def _nearest(hits: Iterable[tuple[str, Hit]], settings: SplitSettings) -> dict[str, Hit]:
    # The best hit of each name: a copy, or else a homolog, and of several the most significant one.
    def rank(hit: Hit) -> tuple[bool, bool, float]:
        return not hit.is_copy, not hit.is_homolog(settings), hit.evalue

    nearest: dict[str, Hit] = {}
    for name, hit in hits:
        if name not in nearest or rank(hit) < rank(nearest[name]):
            nearest[name] = hit
    return nearest


def _group_of(names: Sequence[str], pairs: Iterable[tuple[str, str]]) -> dict[str, int]:
    # The number of the group of each name: connected components of the pairs.
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    place = {name: number for number, name in enumerate(names)}
    edges = np.array([(place[a], place[b]) for a, b in pairs], dtype=np.int64).reshape(-1, 2)
    graph = coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), (len(names),) * 2)
    _, labels = connected_components(graph, directed=False)
    return dict(zip(names, labels.tolist(), strict=True))


def _split_of_groups(
    members: Mapping[int, Sequence[Record]], settings: SplitSettings
) -> dict[int, str]:
    sizes = {group: sum(map(len, records)) for group, records in members.items()}
    total = sum(sizes.values())
    shares = {"test": settings.test_fraction * total, "valid": settings.valid_fraction * total}
    given = _given_splits(members)
    free = [group for group in members if group not in given]
    np.random.default_rng(settings.seed).shuffle(free)
    smallest = min(sizes.values())
    for largest in _LARGEST_SHARES:
        split_of = dict(given)
        rest = {
            name: share - sum(sizes[group] for group, split in given.items() if split == name)
            for name, share in shares.items()
        }
        for group in free:
            split_of[group] = "train"
            for name, share in shares.items():
                if rest[name] > 0 and sizes[group] <= max(largest * share, smallest):
                    split_of[group] = name
                    rest[name] -= sizes[group]
                    break
        if all(name in split_of.values() for name, share in shares.items() if share):
            break
    return split_of


def _given_splits(members: Mapping[int, Sequence[Record]]) -> dict[int, str]:
    split_of: dict[int, str] = {}
    for group, records in members.items():
        given = {record.split for record in records if record.split is not None}
        if given:
            split_of[group] = next(name for name in ("test", "valid", "train") if name in given)
        if len(given) > 1:
            logger.warning("warning: homologs are in %s as given", " and ".join(sorted(given)))
    return split_of


def _audit_row(record: Record, hit: Hit | None, nearest: str) -> AuditRow:
    if hit is None:
        return AuditRow(record.id, str(record.split))
    return AuditRow(record.id, str(record.split), nearest, hit.identity, hit.coverage, hit.evalue)
