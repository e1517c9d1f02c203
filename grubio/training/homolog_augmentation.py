"""Augmentation of training sequences by substitutions from their own profiles."""

from __future__ import annotations

import torch
from torch import Tensor


def with_substitutions(codes: Tensor, profile: Tensor, largest_share: float) -> Tensor:
    """Return codes in which some residues are replaced by draws from the chain's own profile.

    Parameters
    ----------
    codes
        Residue codes, integer ``(time, batch)``.
    profile
        Substitution frequencies, ``(time, batch, 20)``; residues with zeros are not replaced.
    largest_share
        The share of replaced residues is drawn between 0 and this, for each chain.
    """
    share = largest_share * torch.rand(codes.shape[1], device=codes.device)
    chosen = (torch.rand(codes.shape, device=codes.device) < share) & (profile.sum(dim=2) > 0)
    mutated = codes.clone()
    if chosen.any():
        drawn = torch.multinomial(profile[chosen].float(), 1).squeeze(1)
        mutated[chosen] = drawn.to(codes.dtype)
    return mutated
