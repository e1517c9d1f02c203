from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grubio.config import SplitSettings
from grubio.datasets.audit import read_audit
from grubio.datasets.parquet import DatasetHeader, read_header, read_records, write_dataset
from grubio.datasets.prepare_genome import block_starts
from grubio.errors import GrubioError
from grubio.sequences.alphabet import DNA
from grubio.sequences.locus import STRANDS, Locus, block_of, reverse_complement
from grubio.sequences.record import Record
from grubio.sequences.scheme import custom_scheme
from grubio.splits.genome_blocks import split_blocks
from grubio.splits.split import split_dataset

SCHEME = custom_scheme("motifs", "AB.", background=".")


def random_dna(length: int, seed: int) -> str:
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length))


def genome(sizes: list[int], block_length: int) -> tuple[dict[str, str], list[Record]]:
    contigs = {f"c{i}": random_dna(size, i) for i, size in enumerate(sizes)}
    records = []
    for name, bases in contigs.items():
        edges = block_starts(len(bases), block_length)
        for start, end in pairwise(edges):
            for strand in STRANDS:
                plus = bases[start:end]
                text = plus if strand == "+" else reverse_complement(plus)
                locus = Locus(name, start, end, strand)
                # Labels and masks that can be told from the bases, so that cuts are seen.
                labels = text.translate(str.maketrans("ACGT", "AB.."))
                mask = text.translate(str.maketrans("ACGT", "0111"))
                records.append(Record(str(locus), "", text, labels, mask, group=block_of(locus)))
    return contigs, records


@given(
    st.lists(st.integers(100, 1500), min_size=3, max_size=5),
    st.integers(0, 40),
    st.integers(0, 5),
    st.sampled_from(["block", "contig"]),
)
@example([100, 100, 1301], 0, 0, "contig")
def test_splits_are_apart_and_hold_both_strands(
    sizes: list[int], gap: int, seed: int, unit: str
) -> None:
    contigs, records = genome(sizes, 100)
    chosen = SplitSettings(gap=gap, seed=seed, unit=unit)  # type: ignore[arg-type]
    divided = split_blocks(records, chosen, "p")
    assert len(divided) == len(records)
    covered: dict[tuple[str, str], list[str | None]] = {
        (name, strand): [None] * len(bases) for name, bases in contigs.items() for strand in STRANDS
    }
    for before, record in zip(records, divided, strict=True):
        locus = Locus.from_id(record.id)
        plus = contigs[locus.contig][locus.start : locus.end]
        assert record.sequence == (plus if locus.strand == "+" else reverse_complement(plus))
        assert record.labels == record.sequence.translate(str.maketrans("ACGT", "AB.."))
        assert record.mask == record.sequence.translate(str.maketrans("ACGT", "0111"))
        assert record.group == block_of(locus)
        assert record.id == before.id or record.split != "test"
        for base in range(locus.start, locus.end):
            assert covered[locus.contig, locus.strand][base] is None
            covered[locus.contig, locus.strand][base] = record.split
    assert {record.split for record in divided} == {"train", "valid", "test"}
    for name in contigs:
        splits = covered[name, "+"]
        assert splits == covered[name, "-"]
        if unit == "contig":
            assert len(set(splits)) == 1
        last, place = None, 0
        for base, split in enumerate(splits):
            if split is not None:
                # No two bases of different splits have less than the gap between them.
                assert split == last or last is None or base - place - 1 >= gap
                last, place = split, base


def test_shares_are_as_asked_for_and_the_seed_decides() -> None:
    _, records = genome([20_000], 100)
    asked = SplitSettings(gap=0, valid_fraction=0.2, test_fraction=0.1)
    splits = [
        [r.split for r in split_blocks(records, asked.model_copy(update={"seed": seed}), "p")]
        for seed in (1, 1, 2)
    ]
    assert splits[0] == splits[1] != splits[2]
    assert splits[0].count("test") == 40
    assert splits[0].count("valid") == 80


def test_a_split_that_was_given_is_kept_and_a_second_one_changes_nothing() -> None:
    _, records = genome([3000], 100)
    once = split_blocks(records, SplitSettings(gap=20), "p")
    assert split_blocks(once, SplitSettings(gap=20, seed=9), "p") == once
    named = [r.with_split(r.group, "test") if r.id.startswith("c0:500-") else r for r in records]
    again = split_blocks(named, SplitSettings(gap=20, seed=3), "p")
    assert [r.id for r in again if r.id.startswith("c0:500-")] == ["c0:500-600(+)", "c0:500-600(-)"]
    assert all(r.split == "test" for r in again if r.id.startswith("c0:500-"))


def test_a_split_may_be_left_out() -> None:
    _, records = genome([1000], 100)
    divided = split_blocks(records, SplitSettings(gap=0, test_fraction=0), "p")
    assert {r.split for r in divided} == {"train", "valid"}


@pytest.mark.parametrize(
    ("sizes", "changes", "expected"),
    [
        ([1000], {"gap": 100}, "leave nothing of the 100 bases"),
        ([250], {}, "nothing is left for split"),
        ([1000], {"unit": "contig"}, "1 contigs to deal out"),
    ],
)
def test_what_cannot_be_divided_is_told(
    sizes: list[int], changes: dict[str, object], expected: str
) -> None:
    _, records = genome(sizes, 100)
    chosen = SplitSettings.model_validate({"gap": 0, "seed": 2, **changes})
    with pytest.raises(GrubioError, match=expected) as caught:
        split_blocks(records, chosen, "p")
    assert caught.value.hint is not None


def test_records_that_are_no_blocks_are_refused() -> None:
    _, records = genome([1000], 100)
    with pytest.raises(GrubioError, match="'x' is no locus"):
        split_blocks([Record("x", "", "ACGT")], SplitSettings(), "p")
    with pytest.raises(GrubioError, match="4 bases, but the locus has 5"):
        split_blocks([Record("c:0-5(+)", "", "ACGT")], SplitSettings(), "p")
    with pytest.raises(GrubioError, match="overlaps"):
        extra = Record("c0:50-54(+)", "", "ACGT")
        split_blocks([*records, extra], SplitSettings(), "p")
    with pytest.raises(GrubioError, match="other strand is in another split"):
        split_blocks([records[0].with_split("g", "test"), *records[1:]], SplitSettings(), "p")


def test_the_dataset_keeps_its_sites_and_the_audit_has_what_is_held_out(tmp_path: Path) -> None:
    _, records = genome([3000], 100)
    source, output = tmp_path / "in.parquet", tmp_path / "out.parquet"
    write_dataset(source, DatasetHeader(DNA, SCHEME, {"g": "0" * 64}, {}), records)
    audit, removed = tmp_path / "audit.tsv", tmp_path / "removed.tsv"
    summary = split_dataset(
        source, output, SplitSettings(gap=10), audit=audit, removed=removed, threads=1
    )
    divided = list(read_records(output))
    assert read_header(output) == read_header(source)
    assert list(read_audit(audit)) == [r.id for r in divided if r.split != "train"]
    assert read_audit(removed) == {}
    assert sum(summary.residues.values()) + summary.gap_bases == 6000
    assert summary.gap_bases > 0
    for wrong in ({"exclude": source}, {"train_also": [source]}):
        with pytest.raises(GrubioError, match="divided by place"):
            split_dataset(source, output, SplitSettings(), **wrong)  # type: ignore[arg-type]
