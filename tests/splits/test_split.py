from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from test_homology import METHODS, families, labelled, random_chain, relative

from grubio.config import SplitSettings
from grubio.datasets.audit import read_audit
from grubio.datasets.parquet import DatasetHeader, read_header, read_records, write_dataset
from grubio.errors import GrubioError
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS3
from grubio.splits.split import split_dataset


def write(path: Path, records: list[Record]) -> Path:
    write_dataset(path, DatasetHeader(PROTEIN, SS3, {"a.tsv": "1" * 64}), records)
    return path


@pytest.mark.parametrize("method", METHODS)
def test_families_never_straddle_splits(method: str, tmp_path: Path) -> None:
    records = families(40, 3)
    source = write(tmp_path / "in.parquet", records)
    settings = SplitSettings(method=method, valid_fraction=0.2, test_fraction=0.2)
    summary = split_dataset(
        source, tmp_path / "out.parquet", settings, audit=tmp_path / "audit.tsv", threads=1
    )
    divided = list(read_records(tmp_path / "out.parquet"))
    assert [r.id for r in divided] == [r.id for r in records]
    assert read_header(tmp_path / "out.parquet") == read_header(source)
    homes: dict[str, set[str | None]] = {}
    for record in divided:
        homes.setdefault(record.id.split("_")[0], set()).add(record.split)
    assert all(len(splits) == 1 for splits in homes.values())
    counts = Counter(record.split for record in divided)
    assert 18 <= counts["test"] <= 30
    assert 18 <= counts["valid"] <= 30
    # Two unrelated families may be alike by chance and share a group.
    assert 30 <= (summary.groups or 0) <= 40
    assert summary.leaks == {"test": 0, "valid": 0}
    audit = read_audit(tmp_path / "audit.tsv")
    assert list(audit) == [r.id for r in divided if r.split != "train"]


def test_the_seed_decides(tmp_path: Path) -> None:
    source = write(tmp_path / "in.parquet", families(30, 2))
    splits = []
    for seed in (1, 1, 2):
        settings = SplitSettings(method="kmer", seed=seed)
        split_dataset(source, tmp_path / "out.parquet", settings, threads=1)
        splits.append([r.split for r in read_records(tmp_path / "out.parquet")])
    assert splits[0] == splits[1] != splits[2]


def test_given_splits_are_kept_and_a_leak_is_found(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chains = [random_chain(150, i) for i in range(6)]
    names = ["train", "train", "train", "valid", "test", "test"]
    records = [labelled(f"c{i}", c, s) for i, (c, s) in enumerate(zip(chains, names, strict=True))]
    records.append(labelled("leak", relative(chains[1], 0.6, 9), "test"))
    source = write(tmp_path / "in.parquet", records)
    summary = split_dataset(
        source,
        tmp_path / "out.parquet",
        SplitSettings(method="kmer"),
        audit=tmp_path / "audit.tsv",
        threads=1,
    )
    assert [r.split for r in read_records(tmp_path / "out.parquet")] == [r.split for r in records]
    assert summary.leaks == {"test": 1, "valid": 0}
    row = read_audit(tmp_path / "audit.tsv")["leak"]
    assert row.nearest == "c1"
    assert row.identity == pytest.approx(0.6, abs=0.1)


def test_relatives_of_a_given_record_follow_it(tmp_path: Path) -> None:
    records = families(20, 2)
    records[0] = labelled("f0_m0", records[0].sequence, "test")
    source = write(tmp_path / "in.parquet", records)
    split_dataset(source, tmp_path / "out.parquet", SplitSettings(method="kmer"), threads=1)
    split_of = {r.id: r.split for r in read_records(tmp_path / "out.parquet")}
    assert split_of["f0_m1"] == "test"


@pytest.mark.parametrize("method", METHODS)
def test_excluded_homologs_leave_train_and_valid_only(method: str, tmp_path: Path) -> None:
    chains = [random_chain(150, i) for i in range(6)]
    splits = ["train", "train", "valid", "valid", "test", "train"]
    source = write(
        tmp_path / "in.parquet",
        [labelled(f"c{i}", c, s) for i, (c, s) in enumerate(zip(chains, splits, strict=True))],
    )
    other = tmp_path / "benchmark.fasta"
    # Relatives of a train, a valid and a test record; the first has the id of another record.
    other.write_text(
        "".join(
            f">{name}\n{relative(chains[i], 0.6, 50 + i)}\n"
            for name, i in (("c5", 0), ("b2", 2), ("b4", 4))
        )
    )
    summary = split_dataset(
        source,
        tmp_path / "out.parquet",
        SplitSettings(method=method),
        exclude=other,
        removed=tmp_path / "removed.tsv",
        threads=1,
    )
    kept = {r.id for r in read_records(tmp_path / "out.parquet")}
    removed = read_audit(tmp_path / "removed.tsv")
    assert kept | removed.keys() == {f"c{i}" for i in range(6)}
    assert summary.removed == len(removed) == 6 - len(kept)
    assert "c4" in kept
    assert (removed["c0"].nearest, removed["c2"].nearest) == ("c5", "b2")
    # Chance alignments may cost a record more, but not without cause.
    for row in removed.values():
        assert row.evalue is not None
        assert row.identity is not None
        assert row.evalue < 0.01 or row.identity >= 0.25
    assert "benchmark.fasta" in read_header(tmp_path / "out.parquet").sources


def test_records_too_alike_to_divide_are_refused(tmp_path: Path) -> None:
    source = write(tmp_path / "in.parquet", families(1, 10))
    with pytest.raises(GrubioError, match="no group of homologs is small enough"):
        split_dataset(source, tmp_path / "out.parquet", SplitSettings(method="kmer"), threads=1)
    assert not (tmp_path / "out.parquet").exists()


def test_a_few_unrelated_records_are_divided(tmp_path: Path) -> None:
    records = families(12, 1)
    source = write(tmp_path / "in.parquet", records)
    settings = SplitSettings(method="kmer", valid_fraction=0.2, test_fraction=0.2)
    split_dataset(source, tmp_path / "out.parquet", settings, threads=1)
    counts = Counter(record.split for record in read_records(tmp_path / "out.parquet"))
    assert 2 <= counts["test"] <= 4
    assert 2 <= counts["valid"] <= 4


def test_what_only_the_audit_finds_goes_to_train(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first search misses every relative; the audit of the result does not."""
    from grubio.splits import homolog_groups
    from grubio.splits.homology.search import find_hits

    def short_sighted(queries, targets, *rest):
        return () if queries.keys() == targets.keys() else find_hits(queries, targets, *rest)

    monkeypatch.setattr(homolog_groups, "find_hits", short_sighted)
    source = write(tmp_path / "in.parquet", families(15, 2))
    settings = SplitSettings(method="kmer", valid_fraction=0.2, test_fraction=0.2)
    summary = split_dataset(source, tmp_path / "out.parquet", settings, threads=1)
    assert summary.leaks == {"test": 0, "valid": 0}
    assert summary.records["train"] > 18
