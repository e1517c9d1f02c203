"""The record: one sequence with what is known about its residues."""

from __future__ import annotations

from dataclasses import dataclass, replace

PROFILE_COLUMNS = 20
"""Residues in a column of a profile, in the order ``ACDEFGHIKLMNPQRSTVWY``."""


@dataclass(frozen=True, slots=True)
class Record:
    """One sequence, optionally labelled.

    Attributes
    ----------
    id
        First word of the header, byte for byte.
    description
        Rest of the header, possibly empty.
    sequence
        Residue letters as they came, case kept.
    labels
        One label letter per residue, or None; ``?`` where the label is unknown.
    mask
        ``1`` where a residue counts and ``0`` where it does not, or None if all count.
    group
        Identifier of the homology cluster (or genome block), once known.
    split
        ``train``, ``valid`` or ``test``, once known.
    accessibility
        Relative solvent accessibility in tenths, one digit per residue, ``-`` where unknown; or
        None.
    profile
        Substitution frequencies of each residue among its homologs, uint8 ``(residue, 20)`` in C
        order, sixty-thirds, in the order ``ACDEFGHIKLMNPQRSTVWY``; or None.
    """

    id: str
    description: str
    sequence: str
    labels: str | None = None
    mask: str | None = None
    group: str | None = None
    split: str | None = None
    accessibility: str | None = None
    profile: bytes | None = None

    def __len__(self) -> int:
        """Return the number of residues."""
        return len(self.sequence)

    def with_split(self, group: str | None, split: str | None) -> Record:
        """Return the same record in a group and a split."""
        return replace(self, group=group, split=split)
