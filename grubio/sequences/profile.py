"""The profile of a sequence: how often each amino acid takes the place of each residue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grubio.sequences.alphabet import PROTEIN


@dataclass(frozen=True, eq=False)
class Profile:
    """Frequencies of the amino acids among the homologs of a sequence.

    Attributes
    ----------
    sequence
        The sequence that it belongs to, upper case.
    stored
        The frequencies as files hold them, float16 ``(residue, 20)``, each row summing to 1.
    depth
        Different sequences in the alignment, the sequence itself included; None if it is not known.
    neff
        Effective number of sequences, from 1 to 20: the exponential of the mean entropy of the
        columns before pseudocounts, as in HH-suite (Remmert et al., Nature Methods 9:173, 2012);
        None if it is not known.
    """

    sequence: str
    stored: npt.NDArray[np.float16]
    depth: int | None = None
    neff: float | None = None

    def __len__(self) -> int:
        """Return the number of residues."""
        return len(self.sequence)

    @property
    def frequencies(self) -> npt.NDArray[np.float32]:
        """The frequencies, float32 ``(residue, 20)``, columns in the order of the alphabet."""
        return self.stored.astype(np.float32)


def profile_from(
    sequence: str,
    frequencies: npt.NDArray[np.floating],
    depth: int | None = None,
    neff: float | None = None,
) -> Profile:
    """Return a profile from numbers ``(residue, 20)`` in the order of the protein alphabet.

    Rows are divided by their sums. They are rounded to half precision here and nowhere else, so
    that a profile is the same whether or not it has been in a file.

    Raises
    ------
    ValueError
        If there is not a row for each residue, or a row has no number above 0 or one below.
    """
    wanted = (len(sequence), PROTEIN.channels)
    if frequencies.shape != wanted:
        raise ValueError(f"frequencies {frequencies.shape}; {wanted} was expected")
    sums = frequencies.sum(axis=1, keepdims=True)
    if not (np.isfinite(sums).all() and (sums > 0).all() and (frequencies >= 0).all()):
        raise ValueError("a row of frequencies is empty, or has a number that is none")
    stored = np.asarray(frequencies / sums, dtype=np.float16)
    return Profile(sequence.upper(), stored, depth, neff)
