"""Search for homologs: which chains of one set resemble which chains of another.

Alignments with an E-value above 1 are not looked at. Two chains count as homologs if one has an
E-value below ``max_evalue``, or an identity of at least ``min_identity`` over at least 80 residues
and half of the shorter chain. Shorter stretches reach 25 % identity by chance (Rost, Protein
Engineering 12:85, 1999).
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from grubio.alphabet import Alphabet
from grubio.config import SplitSettings
from grubio.errors import GrubioError

MIN_ALIGNED = 80
MIN_COVERAGE = 0.5

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hit:
    """One local alignment.

    Attributes
    ----------
    query, target
        Ids of the chains.
    identity
        Share of identical residues among aligned columns.
    aligned
        Aligned columns.
    coverage
        Aligned share of the shorter chain, at most 1.
    evalue
        Expected number of chance alignments as good.
    """

    query: str
    target: str
    identity: float
    aligned: int
    coverage: float
    evalue: float

    def is_meaningful(self, settings: SplitSettings) -> bool:
        """Return whether the alignment is significant, or long enough for its identity to count."""
        long_enough = self.aligned >= MIN_ALIGNED and self.coverage >= MIN_COVERAGE
        return self.evalue < settings.max_evalue or long_enough

    def is_alike(self, settings: SplitSettings) -> bool:
        """Return whether the alignment is significant or alike, however short it is.

        Chains of a benchmark are kept out of training by this stricter rule.
        """
        return self.evalue < settings.max_evalue or self.identity >= settings.min_identity

    def is_homolog(self, settings: SplitSettings) -> bool:
        """Return whether the chains count as homologs; see the text of the package."""
        return self.is_meaningful(settings) and (
            self.evalue < settings.max_evalue or self.identity >= settings.min_identity
        )


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
        from grubio.homology.mmseqs import search
    else:
        from grubio.homology.kmer import search
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
