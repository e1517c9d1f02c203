"""Write one FASTA of different proteins without labels, from two packages of Debian.

metastudent-data   Swiss-Prot of January 2014, as volumes of BLAST (version 4)
metaphlan2-data    marker genes of bacteria, archaea and viruses, translated in their frame

apt-get install metastudent-data metaphlan2-data
python scripts/unlabelled_proteins.py unlabelled.fasta

Without installing them: apt-get download, dpkg -x PACKAGE FOLDER, and --root FOLDER.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from grubio.files import written_whole
from grubio.readers.fasta import read_fasta
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.translation import translated

VOLUMES = "usr/share/metastudent-data/dataset_201401/*/*.psq"
MARKERS = "var/lib/metaphlan2-data/markers.fasta"
LENGTHS = 30, 1500
MOST_UNKNOWN = 0.05
_NCBI_STDAA = "-ABCDEFGHIKLMNPQRSTVWXYZU*OJ"
"""The letter of each code in a volume of BLAST."""
_STOP = "*"


def blast_sequences(path: Path) -> Iterator[str]:
    """Yield the sequences of a ``.psq``: codes of residues, a zero byte between sequences."""
    letters = (_NCBI_STDAA + PROTEIN.unknown * 256)[:256].encode("ascii")
    for codes in path.read_bytes().split(b"\0"):
        if codes:
            yield codes.translate(letters).decode("ascii")


def protein_of(gene: str) -> str | None:
    """Return the protein of a gene that is in frame from its first base; None if it is not.

    Examples
    --------
    >>> protein_of("ATGAAATAA"), protein_of("ATGTAAAAA"), protein_of("ATGA")
    ('MK', None, None)
    """
    if len(gene) % 3:
        return None
    # Marker genes may begin within a gene: their first codon is read like any other.
    protein = translated(gene.upper(), begun=False)
    return None if _STOP in protein else protein


def is_usable(protein: str) -> bool:
    """Return whether a protein is of moderate length, and nearly all of its residues are known."""
    return (
        LENGTHS[0] <= len(protein) <= LENGTHS[1]
        and not PROTEIN.invalid_positions(protein)
        and protein.count(PROTEIN.unknown) <= MOST_UNKNOWN * len(protein)
    )


def different(named: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield names and usable proteins, each protein once."""
    seen: set[bytes] = set()
    for name, protein in named:
        digest = hashlib.sha256(protein.encode("ascii")).digest()[:16]
        if is_usable(protein) and digest not in seen:
            seen.add(digest)
            yield name, protein


def proteins(root: Path) -> Iterator[tuple[str, str]]:
    """Yield names and proteins of both packages below a folder; one that is not there has none."""
    volumes = sorted(root.glob(VOLUMES))
    in_volumes = chain.from_iterable(map(blast_sequences, volumes))
    for number, protein in enumerate(in_volumes, start=1):
        yield f"swissprot2014-{number}", protein
    if (root / MARKERS).exists():
        for number, gene in enumerate(read_fasta(root / MARKERS), start=1):
            if (translation := protein_of(gene.sequence)) is not None:
                yield f"marker-{number}", translation


def main() -> None:
    """Write the FASTA."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--root", type=Path, default=Path("/"), help="where the packages are")
    arguments = parser.parse_args()
    count = residues = 0
    with written_whole(arguments.output) as temporary, open(temporary, "w") as out:
        for name, protein in different(proteins(arguments.root)):
            out.write(f">{name}\n{protein}\n")
            count, residues = count + 1, residues + len(protein)
        if not count:
            parser.error(f"neither {VOLUMES} nor {MARKERS} is in {arguments.root}")
    print(f"{count:,} different proteins, {residues:,} residues")


if __name__ == "__main__":
    main()
