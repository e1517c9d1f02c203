"""The split: records divided into train, valid and test without homologs between them.

Blocks of a genome are divided by place; see :mod:`grubio.splits.genome_blocks`.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from grubio.config import SplitSettings
from grubio.datasets.audit import AuditRow, write_audit
from grubio.datasets.parquet import SPLITS, DatasetHeader, read_header, read_records, write_dataset
from grubio.errors import GrubioError
from grubio.files import sha256_of_file
from grubio.model.devices import available_threads
from grubio.overwriting import keeps_inputs, refuse_input
from grubio.readers.fasta import read_fasta
from grubio.sequences.record import Record
from grubio.splits.folds import fold_path, folds_of_groups
from grubio.splits.genome_blocks import folds_of_genome, split_blocks
from grubio.splits.homolog_groups import (
    HomologSearch,
    audited,
    dealt_out,
    groups_of,
    with_one_fold_held_out,
    without_homologs,
)
from grubio.splits.homology.hit import Hit
from grubio.splits.homology.search import chosen_method
from grubio.splits.repeats import repeats_in_training

_CORRECTIONS = 5

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SplitSummary:
    """The result of a split.

    Attributes
    ----------
    method
        ``mmseqs`` or ``kmer``; of a genome, ``block`` or ``contig``.
    records, residues
        Number by split.
    groups
        Number of groups of homologs, or None if every split was given.
    removed
        Records that were dropped as homologs of the excluded ones.
    leaks
        Records by split, ``test`` and ``valid``, that have a homolog in ``train``.
    gap_bases
        Of a genome, the bases of both strands that were cut off beside another split.
    repeated
        Of a genome, by split, ``test`` and ``valid``: bases of double-stranded DNA that are
        repeated in ``train``, and all bases. None without an audit.
    """

    method: str
    records: Mapping[str, int]
    residues: Mapping[str, int]
    groups: int | None
    removed: int
    leaks: Mapping[str, int]
    gap_bases: int = 0
    repeated: Mapping[str, tuple[int, int]] | None = None


@keeps_inputs("dataset", "exclude", "train_also", outputs=("output", "audit", "removed"))
def split_dataset(
    dataset: Path,
    output: Path,
    settings: SplitSettings,
    *,
    audit: Path | None = None,
    exclude: Path | None = None,
    train_also: Sequence[Path] = (),
    removed: Path | None = None,
    threads: int | None = None,
) -> SplitSummary:
    """Fill the columns ``group`` and ``split`` of a dataset and audit the result.

    Records that already have a split keep it, and their homologs follow them. Records without one
    are joined into groups of homologs, and whole groups are dealt out by residues. A genome is
    divided by place instead (:mod:`grubio.splits.genome_blocks`), and no homologs are looked for;
    its audit counts the bases that are repeated in training blocks.

    Parameters
    ----------
    dataset, output
        Datasets to read and to write.
    settings
        Fractions, thresholds, method, seed.
    audit
        Table to write: the nearest training record of each valid and test record.
    exclude
        FASTA; records of train and valid that a significant or similar alignment, however short,
        joins with one of its records are dropped.
    train_also
        Datasets whose records join the training records: all but their own test records and those
        with a homolog among the valid, test or excluded records. Their labels may be of the scheme
        that this dataset's reduces to.
    removed
        Table to write: what was dropped, with the nearest excluded or held-out record.
    threads
        CPU threads of MMseqs2.

    Raises
    ------
    GrubioError
        If the dataset is at fault or too uniform to be divided.
    """
    header = read_header(dataset)
    records = _records_of(dataset, header)
    if settings.folds:
        raise GrubioError("folds: one split was asked for", hint="split_into_folds writes folds")
    if header.kind == "genome":
        _refuse_others(dataset, exclude, train_also)
        return _split_genome(records, header, settings, dataset, _Files(output, audit, removed))
    search = HomologSearch(header.alphabet, settings, threads or available_threads())
    given = {record.id for record in records if record.split is not None}
    groups = None
    if len(given) < len(records):
        records, groups = dealt_out(records, search, dataset)
    files = _Files(output, audit, removed, exclude, tuple(train_also))
    return _completed(records, given, header, search, files, groups)


@keeps_inputs("dataset", "exclude", "train_also", outputs=("output", "audit", "removed"))
def split_into_folds(
    dataset: Path,
    output: Path,
    settings: SplitSettings,
    *,
    audit: Path | None = None,
    exclude: Path | None = None,
    train_also: Sequence[Path] = (),
    removed: Path | None = None,
    threads: int | None = None,
) -> list[SplitSummary]:
    """Write a split dataset for each fold of a cross-validation, with that fold as its test set.

    Records are in the fold that their column ``fold`` names. Without one, whole groups of homologs
    are dealt out, or blocks of a genome, so that the folds are of like size. Of what is not tested,
    ``valid_fraction`` is for validation. Each fold has its own audit.

    The parameters are those of :func:`split_dataset`; the files of fold 1 are named as
    :func:`grubio.splits.folds.fold_path` says: ``split-fold1.parquet``, ``audit-fold1.tsv``.

    Raises
    ------
    GrubioError
        As for :func:`split_dataset`; if there are fewer groups or blocks than folds, records have
        another number of folds, or have a split already.
    """
    header = read_header(dataset)
    records = _records_of(dataset, header)
    for record in records:
        if record.split is not None:
            raise GrubioError(
                f"is in split '{record.split}' already, and folds divide all records",
                path=dataset,
                record=record.id,
                hint="leave out the column split, or --folds",
            )
    numbers = range(1, settings.folds + 1)
    outputs = [
        _Files(
            fold_path(output, fold),
            audit and fold_path(audit, fold),
            removed and fold_path(removed, fold),
            exclude,
            tuple(train_also),
        )
        for fold in numbers
    ]
    for files in outputs:
        for path in filter(None, (files.output, files.audit, files.removed)):
            refuse_input(path)
    if header.kind == "genome":
        _refuse_others(dataset, exclude, train_also)
        return [
            _split_genome(part, header, one, dataset, files)
            for (part, one), files in zip(
                folds_of_genome(records, settings, dataset), outputs, strict=True
            )
        ]
    search = HomologSearch(header.alphabet, settings, threads or available_threads())
    group_of = groups_of(records, search)
    fold_of = folds_of_groups(records, group_of, settings.folds, settings.seed, dataset)
    kept_apart = all(record.fold is None for record in records)
    groups = len(set(group_of.values()))
    summaries = []
    for fold, files in zip(numbers, outputs, strict=True):
        part = with_one_fold_held_out(records, group_of, fold_of, fold, settings, dataset)
        tested = {record.id for record in part if record.split == "test"}
        summaries.append(
            _completed(part, tested, header, search, files, groups, kept_apart=kept_apart)
        )
    return summaries


class _Files(NamedTuple):
    """What a split writes, and what else it reads."""

    output: Path
    audit: Path | None
    removed: Path | None
    exclude: Path | None = None
    train_also: tuple[Path, ...] = ()


def _completed(
    records: list[Record],
    given: Collection[str],
    header: DatasetHeader,
    search: HomologSearch,
    files: _Files,
    groups: int | None,
    *,
    kept_apart: bool = False,
) -> SplitSummary:
    # With what joins and without what is excluded, audited and written. If ``kept_apart``, what is
    # too close to a test record after all is dropped from train.
    given, sources, dropped = set(given), dict(header.sources), list[AuditRow]()
    for path in files.train_also:
        joined = read_header(path)
        sources |= joined.sources
        guests, close = _guests(path, joined, header, records, search)
        given |= {guest.id for guest in guests}
        records += guests
        dropped += close
        header = replace(header, soft_labels=header.soft_labels or joined.soft_labels)
    if files.exclude is not None:
        sources[files.exclude.name] = sha256_of_file(files.exclude)
        records, found = _without_excluded(records, files.exclude, search)
        dropped += found
    records, rows, leaks = _corrected(records, given, search)
    if kept_apart and leaks["test"]:
        tested = {record.id: record.sequence for record in records if record.split == "test"}
        records, close = without_homologs(records, tested, Hit.is_homolog, search.stricter())
        dropped += close
        records, rows, leaks = _corrected(records, given, search)
    if any(leaks.values()):
        logger.warning(
            "warning: %d test and %d valid records have a homolog in train",
            leaks["test"],
            leaks["valid"],
        )
    if files.audit is not None:
        write_audit(files.audit, rows)
    if files.removed is not None:
        write_audit(files.removed, dropped)
    write_dataset(files.output, replace(header, sources=sources), records)
    method = chosen_method(search.settings, {record.id: record.sequence for record in records})
    return SplitSummary(method, *_sizes(records), groups, len(dropped), leaks)


def _refuse_others(dataset: Path, exclude: Path | None, train_also: Sequence[Path]) -> None:
    if exclude is not None or train_also:
        raise GrubioError(
            "is a genome, which is divided by place: homologs cannot be excluded from it, "
            "and nothing can join it",
            path=dataset,
            hint="leave out --exclude and --train-also",
        )


def _records_of(dataset: Path, header: DatasetHeader) -> list[Record]:
    records = list(read_records(dataset, targets=True, profiles=header.profiles is not None))
    for record in records:
        if record.split not in (None, *SPLITS):
            raise GrubioError(
                f"split '{record.split}'; train, valid or test was expected",
                path=dataset,
                record=record.id,
            )
    return records


def _without_excluded(
    records: list[Record], exclude: Path, search: HomologSearch
) -> tuple[list[Record], list[AuditRow]]:
    others = {record.id: record.sequence for record in read_fasta(exclude)}
    dropped: list[AuditRow] = []
    for _ in range(_CORRECTIONS):
        # As in the audit, a search of fewer chains finds a little more.
        records, found = without_homologs(records, others, Hit.is_alike, search)
        dropped += found
        if not found:
            break
    return records, dropped


def _corrected(
    records: list[Record], given: Collection[str], search: HomologSearch
) -> tuple[list[Record], list[AuditRow], dict[str, int]]:
    # The records after the audit, its rows, and the number of leaks by split.
    rows, leaking = audited(records, search)
    fixed = {record.group for record in records if record.id in given}
    for _ in range(_CORRECTIONS):
        # A search of fewer chains finds a little more; such a group belongs in train after all.
        late = {record.group for record in records if record.id in leaking} - fixed
        if not late:
            break
        records = [r.with_split(r.group, "train") if r.group in late else r for r in records]
        rows, leaking = audited(records, search)
    leaks = {
        name: sum(r.id in leaking for r in records if r.split == name) for name in ("test", "valid")
    }
    return records, rows, leaks


def _split_genome(
    records: Sequence[Record],
    header: DatasetHeader,
    settings: SplitSettings,
    dataset: Path,
    files: _Files,
) -> SplitSummary:
    divided = split_blocks(records, settings, dataset)
    write_dataset(files.output, header, divided)
    repeated = None
    if files.audit is not None:
        rows, repeated = _repeats_audited(divided)
        write_audit(files.audit, rows)
    if files.removed is not None:
        write_audit(files.removed, [])
    gaps = sum(map(len, records)) - sum(map(len, divided))
    return SplitSummary(settings.unit, *_sizes(divided), None, 0, {}, gaps, repeated)


def _repeats_audited(
    divided: Sequence[Record],
) -> tuple[list[AuditRow], dict[str, tuple[int, int]]]:
    # One strand of each block, by its group.
    blocks = {str(record.group): record for record in divided}
    held = {name: r.sequence for name, r in blocks.items() if r.split != "train"}
    train = ((name, r.sequence) for name, r in blocks.items() if r.split == "train")
    found = repeats_in_training(held, train)
    rows = [
        AuditRow(
            record.id,
            str(record.split),
            found[str(record.group)].nearest,
            coverage=found[str(record.group)].bases / len(record),
        )
        for record in divided
        if record.split != "train"
    ]
    repeated = {
        split: (
            sum(found[name].bases for name in held if blocks[name].split == split),
            sum(len(text) for name, text in held.items() if blocks[name].split == split),
        )
        for split in ("test", "valid")
    }
    return rows, repeated


def _sizes(records: Sequence[Record]) -> tuple[Counter[str], Counter[str]]:
    residues: Counter[str] = Counter()
    for record in records:
        residues[str(record.split)] += len(record)
    return Counter(str(record.split) for record in records), residues


def _guests(
    path: Path,
    theirs: DatasetHeader,
    ours: DatasetHeader,
    records: Sequence[Record],
    search: HomologSearch,
) -> tuple[list[Record], list[AuditRow]]:
    # Records of another dataset for train, and rows about those too close to held-out records.
    coarse = theirs.scheme == ours.scheme.coarse
    if theirs.alphabet is not ours.alphabet or not (coarse or theirs.scheme == ours.scheme):
        raise GrubioError(
            f"has {theirs.scheme.name} labels of {theirs.alphabet.name}, which cannot join "
            f"{ours.scheme.name} labels of {ours.alphabet.name}",
            path=path,
        )
    if coarse and theirs.soft_labels:
        raise GrubioError(
            f"has soft labels of {theirs.scheme.name}, which cannot join {ours.scheme.name} labels",
            path=path,
        )
    own = {target.name: target for target in ours.targets}
    for target in theirs.targets:
        if not target.is_like(own.get(target.name, target)):
            raise GrubioError(
                f"has another target '{target.name}': other classes, range or kind of answers",
                path=path,
            )
    profiled = ours.profiles is not None
    if profiled and not theirs.has_profiles:
        raise GrubioError(
            "has no profiles, unlike the dataset that it is to join",
            path=path,
            hint="add them with: grubio profile",
        )
    taken = {record.id for record in records}
    guests = []
    for record in read_records(path, targets=True, profiles=profiled):
        if record.id in taken:
            raise GrubioError("the id is in the dataset already", path=path, record=record.id)
        if record.split != "test":
            labels = record.labels and (record.labels.lower() if coarse else record.labels)
            guests.append(replace(record, labels=labels, group=None, split="train"))
    held = {r.id: r.sequence for r in records if r.split in ("valid", "test")}
    return without_homologs(guests, held, Hit.is_homolog, search.stricter())
