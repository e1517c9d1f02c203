"""Copies across a split are counted, on either strand; what is not looked for is not claimed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from grubio.config import SplitSettings
from grubio.datasets.audit import read_audit
from grubio.datasets.parquet import DatasetHeader, read_records, write_dataset
from grubio.sequences.alphabet import DNA
from grubio.sequences.locus import STRANDS, Locus, block_of, reverse_complement
from grubio.sequences.record import Record
from grubio.sequences.scheme import custom_scheme
from grubio.splits.repeats import LEAST_BASES, WORD, repeats_in_training
from grubio.splits.split import split_dataset


def dna(length: int, seed: int) -> str:
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length))


def repeated(held: str, *train: str) -> int:
    named = [(f"t{n}", text) for n, text in enumerate(train)]
    return repeats_in_training({"held": held}, named)["held"].bases


def test_a_copy_is_found_on_either_strand_and_its_block_is_named() -> None:
    copy = dna(300, 1)
    held = dna(1000, 2) + copy + dna(500, 3)
    for text in (copy, reverse_complement(copy), copy.lower()):
        train = [("other", dna(2000, 4)), ("with copy", dna(700, 5) + text + dna(100, 6))]
        found = repeats_in_training({"held": held, "free": dna(900, 7)}, train)
        assert 300 <= found["held"].bases <= 306
        assert found["held"].nearest == "with copy"
        assert (found["free"].bases, found["free"].nearest) == (0, "")


def test_short_copies_and_ambiguous_letters_do_not_count() -> None:
    assert repeated(dna(500, 1) + dna(LEAST_BASES - 10, 9), dna(LEAST_BASES - 10, 9)) == 0
    assert repeated("N" * 500, "N" * 500) == 0
    assert repeated("ACGT" * 5, "ACGT" * 5) == 0
    assert repeats_in_training({}, [("t", dna(100, 1))]) == {}


def test_a_copy_with_substitutions_is_one_stretch() -> None:
    copy = list(dna(400, 1))
    held = "".join(copy)
    for place in range(50, 360, 80):
        copy[place] = "A" if copy[place] != "A" else "C"
    assert repeated(held, "".join(copy)) == 400
    # A diverged one is not found, which the report says.
    for place in range(0, 400, 10):
        copy[place] = "A" if copy[place] != "A" else "C"
    assert repeated(held, "".join(copy)) == 0


@given(st.integers(0, 3000), st.integers(0, 60))
def test_it_does_not_matter_how_training_is_cut(cut: int, seed: int) -> None:
    train = dna(3000, 100 + seed)
    held = dna(200, 7) + train[1000:1400] + dna(200, 8)
    whole = repeated(held, train)
    # Words across the cut are lost, no more.
    assert whole - WORD <= repeated(held, train[:cut], train[cut:]) <= whole


def test_the_audit_of_a_genome_says_what_is_repeated(tmp_path: Path) -> None:
    element = dna(500, 1)
    contigs = {f"c{n}": dna(1500, 10 + n) + element + dna(1000, 50 + n) for n in range(3)}
    contigs |= {f"d{n}": dna(3000, 90 + n) for n in range(7)}
    scheme = custom_scheme("m", "A.", background=".")
    records = []
    for name, plus in contigs.items():
        for strand in STRANDS:
            locus = Locus(name, 0, len(plus), strand)
            text = plus if strand == "+" else reverse_complement(plus)
            split = "test" if name in ("c0", "d0") else "valid" if name == "d1" else None
            labels = "." * len(text)
            records.append(
                Record(str(locus), "", text, labels, None, block_of(locus), split or "train")
            )
    source, output, audit = (tmp_path / name for name in ("in.parquet", "out.parquet", "audit.tsv"))
    write_dataset(source, DatasetHeader(DNA, scheme, {}, {}), records)
    summary = split_dataset(source, output, SplitSettings(), audit=audit)
    assert summary.repeated is not None
    assert 500 <= summary.repeated["test"][0] <= 506
    assert summary.repeated["test"][1] == 6000
    assert summary.repeated["valid"] == (0, 3000)
    rows = read_audit(audit)
    assert set(rows) == {r.id for r in read_records(output) if r.split != "train"}
    for strand in STRANDS:
        copied, free = rows[f"c0:0-3000({strand})"], rows[f"d0:0-3000({strand})"]
        assert copied.nearest in ("c1:0-3000", "c2:0-3000")
        assert copied.coverage is not None
        assert abs(copied.coverage - 500 / 3000) < 0.003
        assert (free.nearest, free.coverage, free.identity) == ("", 0.0, None)
