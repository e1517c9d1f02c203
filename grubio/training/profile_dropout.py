"""Training sequences without homologs: some profiles are replaced by that of the sequence alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from grubio.profiles.weighting import own_profile
from grubio.sequences.alphabet import PROTEIN


def own_profile_table() -> npt.NDArray[np.float32]:
    """Return the profile that each residue code has in a sequence alone, float32 ``(code, 20)``.

    There, it depends on no other residue (:func:`grubio.profiles.weighting.own_profile`). The last
    row, that of padding, is zeros.
    """
    known = own_profile(PROTEIN.codes).frequencies
    return np.concatenate((known, np.zeros((1, PROTEIN.channels), dtype=np.float32)))


def with_own_profiles(profiles: Tensor, codes: Tensor, table: Tensor, share: float) -> Tensor:
    """Return profiles of which a share of the sequences have those of themselves alone.

    Parameters
    ----------
    profiles
        Frequencies of the amino acids, float ``(time, batch, 20)``, zeros at padding.
    codes
        Residue codes, integer ``(time, batch)``.
    table
        Of :func:`own_profile_table`.
    share
        The probability of each sequence to lose its homologs.
    """
    alone = torch.rand(codes.shape[1], device=codes.device) < share
    return torch.where(alone[:, None], table[codes.long()], profiles)
