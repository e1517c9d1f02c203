"""Search for homologs: which chains of one set resemble which chains of another."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping

from grubio.config import SplitSettings
from grubio.errors import GrubioError
from grubio.sequences.alphabet import Alphabet
from grubio.splits.homology.hit import Hit

# MMseqs2 stops where no chain is long enough for a word of it.
_SHORTEST = 14


def find_hits(
    queries: Mapping[str, str],
    targets: Mapping[str, str],
    alphabet: Alphabet,
    settings: SplitSettings,
    threads: int,
) -> Iterator[Hit]:
    """Yield alignments of queries with targets, both sequences by id; never of an id with itself.

    Copies come first, whether or not the method finds them, and last near copies of chains for
    which it found no homolog. Each of many copies is in a pair, but not every pair is given.

    Raises
    ------
    GrubioError
        If MMseqs2 is asked for and missing, or fails.
    """
    if not queries or not targets:
        return
    if chosen_method(settings, queries, targets) == "mmseqs":
        from grubio.splits.homology.mmseqs import search
    else:
        from grubio.splits.homology.kmer import search
    from grubio.splits.homology.copies import copies, near_copies

    yield from copies(queries, targets, alphabet)
    seen = set()
    for hit in search(queries, targets, alphabet, threads):
        if hit.is_homolog(settings):
            seen |= {hit.query, hit.target}
        yield hit
    yield from near_copies(queries, targets, alphabet, seen)


def chosen_method(settings: SplitSettings, *sets: Mapping[str, str]) -> str:
    """Return ``mmseqs`` or ``kmer``; the latter too if one of the sets has no chain for MMseqs2.

    Raises
    ------
    GrubioError
        If MMseqs2 is asked for and is not installed.
    """
    installed = shutil.which("mmseqs") is not None
    if settings.method == "mmseqs" and not installed:
        raise GrubioError(
            "MMseqs2 is not installed",
            hint="apt install mmseqs2, conda install -c bioconda mmseqs2, or --method kmer",
        )
    long_enough = all(any(len(text) >= _SHORTEST for text in some.values()) for some in sets)
    return "mmseqs" if installed and long_enough and settings.method != "kmer" else "kmer"
