"""The search for homologs with MMseqs2, and the command `grubio profile`."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grubio.config import SearchSettings
from grubio.datasets.make_profiles import make_profiles
from grubio.datasets.parquet import DatasetHeader, read_header, read_records, write_dataset
from grubio.errors import GrubioError
from grubio.profiles import search
from grubio.profiles.archive import Archive
from grubio.profiles.source import Profiles
from grubio.readers.fasta import read_fasta
from grubio.sequences.alphabet import DNA, PROTEIN
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS3

needs_mmseqs = pytest.mark.skipif(shutil.which("mmseqs") is None, reason="MMseqs2 is not installed")
QUICK = SearchSettings(iterations=2, batch_records=2)
"""A search takes MMseqs2 a second, however little it is."""


def mutated(text: str, share: float, generator: np.random.Generator) -> str:
    letters = np.array(list(text))
    chosen = generator.random(len(letters)) < share
    letters[chosen] = generator.choice(list(PROTEIN.letters), chosen.sum())
    return "".join(letters)


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Three queries, of which the first has five relatives in a database, and the database."""
    generator = np.random.default_rng(3)
    folder = tmp_path_factory.mktemp("family")
    texts = ["".join(generator.choice(list(PROTEIN.letters), 120)) for _ in range(3)]
    queries = folder / "queries.fasta"
    queries.write_text("".join(f">sp|Q{n}|X\n{text}\n" for n, text in enumerate(texts)))
    others = [mutated(texts[0], 0.3, generator) for _ in range(5)]
    others += ["".join(generator.choice(list(PROTEIN.letters), 150)) for _ in range(20)]
    database = folder / "database.fasta"
    database.write_text("".join(f">t{n}\n{text}\n" for n, text in enumerate(others)))
    return queries, database


