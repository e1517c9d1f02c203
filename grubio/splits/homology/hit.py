"""An alignment of two chains, and whether they count as homologs.

Alignments with an E-value above 1 are ignored. Two chains count as homologs if one has an
E-value below ``max_evalue``, or an identity of at least ``min_identity`` over at least 80 residues
and half of the shorter chain. Shorter alignments reach 25 % identity by chance (Rost, Protein
Engineering 12:85, 1999). A chain that is contained whole in another always counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from grubio.config import SplitSettings

MIN_ALIGNED = 80
MIN_COVERAGE = 0.5


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

    @property
    def is_copy(self) -> bool:
        """Whether one chain is contained whole in the other."""
        return self.identity == self.coverage == 1

    def is_meaningful(self, settings: SplitSettings) -> bool:
        """Return whether it is a copy, significant, or long enough for its identity to count."""
        long_enough = self.aligned >= MIN_ALIGNED and self.coverage >= MIN_COVERAGE
        return self.is_copy or self.evalue < settings.max_evalue or long_enough

    def is_alike(self, settings: SplitSettings) -> bool:
        """Return whether the alignment is significant or similar, however short it is.

        Chains of a benchmark are kept out of training by this stricter rule.
        """
        return self.evalue < settings.max_evalue or self.identity >= settings.min_identity

    def is_homolog(self, settings: SplitSettings) -> bool:
        """Return whether the chains count as homologs."""
        return self.is_meaningful(settings) and (
            self.evalue < settings.max_evalue or self.identity >= settings.min_identity
        )
