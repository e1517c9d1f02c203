"""Training tables of ``protein-topology``: labelled proteins and homologs, fold by fold."""

from __future__ import annotations

import csv
import importlib
import lzma
import random
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from conftest import REPOSITORY

GENERATOR = random.Random(4)


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(REPOSITORY / "scripts"))


@pytest.fixture
def homologs() -> ModuleType:
    return importlib.import_module("topology_homologs")


def alignment(homologs: ModuleType, own: int, other: int, cigar: str) -> object:
    cells = ["7", "0.5", "1e-20", str(own), "0", str(other), "0", cigar]
    return homologs.Alignment.read(cells)


def test_a_helix_keeps_its_labels_and_closes_short_insertions(homologs: ModuleType) -> None:
    known = "I" * 5 + "M" * 20 + "O" * 5
    aligned = alignment(homologs, 1, 3, "15M2D15M")
    expected = "??" + "I" * 5 + "M" * 22 + "O" * 5 + "?"
    assert homologs.transferred(known, 35, aligned) == expected
    wide = alignment(homologs, 1, 1, "15M4D15M")
    assert homologs.transferred(known, 34, wide).count("?") == 4


def test_a_signal_peptide_begins_at_residue_1_and_ends_with_its_cleavage(
    homologs: ModuleType,
) -> None:
    known = "S" * 20 + "O" * 30
    sure = homologs.transferred(known, 53, alignment(homologs, 3, 6, "48M"))
    assert sure == "S" * 23 + "O" * 30
    near = homologs.transferred(known, 52, alignment(homologs, 3, 3, "20M2D28M"))
    assert near == "S" * 14 + "?" * 12 + "O" * 26
    assert homologs.transferred(known, 41, alignment(homologs, 10, 1, "41M")) is None
    assert homologs.transferred("O" * 5 + known, 55, alignment(homologs, 1, 1, "55M")) is None


def test_each_fold_is_tested_without_its_homologs() -> None:
    table = importlib.import_module("topology_table")
    proteins = [
        table.Labelled(f"p{n}", "MKTA" * 50, ("S" * 20 + "O" * 180) if n % 2 else "I" * 200, n % 4)
        for n in range(160)
    ]
    homologs = [
        {"id": f"{p.id}~h", "sequence": "MKTA" * 50, "labels": p.labels, "fold": p.fold}
        | {"parent": p.id}
        for p in proteins
        if p.kind
    ]
    anchored = [
        {"id": f"{n}", "sequence": "MKTA" * 30, "labels": "?" * 60 + "O" * 60, "parent": names}
        for n, names in enumerate(["", *(f"p{n},p{n + 1}" for n in range(0, 160, 2))])
    ]
    for fold in ("0", "1", "2", "3", table.ALL):
        rows = list(table.rows_of(fold, proteins, homologs, anchored))
        split = {row[0]: row[3] for row in rows}
        tested = {name for name, own in split.items() if own == "test"}
        held = {name for name, own in split.items() if own != "train"}
        expected = {p.id for p in proteins if str(p.fold) == fold}
        assert tested == expected if fold != table.ALL else 0 < len(tested) < 10
        assert held > tested
        assert not [name for name in split if name.split("~")[0] in held and "~" in name]
        assert all(len(row[1]) == len(row[2]) for row in rows)
        used = {row[0].removesuffix("/end") for row in rows if row[0].endswith("/end")}
        unlike = {a["id"] for a in anchored if held.isdisjoint(a["parent"].split(","))}
        assert used == unlike
        assert "0" in used


@pytest.mark.skipif(not shutil.which("mmseqs"), reason="MMseqs2 is not installed")
def test_homologs_of_one_fold_and_anchored_proteins_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(text: str) -> str:
        return text[:1] + "".join(
            GENERATOR.choice("ACDEFGHIKL") if GENERATOR.random() < 0.3 else x for x in text[1:]
        )

    def random_protein(length: int) -> str:
        return "M" + "".join(GENERATOR.choices("ACDEFGHIKLMNPQRSTVWY", k=length - 1))

    secreted = "MKKTAIAIAVALAGFATVAQA" + random_protein(150)
    cytosolic, shared = random_protein(180), random_protein(160)
    with lzma.open(tmp_path / "topology.tsv.xz", "wt") as out:
        out.write("id\tsequence\tlabels\tfold\n")
        out.write(f"s\t{secreted}\t{'S' * 21 + '2' * 150}\t0\n")
        out.write(f"c\t{cytosolic}\t{'1' * 180}\t1\n")
        for fold in (2, 3):
            out.write(f"m{fold}\t{changed(shared)}\t{'1' * 60 + 'H' * 20 + '2' * 80}\t{fold}\n")
    others = [f">S{n}\n{changed(secreted)}\n" for n in range(3)]
    others += [f">C\n{changed(cytosolic)}\n", f">M\n{changed(shared)}\n"]
    (tmp_path / "others.fasta").write_text("".join(others))

    def run(script: str, *words: object) -> None:
        monkeypatch.setattr(sys, "argv", [script, *map(str, words)])
        importlib.import_module(script).main()

    topology, found = tmp_path / "topology.tsv.xz", tmp_path / "homologs.tsv"
    run("topology_homologs", topology, tmp_path / "others.fasta", found, "--threads", 1)
    with open(found) as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    # Globular proteins need none, and what resembles two folds would show one to the other.
    assert {row["id"] for row in rows} == {"s~S0", "s~S1", "s~S2"}
    assert {row["labels"].count("S") for row in rows} == {21}

    held = secreted + "GGSSTNAAVLLLSALVLLAVLSLLF"
    volume = tmp_path / "usr/share/metastudent-data/dataset_201401/CCO/goasp.fasta.psq"
    volume.parent.mkdir(parents=True)
    codes = "-ABCDEFGHIKLMNPQRSTVWXYZU*OJ"
    sequences = (held, changed(held), cytosolic)
    volume.write_bytes(b"\0".join(bytes(map(codes.index, one)) for one in ("", *sequences, "")))
    terms = ("GO:0031225", "GO:0031225\tGO:0016021", "GO:0005737")
    annotations = [f"{name}\t{term}\n" for name, term in zip("aib", terms, strict=True)]
    (volume.parent / "goasp_annot.dat").write_text("".join(annotations))
    anchored = tmp_path / "anchored.tsv"
    run("anchored_proteins", topology, anchored, "--root", tmp_path, "--threads", 1)
    with open(anchored) as lines:
        (row,) = csv.DictReader(lines, delimiter="\t")
    assert (row["id"], row["parent"]) == ("a", "s")
    assert row["labels"].endswith("O" * 60)

    run("topology_table", topology, found, anchored, tmp_path / "tables")
    for number in range(1, 5):
        with open(tmp_path / "tables" / f"fold{number}.tsv") as lines:
            splits = {row["id"]: row["split"] for row in csv.DictReader(lines, delimiter="\t")}
        assert any(name.startswith("s~") for name in splits) == ("s/1" in splits)
        assert ("a/end" in splits) == ("s/1" in splits)
