"""Homologs of labelled proteins, with the labels of what they are aligned with.

python scripts/topology_homologs.py topology.tsv.xz unlabelled.fasta homologs.tsv

Proteins with helices, strands or a signal peptide have up to 20 homologs each, whole, with ``?``
where nothing is aligned. What resembles proteins of two folds is left out: MMseqs2 searches the
labelled proteins among the others, and what it found among the labelled ones again. The labelled
proteins are those of ``scripts/topology_table.py``, the others of
``scripts/unlabelled_proteins.py``.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grubio.errors import GrubioError
from grubio.files import written_whole
from grubio.model.devices import available_threads
from grubio.readers.fasta import read_fasta
from grubio.sequences.record import Record
from topology_table import Labelled, read_labelled
from transfer_labels import database_of, hits

_MOST = {"M": 10, "B": 20, "S": 12}
_IDENTITY = (0.25, 0.92)
_EVALUE = 1e-6
_LEAST_OF_PARENT, _LEAST_OF_HOMOLOG = 0.6, 0.5
_RESEMBLES = 0.01
"""E-value below which a protein resembles a labelled one."""
_NEAR_START = 8, 15
"""Where an alignment with a signal peptide begins at the latest, in the parent and the homolog."""
_SIGNAL = 12, 70
_SURE = 5
"""A cleavage site is known if so many residues on either side of it are aligned without a gap."""
_LARGEST_HOLE = 3
_CIGAR = re.compile(r"(\d+)([MID])")
_COLUMNS = "query,target,fident,evalue,qstart,qend,tstart,tend,cigar"


@dataclass(frozen=True)
class Alignment:
    """Of a labelled protein with another; places are 0-based, ends exclusive."""

    target: int
    identity: float
    evalue: float
    own: tuple[int, int]
    other: tuple[int, int]
    cigar: str

    @classmethod
    def read(cls, cells: Sequence[str]) -> Alignment:
        """Return what a row of MMseqs2 says, without its query."""
        target, identity, evalue, *places, cigar = cells
        own, own_end, other, other_end = map(int, places)
        return cls(
            int(target),
            float(identity),
            float(evalue),
            (own - 1, own_end),
            (other - 1, other_end),
            cigar,
        )

    def blocks(self) -> Iterator[tuple[int, int, int]]:
        """Yield the first residue of each gapless part in both proteins, and its residues."""
        own, other = self.own[0], self.other[0]
        for count, kind in _CIGAR.findall(self.cigar):
            size = int(count)
            if kind == "M":
                yield own, other, size
            own += size * (kind != "D")
            other += size * (kind != "I")


def transferred(known: str, length: int, alignment: Alignment) -> str | None:
    """Return the labels of a homolog of so many residues; None if its signal peptide is not known.

    A signal peptide begins at residue 1 and ends where that of the labelled protein does; residues
    around an end that is not aligned for certain are unknown.
    """
    labels = ["?"] * length
    signal = len(known) - len(known.lstrip("S"))
    cut = None
    for own, other, size in alignment.blocks():
        labels[other : other + size] = known[own : own + size]
        if own < signal <= own + size:
            cut = other + signal - own
            sure = own <= signal - _SURE - 1 and own + size >= signal + _SURE
    if signal:
        late = alignment.own[0] > _NEAR_START[0] or alignment.other[0] > _NEAR_START[1]
        if late or cut is None or not _SIGNAL[0] <= cut <= _SIGNAL[1]:
            return None
        labels[:cut] = "S" * cut
        if not sure:
            start, end = max(cut - _SURE - 1, 10), min(cut + _SURE + 1, length)
            labels[start:end] = "?" * (end - start)
    elif "S" in labels:
        return None
    # A short insertion in a helix or a strand is part of it.
    hole = rf"(?<=([MB]))(\?{{1,{_LARGEST_HOLE}}})(?=\1)"
    return re.sub(hole, lambda found: found[1] * len(found[2]), "".join(labels))


def homologs(
    proteins: Sequence[Labelled],
    others: Sequence[Record],
    found: dict[int, list[Alignment]],
) -> Iterator[tuple[Labelled, Labelled]]:
    """Yield homologs with the labelled protein of each; none twice, none of two folds."""
    folds = defaultdict[int, set[int]](set)
    for number, alignments in found.items():
        for alignment in alignments:
            folds[alignment.target].add(proteins[number].fold)
    taken = set[int]()
    known = {protein.sequence for protein in proteins}
    order = list(found)
    random.Random(1).shuffle(order)
    for number in order:
        parent = proteins[number]
        if not parent.kind:
            continue
        random.Random(number).shuffle(found[number])
        count = 0
        for alignment in found[number]:
            other = others[alignment.target]
            if (
                alignment.target in taken
                or len(folds[alignment.target]) > 1
                or other.sequence in known
                or not _is_close(alignment, len(parent.sequence), len(other.sequence))
            ):
                continue
            labels = transferred(parent.labels, len(other.sequence), alignment)
            if labels is None or parent.kind not in labels:
                continue
            taken.add(alignment.target)
            name = f"{parent.id}~{other.id}"
            yield Labelled(name, other.sequence, labels, parent.fold), parent
            count += 1
            if count == _MOST[parent.kind]:
                break


def _is_close(alignment: Alignment, own: int, other: int) -> bool:
    return (
        alignment.evalue <= _EVALUE
        and _IDENTITY[0] <= alignment.identity <= _IDENTITY[1]
        and alignment.own[1] - alignment.own[0] >= _LEAST_OF_PARENT * own
        and alignment.other[1] - alignment.other[0] >= _LEAST_OF_HOMOLOG * other
    )


def resembled(
    sequences: Sequence[str], proteins: Sequence[Labelled], threads: int, folder: Path
) -> dict[int, set[Labelled]]:
    """Return the labelled proteins that each sequence resembles, by its number."""
    database = database_of((protein.sequence for protein in proteins), folder, "labelled")
    records = [Record(str(n), "", sequence) for n, sequence in enumerate(sequences)]
    words = ["-s", "6", "-e", str(_RESEMBLES), "--max-seqs", "600", "--threads", str(threads)]
    return {
        number: {proteins[int(target)] for (target,) in rows}
        for number, rows in hits(records, database, "query,target", words, folder)
    }


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("topology", type=Path)
    parser.add_argument("fasta", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--threads", type=int, default=available_threads())
    run(parser, write)


def run(parser: argparse.ArgumentParser, write: Callable[[argparse.Namespace, Path], None]) -> None:
    """Call a function with what was given and a temporary folder; exit with 2 on an error."""
    given = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as name:
            write(given, Path(name))
    except GrubioError as error:
        parser.exit(2, f"error: {error}\n")


def write(given: argparse.Namespace, folder: Path) -> None:
    """Search for homologs, and write those that resemble one fold alone."""
    proteins, others = read_labelled(given.topology), list(read_fasta(given.fasta))
    database = database_of((one.sequence for one in others), folder, "others")
    records = [Record(one.id, "", one.sequence) for one in proteins]
    words = ["-a", "-s", "6", "-e", "0.001", "--max-seqs", "400", "--threads", str(given.threads)]
    found = {
        number: [Alignment.read(cells) for cells in rows]
        for number, rows in hits(records, database, _COLUMNS, words, folder)
    }
    pairs = list(homologs(proteins, others, found))
    sequences = [homolog.sequence for homolog, _ in pairs]
    similar = resembled(sequences, proteins, given.threads, folder)
    with written_whole(given.output) as temporary, open(temporary, "w", encoding="utf-8") as out:
        writer = csv.writer(out, delimiter="\t", lineterminator="\n")
        writer.writerow(("id", "sequence", "labels", "fold", "parent"))
        for number, (own, parent) in enumerate(pairs):
            if {one.fold for one in similar.get(number, ())} <= {own.fold}:
                writer.writerow((own.id, own.sequence, own.labels, own.fold, parent.id))


if __name__ == "__main__":
    main()
