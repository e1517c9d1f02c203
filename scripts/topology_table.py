"""The tables of labelled proteins that ``config/protein_topology.yaml`` reads.

``python scripts/topology_table.py topology.tsv.xz homologs.tsv anchored.tsv OUTPUT``

The input is a table with ``id``, ``sequence``, ``labels`` and ``fold``: TMbed's proteins
(Bernhofer and Rost, BMC Bioinformatics 23:326, 2022; Apache-2.0), with the labels of its
repository: ``1`` inside, ``2`` outside, ``H`` helix, ``B`` strand, ``S`` signal peptide and ``U``
unknown; lower case is a helix or strand in the other direction. The authors' folds keep homologs
apart. The output is a folder: ``fold1.tsv`` to ``fold4.tsv``, of which each tests one fold, and
``all.tsv``, which tests one protein in a hundred, so that a study has something to report. They
have the letters of the scheme ``topology``, ``?`` for what is unknown, and a column ``split``; one
protein in twenty of those that are not tested validates.

A training protein is there several times, whole and cut to its first 60 to 149 residues, each time
to others: all copies together are the training, in one pass. The cut ones show signal peptides, and
what else a protein begins with, in a fraction of the time; the whole ones, what is no helix or
strand. Anchored proteins (``scripts/anchored_proteins.py``) are there whole, and their ends alone.
These and homologs (``scripts/topology_homologs.py``) of what is tested or validates are left out.
"""

from __future__ import annotations

import argparse
import csv
import lzma
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

FOLDS = 4
NO_FOLD = -1
ALL = "all"
_LETTERS = str.maketrans("12HhBbSU", "IOMMBBS?")
_SHORT, _SPREAD = 60, 90
_COPIES = {"M": (4, 3), "B": (3, 2), "S": (2, 5), "": (1, 4)}
"""How often a protein with such labels is there whole, and how often cut."""
_END, _END_SPREAD, _BEGINS = 80, 200, 20
"""Residues of the end of an anchored protein, and how many of them are not labelled at first."""
_TESTED_ONE_IN, _VALIDATES_ONE_IN = 100, 20
_COLUMNS = ("id", "sequence", "labels", "split")


@dataclass(frozen=True)
class Labelled:
    """A protein with a label for each residue, and its fold, from 0."""

    id: str
    sequence: str
    labels: str
    fold: int

    @property
    def kind(self) -> str:
        """``M`` with a membrane helix, else ``B`` with a strand, ``S`` with a signal peptide."""
        return next((kind for kind in "MBS" if kind in self.labels), "")

    def first(self, name: str, residues: int) -> Labelled:
        """Return the first residues, with another id."""
        return replace(
            self, id=name, sequence=self.sequence[:residues], labels=self.labels[:residues]
        )


def read_labelled(path: Path) -> list[Labelled]:
    """Return the proteins of TMbed's table, with the letters of the scheme ``topology``."""
    csv.field_size_limit(10**8)
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        return [
            Labelled(
                row["id"], row["sequence"], row["labels"].translate(_LETTERS), int(row["fold"])
            )
            for row in csv.DictReader(lines, delimiter="\t")
        ]


def read_others(path: Path) -> list[dict[str, str]]:
    """Return the rows of the table of homologs or of anchored proteins."""
    with open(path, encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def drawn(text: str, sides: int) -> int:
    """Return a number below ``sides`` that looks random and is the same for the same text."""
    return zlib.crc32(text.encode()) % sides


def cut_at(name: str) -> int:
    """Return how many residues a cut copy has."""
    return _SHORT + drawn(name, _SPREAD)


def copies(protein: Labelled) -> Iterator[Labelled]:
    """Yield a training protein whole and cut."""
    whole, cut = _COPIES[protein.kind]
    for copy in range(whole + cut):
        name = f"{protein.id}/{copy + 1}"
        yield protein.first(name, len(protein.labels) if copy < whole else cut_at(name))


def homolog_copies(row: dict[str, str]) -> Iterator[Labelled]:
    """Yield a homolog whole, cut, or both: most of those with a signal peptide alone are cut."""
    homolog = Labelled(row["id"], row["sequence"], row["labels"], int(row["fold"]))
    secreted = homolog.kind == "S"
    if not secreted or not drawn(homolog.id, 4):
        yield homolog
    if secreted or drawn(homolog.id, 2):
        yield homolog.first(f"{homolog.id}/cut", cut_at(f"{homolog.id}/cut"))


def anchored_copies(row: dict[str, str]) -> Iterator[Labelled]:
    """Yield an anchored protein twice, and its end."""
    name, sequence, labels = row["id"], row["sequence"], row["labels"]
    for copy in (1, 2):
        yield Labelled(f"{name}/{copy}", sequence, labels, NO_FOLD)
    start = -min(_END + drawn(name, _END_SPREAD), len(sequence))
    end = "?" * _BEGINS + labels[start:][_BEGINS:]
    yield Labelled(f"{name}/end", sequence[start:], end, NO_FOLD)


def rows_of(
    fold: str,
    proteins: list[Labelled],
    homologs: list[dict[str, str]],
    anchored: list[dict[str, str]],
) -> Iterator[tuple[str, ...]]:
    """Yield the rows of the table that tests a fold, or :data:`ALL`."""
    held_out = set[str]()
    for protein in proteins:
        tested = str(protein.fold) == fold
        if fold == ALL:
            tested = not drawn(f"{protein.id} is tested", _TESTED_ONE_IN)
        if tested or not drawn(f"{protein.id} validates", _VALIDATES_ONE_IN):
            held_out.add(protein.id)
            split = "test" if tested else "valid"
            yield protein.id, protein.sequence, protein.labels, split
            continue
        for copy in copies(protein):
            yield copy.id, copy.sequence, copy.labels, "train"
    for others, copies_of in ((homologs, homolog_copies), (anchored, anchored_copies)):
        for row in others:
            if held_out.isdisjoint(row["parent"].split(",")):
                for copy in copies_of(row):
                    yield copy.id, copy.sequence, copy.labels, "train"


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("topology", type=Path)
    parser.add_argument("homologs", type=Path)
    parser.add_argument("anchored", type=Path)
    parser.add_argument("output", type=Path)
    given = parser.parse_args()
    proteins = read_labelled(given.topology)
    homologs, anchored = read_others(given.homologs), read_others(given.anchored)
    given.output.mkdir(parents=True, exist_ok=True)
    for fold in (*map(str, range(FOLDS)), ALL):
        name = ALL if fold == ALL else f"fold{int(fold) + 1}"
        with open(given.output / f"{name}.tsv", "w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, delimiter="\t", lineterminator="\n")
            writer.writerow(_COLUMNS)
            rows = rows_of(fold, proteins, homologs, anchored)
            writer.writerows(row for row in rows if row[2].strip("?"))


if __name__ == "__main__":
    main()
