from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from test_homology import METHODS, random_chain

from grubio.config import SplitSettings
from grubio.datasets.audit import read_audit
from grubio.datasets.parquet import DatasetHeader, read_records, write_dataset
from grubio.sequences.alphabet import DNA, PROTEIN
from grubio.sequences.locus import reverse_complement
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS3
from grubio.splits.homology.search import chosen_method, find_hits
from grubio.splits.split import split_dataset

ALL_LENGTHS = range(5, 301)
SOME_LENGTHS = (*range(5, 30), 40, 60, 90, 120, 300)
# Nine residues with one edit are more than chance in up to 14 million.
SHORTEST_NEAR_COPY = 9


def with_one_substitution(sequence: str, place: int) -> str:
    other = "W" if sequence[place] != "W" else "Y"
    return sequence[:place] + other + sequence[place + 1 :]


def relatives(founder: str, seed: int) -> list[str]:
    """Return the founder, an identical copy, one within flanks, and one with a substitution."""
    flanks = random_chain(60, 7000 + seed), random_chain(20, 8000 + seed)
    family = [founder, founder, flanks[0] + founder + flanks[1]]
    if len(founder) >= SHORTEST_NEAR_COPY:
        family.append(with_one_substitution(founder, seed % len(founder)))
    return family


def of_every_length(lengths) -> list[list[str]]:
    return [relatives(random_chain(n, n), n) for n in lengths]


def of_low_complexity(lengths) -> list[list[str]]:
    """Return families that share no unit, as poly-Q of every length is one family."""
    units = ["Q", "GS", "PGP", "NNK", "HD", "TTPE", "A", "RL", "EK"]
    sizes = np.resize(list(lengths), len(units)).tolist()
    # Families with the same flanks would be one.
    return [
        relatives((unit * n)[:n], 400 + number)
        for number, (unit, n) in enumerate(zip(units, sizes, strict=True))
    ]


def in_two_splits(
    families: list[list[str]], settings: SplitSettings, folder: Path
) -> tuple[int, dict[str, int]]:
    """Return how many families lie in two splits, and the leaks that the split's own audit saw."""
    records = [
        Record(f"f{f}_m{m}", "", sequence, "C" * len(sequence), None)
        for f, family in enumerate(families)
        for m, sequence in enumerate(family)
    ]
    write_dataset(folder / "in.parquet", DatasetHeader(PROTEIN, SS3, {"a": "1" * 64}), records)
    summary = split_dataset(folder / "in.parquet", folder / "out.parquet", settings, threads=1)
    homes: dict[str, set[str | None]] = {}
    for record in read_records(folder / "out.parquet"):
        homes.setdefault(record.id.split("_")[0], set()).add(record.split)
    assert set.union(*homes.values()) == {"train", "valid", "test"}
    return sum(len(home) > 1 for home in homes.values()), dict(summary.leaks)


@pytest.mark.parametrize("method", METHODS)
def test_no_family_of_copies_lies_in_two_splits(method: str, tmp_path: Path) -> None:
    families = of_every_length(SOME_LENGTHS) + of_low_complexity((9, 20, 33, 64, 150))
    settings = SplitSettings(method=method)
    assert in_two_splits(families, settings, tmp_path) == (0, {"test": 0, "valid": 0})


@pytest.mark.skipif("GRUBIO_LONG_TESTS" not in os.environ, reason="takes minutes")
@pytest.mark.parametrize("method", METHODS)
def test_no_family_of_any_length_lies_in_two_splits(method: str, tmp_path: Path) -> None:
    settings = SplitSettings(method=method)
    families = of_every_length(ALL_LENGTHS)
    assert in_two_splits(families, settings, tmp_path) == (0, {"test": 0, "valid": 0})
    for length in ALL_LENGTHS[5::16]:
        families = of_low_complexity([length]) + of_every_length(range(5, 60))
        assert in_two_splits(families, settings, tmp_path) == (0, {"test": 0, "valid": 0})


@pytest.mark.parametrize("method", METHODS)
def test_chains_all_too_short_for_mmseqs_are_divided(method: str, tmp_path: Path) -> None:
    families = [[random_chain(10, seed)] * 4 for seed in range(50)]
    settings = SplitSettings(method=method)
    assert in_two_splits(families, settings, tmp_path) == (0, {"test": 0, "valid": 0})
    peptides = {"a": "W" * 13}
    assert chosen_method(settings, peptides, {"b": "W" * 14}) == "kmer"


@pytest.mark.parametrize("method", METHODS)
def test_chains_all_of_low_complexity_are_searched(method: str) -> None:
    chains = {"a": "AAG" * 12, "b": "AAG" * 11, "c": "QQS" * 12}
    found = find_hits(chains, chains, PROTEIN, SplitSettings(method=method), 1)
    assert {frozenset((hit.query, hit.target)) for hit in found} >= {frozenset("ab")}


