"""Homology search with MMseqs2 (Steinegger and Soeding, Nature Biotechnology 35:1026, 2017)."""

from __future__ import annotations

import math
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from grubio.errors import GrubioError
from grubio.sequences.alphabet import DNA, Alphabet
from grubio.splits.homology.hit import Hit

_COLUMNS = "query,target,fident,alnlen,qlen,tlen,evalue"


def search(
    queries: Mapping[str, str], targets: Mapping[str, str], alphabet: Alphabet, threads: int
) -> Iterator[Hit]:
    """Yield alignments found at the highest sensitivity (``-s 7.5``).

    Raises
    ------
    GrubioError
        With the last lines that MMseqs2 wrote, if it fails.
    """
    query_ids, target_ids = list(queries), list(targets)
    with tempfile.TemporaryDirectory(prefix="grubio-mmseqs-") as name:
        folder = Path(name)
        # Numbers instead of ids: MMseqs2 shortens and parses some ids.
        _write(folder / "queries.fasta", queries)
        _write(folder / "targets.fasta", targets)
        command = ["mmseqs", "easy-search", "queries.fasta", "targets.fasta", "hits.tsv", "work"]
        command += ["-s", "7.5", "-e", "1", "--max-seqs", "1000", "--threads", str(threads)]
        command += ["--format-output", _COLUMNS, "-v", "1"]
        if alphabet is DNA:
            word = dna_word(sum(map(len, targets.values())))
            command += ["--search-type", "3", "-k", str(word)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if "No k-mer could be extracted" in done.stdout + done.stderr:
            return  # its mask hides every chain; near copies are searched for without it
        if done.returncode:
            message = " / ".join((done.stdout + done.stderr).strip().splitlines()[-3:])
            raise GrubioError(f"mmseqs failed: {message}", hint="or use --method kmer")
        with open(folder / "hits.tsv", encoding="ascii") as lines:
            for line in lines:
                query, target, identity, aligned, *sizes, evalue = line.rstrip("\n").split("\t")
                ids = query_ids[int(query)], target_ids[int(target)]
                if ids[0] != ids[1]:
                    coverage = min(int(aligned) / min(map(int, sizes)), 1.0)
                    yield Hit(*ids, float(identity), int(aligned), coverage, float(evalue))


def dna_word(letters: int) -> int:
    """Return the length of the words that DNA is searched by, for so many letters of targets.

    A word is expected among the targets by chance a quarter of a time at most. MMseqs2 itself takes
    15 letters for targets of any size: its table of all words needs 8 GB of memory and half a
    minute, also for a handful of sequences.

    Examples
    --------
    >>> dna_word(100_000), dna_word(4_600_000), dna_word(3_000_000_000)
    (11, 13, 15)
    """
    return min(max(math.ceil(math.log(max(letters, 1), 4)) + 1, 11), 15)


def _write(path: Path, sequences: Mapping[str, str]) -> None:
    with open(path, "w", encoding="ascii") as out:
        for number, sequence in enumerate(sequences.values()):
            out.write(f">{number}\n{sequence.upper()}\n")