@needs_mmseqs
def test_relatives_are_found_and_a_killed_search_goes_on(
    family: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries, database = family
    output, parts = tmp_path / "p.npz", tmp_path / "p.npz.part"
    run, searched = search.run_mmseqs, list[str]()

    def stopping(*words: str, folder: Path) -> bool:
        if words[0] == "search":
            searched.append(folder.name)
            if len(searched) == 2:
                raise KeyboardInterrupt
        return run(*words, folder=folder)

    monkeypatch.setattr(search, "run_mmseqs", stopping)
    with pytest.raises(KeyboardInterrupt):
        make_profiles(queries, output, database=database, settings=QUICK, threads=1)
    assert not output.exists()
    assert (parts / "0.npz").exists()
    counts = make_profiles(queries, output, database=database, settings=QUICK, threads=1)
    assert len(searched) == 3
    assert not parts.exists()
    assert counts == {"records": 3, "residues": 360, "alone": 2}
    found = [Profiles(output).of(record) for record in read_fasta(queries)]
    assert [one.depth for one in found if one] == [6, 1, 1]
    made = Archive(output).made
    assert made["settings"] == QUICK.model_dump()
    assert (made["database"], made["sequences"]) == ("database.fasta", "queries.fasta")
    # The residues that relatives keep are likelier than those that they change.
    first = next(iter(read_fasta(queries))).sequence
    assert found[0] is not None
    own = found[0].frequencies[np.arange(120), [PROTEIN.letters.index(c) for c in first]]
    assert own.mean() > 0.25


def test_parts_and_datasets_and_alignments(family: tuple[Path, Path], tmp_path: Path) -> None:
    queries, _ = family
    first = next(iter(read_fasta(queries)))
    other = f">b\n{first.sequence[:60]}{'-' * 60}\n"
    alignment = tmp_path / "x.a3m"
    alignment.write_text(f">{first.id}\n{first.sequence}\n{other}")
    with open(alignment, "a") as more:
        for record in list(read_fasta(queries))[1:]:
            more.write(f"\0>{record.id}\n{record.sequence}\n")
        more.write("\0")
    for number in (1, 2):
        part = tmp_path / "parts" / f"{number}.npz"
        make_profiles(queries, part, alignments=[alignment], part=(number, 2))
    records = [
        Record(r.id, "", r.sequence, "H" * len(r), None, None, "train") for r in read_fasta(queries)
    ]
    prepared, profiled = tmp_path / "prepared.parquet", tmp_path / "profiled.parquet"
    write_dataset(prepared, DatasetHeader(PROTEIN, SS3, {}), records)
    make_profiles(prepared, profiled, alignments=[tmp_path / "parts"])
    made = read_header(profiled).profiles
    assert made is not None
    assert made["alignments"] == ["parts"]
    depths = [r.profile.depth for r in read_records(profiled, profiles=True) if r.profile]
    assert depths == [2, 1, 1]
    make_profiles(profiled, tmp_path / "again.npz", alignments=[tmp_path / "parts"])
    assert list(Archive(tmp_path / "again.npz").records) == [r.id for r in records]


@pytest.mark.parametrize(("relatives", "alone"), [("", 1), (">r\nMR-\n", 0)])
def test_counts_of_one_record_are_numbers(tmp_path: Path, relatives: str, alone: int) -> None:
    sequences, alignment = tmp_path / "x.fasta", tmp_path / "x.a3m"
    sequences.write_text(">x\nMKT\n")
    alignment.write_text(f">x\nMKT\n{relatives}")
    counts = make_profiles(sequences, tmp_path / "o.npz", alignments=[alignment])
    assert str(counts["alone"]) == str(alone)


@pytest.mark.parametrize(
    ("name", "sequence", "problem"),
    [
        ("a", "MK*T-1", "record 'a', position 3: '*' is not a protein residue"),
        ("a", "MKä", "record 'a', position 3: 'ä' U+00E4"),
        ("a", "", "record 'a': the record has no sequence"),
        ("a", None, "record 'a': the record has no sequence"),
        (None, "MKT", "the id is empty"),
        ("b", "MKT", "record 'b': the id occurs twice"),
    ],
)
def test_a_plain_table_is_checked(
    tmp_path: Path, name: str | None, sequence: str | None, problem: str
) -> None:
    path, output = tmp_path / "x.parquet", tmp_path / "o.npz"
    alignment = tmp_path / "b.a3m"
    alignment.write_text(">b\nMKT\n")
    rows = [{"id": "b", "sequence": "MKT"}, {"id": name, "sequence": sequence}]
    pq.write_table(pa.Table.from_pylist(rows), path)
    with pytest.raises(GrubioError, match=re.escape(problem)):
        make_profiles(path, output, alignments=[alignment])
    pq.write_table(pa.table({"id": [7, 8], "sequence": ["MKT*", "GG"]}), path)
    alignment.write_text(">7\nMKT\n")
    assert make_profiles(path, output, alignments=[alignment])["residues"] == 5
    assert list(Archive(output).records) == ["7", "8"]


@needs_mmseqs
def test_a_database_that_is_none_is_refused(tmp_path: Path, family: tuple[Path, Path]) -> None:
    queries, _ = family
    text = tmp_path / "x.txt"
    text.write_text("nothing")
    with pytest.raises(GrubioError, match="is neither FASTA nor a database of MMseqs2"):
        make_profiles(queries, tmp_path / "o.npz", database=text)
    (tmp_path / "dna.dbtype").write_bytes(bytes([1, 0, 0, 0]))
    (tmp_path / "dna.index").touch()
    with pytest.raises(GrubioError, match="holds no proteins"):
        make_profiles(queries, tmp_path / "o.npz", database=tmp_path / "dna")


def test_what_is_wrong_is_said_without_a_search(
    family: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries, database = family
    output = tmp_path / "o.npz"
    with pytest.raises(GrubioError, match="either alignments or a database"):
        make_profiles(queries, output)
    with pytest.raises(GrubioError, match="part 3 of 2"):
        make_profiles(queries, output, database=database, part=(3, 2))
    with pytest.raises(GrubioError, match="a dataset is written whole"):
        make_profiles(queries, tmp_path / "o.parquet", database=database, part=(1, 2))
    dna = tmp_path / "dna.parquet"
    write_dataset(dna, DatasetHeader(DNA, SS3, {}), [Record("a", "", "ACGT", "HHHH")])
    with pytest.raises(GrubioError, match="holds DNA; proteins have profiles"):
        make_profiles(dna, output, database=database)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(GrubioError, match="MMseqs2 is not installed"):
        make_profiles(queries, output, database=database)


@needs_mmseqs
def test_the_command(family: tuple[Path, Path], tmp_path: Path, grubio: Callable[..., Any]) -> None:
    queries, database = family
    words = ["profile", queries, "--database", database, "--output", tmp_path / "p.npz"]
    done = grubio(*words, "--iterations", "1")
    assert done.returncode == 0, done.stderr
    assert "3 records, 360 residues, 2 without homologs" in done.stderr
    wrong = grubio(*words, "--part", "x")
    assert wrong.returncode == 2
    assert "K/N was expected" in wrong.stderr
    faulty = grubio("profile", queries, "--output", queries, "--database", database)
    assert faulty.returncode == 2
    assert "would be overwritten" in faulty.stderr