@pytest.mark.parametrize("method", METHODS)
def test_copies_across_given_splits_are_audited(method: str, tmp_path: Path) -> None:
    long, short = random_chain(80, 1), random_chain(12, 2)
    rows = [
        ("long", long, "train"),
        ("short", short, "train"),
        ("own", random_chain(70, 3), "valid"),
        ("same", short, "test"),
        ("inside", long[30:36], "test"),
        ("near", with_one_substitution(short, 4), "test"),
        ("other", "MKVLWYAC", "test"),
    ]
    records = [Record(i, "", s, "C" * len(s), None, None, split) for i, s, split in rows]
    header = DatasetHeader(PROTEIN, SS3, {"a": "1" * 64})
    write_dataset(tmp_path / "in.parquet", header, records)
    summary = split_dataset(
        tmp_path / "in.parquet",
        tmp_path / "out.parquet",
        SplitSettings(method=method),
        audit=tmp_path / "audit.tsv",
        threads=1,
    )
    assert summary.leaks == {"test": 3, "valid": 0}
    audit = read_audit(tmp_path / "audit.tsv")
    nearest = {name: (audit[name].nearest, audit[name].identity) for name in audit}
    assert nearest == {
        "own": ("", None),
        "same": ("short", 1.0),
        "inside": ("long", 1.0),
        "near": ("short", pytest.approx(11 / 12, abs=0.001)),
        "other": ("", None),
    }


@pytest.mark.parametrize("method", METHODS)
def test_copies_of_excluded_chains_leave(method: str, tmp_path: Path) -> None:
    header = DatasetHeader(PROTEIN, SS3, {"a": "1" * 64})
    chains = [random_chain(60, seed) for seed in range(3)] + ["QQQQQQQQQQQQ", "WCHMY"]
    splits = ["train", "valid", "test", "train", "train"]
    records = [
        Record(f"c{i}", "", s, "C" * len(s), None, None, split)
        for i, (s, split) in enumerate(zip(chains, splits, strict=True))
    ]
    write_dataset(tmp_path / "in.parquet", header, records)
    (tmp_path / "benchmark.fasta").write_text(">b\nQQQQQQQQQQQQQQQ\n>d\nAAWCHMYAA\n")
    split_dataset(
        tmp_path / "in.parquet",
        tmp_path / "out.parquet",
        SplitSettings(method=method),
        exclude=tmp_path / "benchmark.fasta",
        threads=1,
    )
    assert {r.id for r in read_records(tmp_path / "out.parquet")} == {"c0", "c1", "c2"}


def test_what_counts_as_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search itself finds nothing here."""
    monkeypatch.setattr("grubio.splits.homology.kmer.search", lambda *_: iter(()))
    settings = SplitSettings(method="kmer")

    def related(one: str, other: str, alphabet=PROTEIN) -> bool:
        ways = (({"a": one}, {"b": other}), ({"b": other}, {"a": one}))
        found = [
            any(h.is_homolog(settings) for h in find_hits(*way, alphabet, settings, 1))
            for way in ways
        ]
        assert found[0] == found[1]
        return found[0]

    assert related("MK", "MK")
    assert not related("MKV", "AMKVA")
    assert related("MKVW", "AMKVWA")
    assert related("mkvwuc", "AMKVWCUA")
    # One edit of each kind; two are too many for twelve residues.
    chain = "MKVWYACDEFGH"
    assert all(related(chain, with_one_substitution(chain, place)) for place in range(12))
    assert related(chain, "GG" + chain[:5] + "P" + chain[5:] + "GG")
    assert not related(chain, "P" + chain[1:6] + "P" + chain[7:])
    # The shorter a chain, the more it is chance.
    assert not related("MKVWY", "MKVWC")
    assert related("MKVWYACDE", "MKVWYACDY")
    assert related("ACGUACGGAUUC", "TTACGTACGGATTCTT", DNA)
    # Either strand: the whole, a part, and with a substitution.
    assert related("ACGTACGGATTCAAG", "CTTGAATCCGTACGT", DNA)
    assert related("ACGTACGGATTC", "TTGAATCCGTACGTTT", DNA)
    assert related("ACGTACGGATTCAAGCCA", "TGGCTTGAAACCGTACGT", DNA)
    # The edit makes the other strand the first in the alphabet.
    assert related("TCTCTACCATTAT", "TCTCTACCATTAA", DNA)
    assert not related("ACGTACGGATTCAAG", "TGCATGCCTAAGTTC", DNA)


@pytest.mark.parametrize("method", METHODS)
def test_the_strands_of_a_piece_of_dna_are_in_one_split(method: str, tmp_path: Path) -> None:
    generator = np.random.default_rng(5)
    records = []
    for number in range(30):
        text = "".join(generator.choice(list("ACGT"), 120))
        for strand, sequence in zip("+-", (text, reverse_complement(text)), strict=True):
            records.append(Record(f"{number}{strand}", "", sequence, "C" * 120, None))
    header = DatasetHeader(DNA, SS3, {"a": "1" * 64})
    write_dataset(tmp_path / "in.parquet", header, records)
    split_dataset(
        tmp_path / "in.parquet", tmp_path / "out.parquet", SplitSettings(method=method), threads=1
    )
    split_of = {record.id: record.split for record in read_records(tmp_path / "out.parquet")}
    assert all(split_of[f"{number}+"] == split_of[f"{number}-"] for number in range(30))


def test_copies_are_linear_in_their_number() -> None:
    same = {f"a{i}": "MKVLWYACDE" for i in range(500)}
    hits = list(find_hits(same, same, PROTEIN, SplitSettings(method="kmer"), 1))
    assert {hit.query for hit in hits} == {hit.target for hit in hits} == same.keys()
    from grubio.splits.homology.copies import copies

    assert len(list(copies(same, same, PROTEIN))) < 1000
