from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from test_homology import families, labelled

from grubio.config import SplitSettings
from grubio.datasets.audit import read_audit
from grubio.datasets.parquet import DatasetHeader, read_records, write_dataset
from grubio.errors import GrubioError
from grubio.sequences.alphabet import DNA, PROTEIN
from grubio.sequences.locus import STRANDS, Locus, block_of
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS3
from grubio.splits.folds import dealt_to_folds, fold_path
from grubio.splits.split import split_dataset, split_into_folds

FIVE = SplitSettings(method="kmer", folds=5, valid_fraction=0.1)


def write(path: Path, records: list[Record]) -> Path:
    write_dataset(path, DatasetHeader(PROTEIN, SS3), records)
    return path


def blocks(count: int) -> list[Record]:
    loci = [Locus("c", 200 * n, 200 * n + 150, strand) for n in range(count) for strand in STRANDS]
    return [replace(labelled(str(locus), "ACGTA" * 30), group=block_of(locus)) for locus in loci]


def parts(folder: Path, folds: int) -> list[dict[str, str | None]]:
    return [
        {r.id: r.split for r in read_records(fold_path(folder / "out.parquet", fold))}
        for fold in range(1, folds + 1)
    ]


def test_every_record_is_tested_once_and_families_stay_together(tmp_path: Path) -> None:
    source = write(tmp_path / "in.parquet", families(30, 3))
    summaries = split_into_folds(
        source, tmp_path / "out.parquet", FIVE, audit=tmp_path / "audit.tsv", threads=1
    )
    found = parts(tmp_path, 5)
    tested = Counter(name for part in found for name, split in part.items() if split == "test")
    assert tested == dict.fromkeys(found[0], 1)
    for number, part in enumerate(found, start=1):
        assert set(part.values()) == {"train", "valid", "test"}
        homes: dict[str, set[str | None]] = {}
        for name, split in part.items():
            homes.setdefault(name.split("_")[0], set()).add(split)
        assert all(len(splits) == 1 for splits in homes.values())
        assert Counter(part.values())["test"] == 18
        rows = read_audit(tmp_path / f"audit-fold{number}.tsv")
        assert set(rows) == {name for name, split in part.items() if split != "train"}
    assert [summary.leaks for summary in summaries] == [{"test": 0, "valid": 0}] * 5


def test_folds_of_the_user_are_respected_even_where_they_leak(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    records = [
        replace(record, fold=str(10 * (number % 3)))
        for number, record in enumerate(families(8, 2))
        if record.id != "f7_m1"
    ]
    source = write(tmp_path / "in.parquet", records)
    settings = FIVE.model_copy(update={"folds": 3})
    split_into_folds(source, tmp_path / "out.parquet", settings, threads=1)
    for fold, part in enumerate(parts(tmp_path, 3)):
        tested = {name for name, split in part.items() if split == "test"}
        assert tested == {record.id for record in records if record.fold == str(10 * fold)}
    assert "have a homolog in train" in caplog.text
    with pytest.raises(GrubioError, match=r"has 3 folds \(0, 10, 20\), and 5 were asked for"):
        split_into_folds(source, tmp_path / "other.parquet", FIVE, threads=1)


def test_records_without_a_fold_follow_their_family(tmp_path: Path) -> None:
    records = families(8, 2)
    given = [
        replace(r, fold="ab"[number % 2]) if r.id.endswith("m0") else r
        for number, r in enumerate(records)
    ]
    source = write(tmp_path / "in.parquet", given)
    settings = FIVE.model_copy(update={"folds": 2})
    split_into_folds(source, tmp_path / "out.parquet", settings, threads=1)
    for part in parts(tmp_path, 2):
        assert all((part[f"f{f}_m0"] == "test") == (part[f"f{f}_m1"] == "test") for f in range(8))


def test_blocks_of_a_genome_are_tested_once_each(tmp_path: Path) -> None:
    source = tmp_path / "in.parquet"
    write_dataset(source, DatasetHeader(DNA, SS3, sites={}), blocks(20))
    settings = SplitSettings(folds=4, gap=10, valid_fraction=0.2)
    split_into_folds(
        source, tmp_path / "out.parquet", settings, audit=tmp_path / "audit.tsv", threads=1
    )
    tested: list[str] = []
    for part in parts(tmp_path, 4):
        assert set(part.values()) == {"train", "valid", "test"}
        tested += [name for name, split in part.items() if split == "test"]
    assert len(tested) == len(set(tested)) == 40
    assert sorted(r.id for r in blocks(20)) == sorted(tested)
    with pytest.raises(GrubioError, match="has 20 blocks, which cannot fill 21 folds"):
        split_into_folds(source, tmp_path / "x.parquet", SplitSettings(folds=21, gap=10), threads=1)


def test_more_folds_than_groups_and_other_faults_are_named(tmp_path: Path) -> None:
    source = write(tmp_path / "in.parquet", families(3, 4))
    with pytest.raises(GrubioError, match="has 3 groups of homologs, which cannot fill 5 folds"):
        split_into_folds(source, tmp_path / "out.parquet", FIVE, threads=1)
    assert not list(tmp_path.glob("out*"))
    with pytest.raises(GrubioError, match="nothing is left for split"):
        two = FIVE.model_copy(update={"folds": 3, "valid_fraction": 0.9})
        split_into_folds(write(tmp_path / "b", families(3, 1)), tmp_path / "o", two, threads=1)
    split = write(tmp_path / "c.parquet", [labelled("a", "A" * 90, "train"), *families(6, 1)])
    with pytest.raises(GrubioError, match="is in split 'train' already"):
        split_into_folds(split, tmp_path / "out.parquet", FIVE, threads=1)
    with pytest.raises(GrubioError, match="one split was asked for"):
        split_dataset(source, tmp_path / "out.parquet", FIVE, threads=1)
    with pytest.raises(ValueError, match="two folds or more"):
        SplitSettings(folds=1)


def test_folds_are_of_like_size_and_the_seed_decides() -> None:
    sizes = {f"u{number}": 50 + number for number in range(23)}
    dealt = [dealt_to_folds(sizes, 4, seed, Path("x"), "units") for seed in (1, 1, 2)]
    assert dealt[0] == dealt[1]
    totals = Counter[int]()
    for unit, fold in dealt[0].items():
        totals[fold] += sizes[unit]
    assert max(totals.values()) - min(totals.values()) <= 80
    equal = dict.fromkeys(sizes, 10)
    assert dealt_to_folds(equal, 4, 1, Path("x"), "units") != dealt_to_folds(
        equal, 4, 2, Path("x"), "units"
    )
