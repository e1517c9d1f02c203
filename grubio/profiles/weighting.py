"""An alignment in, a profile out: sequences that resemble many others count less.

Weights are the position-based ones of Henikoff and Henikoff (J. Mol. Biol. 243:574, 1994): in each
column a residue shared by ``s`` of the sequences, in a column of ``r`` kinds of residue, gives each
of them ``1 / (r * s)``. Gaps give nothing, and the sum of a sequence is divided by its number of
residues, as in HMMER, so that a fragment counts where it is aligned as a whole sequence would.

How diverse a column is (``N`` of :mod:`grubio.profiles.pseudocounts`) is the mean number of kinds
of residue in the 21 columns around it. PSI-BLAST takes the mean over those columns around it that
the same sequences cover.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from grubio.profiles.pseudocounts import with_pseudocounts
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.profile import Profile, profile_from

_KINDS = PROTEIN.channels
REACH = 10
"""Residues before and after a column whose kinds of residue tell how diverse it is."""

Floats = npt.NDArray[np.float64]


def profile_of_rows(rows: Sequence[str]) -> Profile:
    """Return the profile of the first sequence of an alignment.

    Columns in which it has a gap (``-`` or ``.``) are left out, and so are rows that repeat an
    earlier one. Letters of the other rows that are no amino acid count as gaps.

    Parameters
    ----------
    rows
        Aligned sequences of equal length, one text each.

    Raises
    ------
    ValueError
        If there are no rows, the first has no residue, or one has another length than the first.

    Examples
    --------
    >>> profile = profile_of_rows(["MK-V", "MRAV", "MR-V", "M---"])
    >>> profile.sequence, profile.depth, profile.frequencies.shape
    ('MKV', 3, (3, 20))
    """
    if not rows or not rows[0].strip("-."):
        raise ValueError("the alignment is empty")
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            raise ValueError(
                f"sequence {number} of the alignment has {len(row)} columns; "
                f"{len(rows[0])} were expected"
            )
    text = np.frombuffer("".join(rows).upper().encode("ascii", "replace"), dtype=np.uint8)
    text = text.reshape(len(rows), -1)
    text = text[:, ~np.isin(text[0], (ord("-"), ord(".")))]
    residues = PROTEIN.residue_of_byte[text]
    # The first row stays even if nothing in it is an amino acid.
    _, first = np.unique(residues, axis=0, return_index=True)
    first = np.array(sorted({0, *first.tolist()}))
    residues = residues[first[(first == 0) | (residues[first] >= 0).any(axis=1)]]
    observed, kinds = weighted_frequencies(residues)
    return profile_from(
        text[0].tobytes().decode("ascii"),
        with_pseudocounts(observed, mean_around(kinds)),
        len(residues),
        _effective_number(observed),
    )


def own_profile(sequence: str) -> Profile:
    """Return the profile of a sequence without homologs: what BLOSUM62 expects in its place.

    Raises
    ------
    ValueError
        If it is empty.

    Examples
    --------
    >>> own_profile("MKV").depth
    1
    """
    return profile_of_rows([sequence])


def weighted_frequencies(
    residues: npt.NDArray[np.int64],
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return weighted frequencies ``(column, 20)`` and the kinds of residue, ``(column,)``.

    Rows of columns without a residue are zeros.

    Parameters
    ----------
    residues
        Index of the amino acid of each ``(sequence, column)``; -1 for none.
    """
    columns = residues.shape[1]
    places = residues + _KINDS * np.arange(columns)
    present = residues >= 0
    counts = np.bincount(places[present], minlength=columns * _KINDS)
    kinds = (counts.reshape(columns, _KINDS) > 0).sum(axis=1)
    shares = np.where(present, 1 / np.maximum(kinds * counts[np.where(present, places, 0)], 1), 0)
    weights = shares.sum(axis=1) / np.maximum(present.sum(axis=1), 1)
    spread = np.broadcast_to(weights[:, np.newaxis], residues.shape)[present]
    sums = np.bincount(places[present], spread, minlength=columns * _KINDS)
    sums = sums.reshape(columns, _KINDS).astype(np.float64)
    totals = sums.sum(axis=1, keepdims=True)
    return np.divide(sums, totals, out=np.zeros_like(sums), where=totals > 0), kinds


def mean_around(kinds: npt.NDArray[np.int64]) -> Floats:
    """Return the mean over the columns around each, :data:`REACH` on both sides, ``(column,)``."""
    ends = np.concatenate(([0], np.cumsum(kinds)))
    place = np.arange(len(kinds))
    first, last = np.maximum(place - REACH, 0), np.minimum(place + REACH + 1, len(kinds))
    return np.asarray((ends[last] - ends[first]) / (last - first), dtype=np.float64)


def _effective_number(observed: Floats) -> float:
    known = observed[observed.sum(axis=1) > 0]
    if not len(known):
        return 1.0
    logs = np.log(known, out=np.zeros_like(known), where=known > 0)
    return float(np.exp(-(known * logs).sum(axis=1).mean()))
