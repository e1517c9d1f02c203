"""The record: one sequence, and what is known about its residues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from grubio.sequences.profile import Profile
from grubio.sequences.scheme import LabelScheme
from grubio.sequences.target import Answer

_UNSCORED = 255


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
        Residue letters as they were read, case kept.
    labels
        One label letter per residue, or None; ``?`` where the label is unknown.
    mask
        ``1`` where a residue counts and ``0`` where it does not, or None if all count.
    group
        Identifier of the homology cluster (or genome block), once known.
    split
        ``train``, ``valid`` or ``test``, once known.
    answers
        Answers for additional targets, by name; a target without an answer is left out.
    profile
        How often each amino acid takes the place of each residue, if that is known.
    fold
        Name of the fold of a cross-validation, if the user has one.
    """

    id: str
    description: str
    sequence: str
    labels: str | None = None
    mask: str | None = None
    group: str | None = None
    split: str | None = None
    answers: Mapping[str, Answer] = field(default_factory=dict, compare=False)
    profile: Profile | None = field(default=None, compare=False)
    fold: str | None = None

    def __len__(self) -> int:
        """Return the number of residues."""
        return len(self.sequence)

    def with_split(self, group: str | None, split: str | None) -> Record:
        """Return the same record in a group and a split."""
        return replace(self, group=group, split=split)


def answered_record(record: Record, target: str) -> Record:
    """Return a record whose labels are its answers for another target of classes, all counted."""
    answer = record.answers.get(target)
    return replace(record, labels=answer if isinstance(answer, str) else None, mask=None)


def scored_classes(record: Record, scheme: LabelScheme) -> npt.NDArray[np.uint8]:
    """Return the class of each residue, uint8 ``(residue,)``; 255 where it does not count."""
    if record.labels is None:
        return np.full(len(record), _UNSCORED, dtype=np.uint8)
    classes = scheme.encode(record.labels).copy()
    if record.mask is not None:
        classes[np.frombuffer(record.mask.encode("ascii"), dtype=np.uint8) == ord("0")] = _UNSCORED
    return classes
