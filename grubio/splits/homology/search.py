"""Search for homologs: which chains of one set resemble which chains of another."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Mapping

from grubio.config import SplitSettings
from grubio.errors import GrubioError
from grubio.sequences.alphabet import Alphabet
from grubio.splits.homology.hit import Hit

logger = logging.getLogger(__name__)


def find_hits(
    queries: Mapping[str, str],
    targets: Mapping[str, str],
    alphabet: Alphabet,
    settings: SplitSettings,
    threads: int,
) -> Iterator[Hit]:
    """Yield alignments of queries with targets, both sequences by id; never of an id with itself.

    Raises
    ------
    GrubioError
        If MMseqs2 is asked for and missing, or fails.
    """
    if not queries or not targets:
        return
    if chosen_method(settings) == "mmseqs":
        from grubio.splits.homology.mmseqs import search
    else:
        from grubio.splits.homology.kmer import search
    yield from search(queries, targets, alphabet, threads)


def chosen_method(settings: SplitSettings) -> str:
    """Return ``mmseqs`` or ``kmer``.

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
    return settings.method if settings.method != "auto" else "mmseqs" if installed else "kmer"
