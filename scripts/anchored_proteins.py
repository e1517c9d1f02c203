"""Proteins whose end holds them to a membrane or a cell wall, and is no membrane helix.

python scripts/anchored_proteins.py topology.tsv.xz anchored.tsv

The end of a protein that gets an anchor of glycosylphosphatidylinositol, or that sortase ties to
the cell wall, is hydrophobic like a helix and is cut off. Annotations of the Gene Ontology say
which proteins of Swiss-Prot have one (``metastudent-data``, 2014; see
``scripts/unlabelled_proteins.py``); proteins with a known helix are left out, and of similar ones
all but one. They have a signal peptide, and are outside from residue 60 to the end. What
``protein-topology`` takes for a helix further inside, or for a strand, may be one, and is unknown;
proteins in which it sees no signal peptide are left out.

The output is a table like that of ``scripts/topology_homologs.py``; ``parent`` names the labelled
proteins that each resembles, with commas between them.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import grubio
from grubio.files import written_whole
from grubio.inference.labelled_sequence import LabelledSequence
from grubio.model.devices import available_threads
from grubio.profiles.search import run_mmseqs
from topology_homologs import resembled, run
from topology_table import read_labelled
from transfer_labels import database_of
from unlabelled_proteins import blast_sequences, is_usable

_VOLUME = "usr/share/metastudent-data/dataset_201401/CCO/goasp"
_ANCHORED = {"GO:0031225", "GO:0046658", "GO:0031362"}
"""Anchored component of a membrane, of the plasma membrane, of its outer side."""
_WALL = {"GO:0005618", "GO:0009277"}
_INTEGRAL = {"GO:0016021", "GO:0005887"}
_SORTED = re.compile(r"LP.T[GANS].{10,30}[KR]")
"""The motif of sortase, and basic residues behind a hydrophobic stretch."""
_END = 60
_SIGNAL = 10
"""Residues that every signal peptide has."""
_LEAST = 100
_AROUND = 5
"""Residues on both sides of a possible helix that are unknown too."""
_IDENTITY, _COVERAGE = 0.4, 0.7
"""Of similar proteins."""


def is_anchored(terms: set[str], sequence: str) -> bool:
    """Return whether the annotations of a protein speak of an anchor, and of no helix.

    Examples
    --------
    >>> is_anchored({"GO:0031225"}, ""), is_anchored({"GO:0031225", "GO:0016021"}, "")
    (True, False)
    >>> wall = {"GO:0005618"}
    >>> is_anchored(wall, "KLPKTGDHKTVVLIIVLGLVFVGMTGLLARHEKK"), is_anchored(wall, "MKK")
    (True, False)
    """
    sorted_to_wall = terms & _WALL and _SORTED.search(sequence[-_END:])
    return bool(terms & _ANCHORED or sorted_to_wall) and not terms & _INTEGRAL


def anchored(root: Path) -> Iterator[tuple[str, str]]:
    """Yield names and sequences of the anchored proteins of Swiss-Prot below a folder."""
    with open(root / f"{_VOLUME}_annot.dat", encoding="ascii") as lines:
        sequences = blast_sequences(root / f"{_VOLUME}.fasta.psq")
        for line, sequence in zip(lines, sequences, strict=True):
            name, *terms = line.rstrip("\n").split("\t")
            if is_usable(sequence) and len(sequence) >= _LEAST and is_anchored({*terms}, sequence):
                yield name, sequence


def representatives(
    proteins: Sequence[tuple[str, str]], threads: int, folder: Path
) -> list[tuple[str, str]]:
    """Return one protein of each cluster of MMseqs2."""
    database_of((sequence for _, sequence in proteins), folder, "anchored")
    words = ["linclust", "anchored", "clusters", "work", "--min-seq-id", str(_IDENTITY)]
    run_mmseqs(*words, "-c", str(_COVERAGE), "--threads", str(threads), folder=folder)
    run_mmseqs("createtsv", "anchored", "anchored", "clusters", "clusters.tsv", folder=folder)
    lines = (folder / "clusters.tsv").read_text(encoding="ascii").splitlines()
    return [proteins[number] for number in sorted({int(line.split("\t")[0]) for line in lines})]


def end_outside(found: str) -> str | None:
    """Return the labels of an anchored protein whose labels were predicted.

    None without a signal peptide.

    Examples
    --------
    >>> labels = end_outside("S" * 20 + "O" * 60 + "M" * 20 + "I" * 60 + "M" * 20)
    >>> labels == "S" * 10 + "?" * 50 + "O" * 15 + "?" * 30 + "O" * 75
    True
    """
    if not found.startswith("S"):
        return None
    labels = list("O" * len(found))
    for inner in re.finditer("M+|B+", found[:-_END]):
        start, end = max(inner.start() - _AROUND, 0), inner.end() + _AROUND
        labels[start:end] = "?" * (end - start)
    labels[:_END] = "S" * _SIGNAL + "?" * (_END - _SIGNAL)
    return "".join(labels)


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("topology", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--root", type=Path, default=Path("/"), help="where the package is")
    parser.add_argument("--threads", type=int, default=available_threads())
    run(parser, write)


def write(given: argparse.Namespace, folder: Path) -> None:
    """Label the proteins, search for what they resemble, and write them."""
    proteins = representatives(list(anchored(given.root)), given.threads, folder)
    model = grubio.load("protein-topology", device="cpu", threads=given.threads)
    rows = []
    for found in model.predict(dict(proteins), on_invalid="mask"):
        assert isinstance(found, LabelledSequence)
        labels = end_outside(found.labels)
        if labels is not None:
            rows.append((found.id, found.sequence, labels))
    known = read_labelled(given.topology)
    similar = resembled([sequence for _, sequence, _ in rows], known, given.threads, folder)
    with written_whole(given.output) as temporary, open(temporary, "w", encoding="utf-8") as out:
        writer = csv.writer(out, delimiter="\t", lineterminator="\n")
        writer.writerow(("id", "sequence", "labels", "parent"))
        for number, row in enumerate(rows):
            parents = sorted(one.id for one in similar.get(number, ()))
            writer.writerow((*row, ",".join(parents)))


if __name__ == "__main__":
    main()
