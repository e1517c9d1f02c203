"""Training sequences with few homologs: profiles as alignments of random depth would give them.

A profile tells what stands beside a residue in all homologs. An alignment with ``n`` of them is
made up from it: each homolog has, at each residue, a draw from the profile, or the residue of the
sequence itself, the more often the closer a relative it is. It is aligned to a stretch of the
sequence, or to all of it. The frequencies of that alignment get the pseudocounts of
:mod:`grubio.profiles.pseudocounts`, as those of a search do. Of many homologs no draws are needed:
their frequencies are the profile's.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from grubio.profiles.pseudocounts import BETA, background, expected_beside
from grubio.profiles.weighting import REACH
from grubio.sequences.alphabet import PROTEIN

DEEPEST = 1000
"""Most homologs of an alignment; the logarithm of their number is uniform from 0 on."""
CLOSEST = 0.8
"""Largest share of residues that homologs have from the sequence itself, beside those of draws."""
SHORTEST, LONGEST = 0.2, 1.5
"""Shares of the sequence that homologs are aligned to, drawn uniformly; above 1 it is all of it."""
_DRAWN = 32


def with_few_homologs(profiles: Tensor, codes: Tensor, table: Tensor, share: float) -> Tensor:
    """Return profiles of which a share of the sequences have those of alignments of random depth.

    Sequences whose profile is that of themselves alone keep it.

    Parameters
    ----------
    profiles
        Frequencies of the amino acids, float ``(time, batch, 20)``, zeros at padding.
    codes
        Residue codes, integer ``(time, batch)``.
    table
        Of :func:`grubio.training.profile_dropout.own_profile_table`.
    share
        The probability of each sequence to be given another depth.
    """
    size, device = codes.shape[1], codes.device
    alone = torch.isclose(profiles, table[codes.long()], atol=1e-3).all(dim=2).all(dim=0)
    depth = DEEPEST ** torch.rand(size, device=device)
    closeness = CLOSEST * torch.rand(size, device=device)
    chosen = (torch.rand(size, device=device) < share) & ~alone
    found = profiles.clone()
    for group in (chosen & (depth < _DRAWN), chosen & (depth >= _DRAWN)):
        if group.any():
            found[:, group] = _of_depth(
                profiles[:, group].float(), codes[:, group], depth[group], closeness[group]
            ).to(found.dtype)
    return found


def _of_depth(profiles: Tensor, codes: Tensor, depth: Tensor, closeness: Tensor) -> Tensor:
    # ``(time, batch, 20)`` of alignments that are all shallow, or all deep.
    there = profiles.sum(dim=2, keepdim=True) > 0
    own = _residues(codes.device)[codes.long()]
    homologs = torch.lerp(profiles, own, closeness[:, None])
    if depth[0] < _DRAWN:
        counts = own + _drawn(homologs + 1e-9, depth, _aligned(there[..., 0]))
        observed = counts / counts.sum(dim=2, keepdim=True).clamp_min(1)
        kinds = (counts > 0).sum(dim=2).float()
    else:
        observed = homologs / homologs.sum(dim=2, keepdim=True).clamp_min(1e-9)
        kinds = (1 - (1 - observed) ** depth[:, None]).sum(dim=2)
    return torch.where(there, _mixed(observed, _around(kinds, there[..., 0])), 0.0)


def _aligned(there: Tensor) -> Tensor:
    # Whether each homolog is aligned to each residue, ``(time, batch, homolog)``.
    place = there.cumsum(dim=0) / there.sum(dim=0).clamp_min(1)
    drawn, start = torch.rand((2, there.shape[1], _DRAWN), device=there.device)
    length = (SHORTEST + (LONGEST - SHORTEST) * drawn).clamp_max(1)
    start = (1 - length) * start
    aligned: Tensor = (place[..., None] >= start) & (place[..., None] <= start + length)
    return aligned


def _drawn(homologs: Tensor, depth: Tensor, aligned: Tensor) -> Tensor:
    # How many of the homologs have each amino acid.
    time, size, channels = homologs.shape
    draws = torch.multinomial(homologs.reshape(-1, channels), _DRAWN, replacement=True)
    taken = aligned & (torch.arange(_DRAWN, device=depth.device) < depth[:, None])
    counts = homologs.new_zeros(time * size, channels)
    counts.scatter_add_(1, draws, taken.reshape(-1, _DRAWN).to(counts.dtype))
    return counts.reshape(time, size, channels)


def _around(kinds: Tensor, there: Tensor) -> Tensor:
    # The mean over the residues around each, as of the columns of an alignment.
    both = torch.stack((kinds * there, there.float())).transpose(1, 2)
    means: Tensor = functional.avg_pool1d(both, 2 * REACH + 1, 1, REACH).transpose(1, 2)
    return means[0] / means[1].clamp_min(1e-9)


def _mixed(observed: Tensor, diversity: Tensor) -> Tensor:
    # As with_pseudocounts does, where nothing may be known of a residue such as X.
    known = observed.sum(dim=2, keepdim=True)
    alpha = (diversity - 1).clamp_min(0)[..., None] * known
    expected = observed @ _beside(observed.device) + (1 - known) * _background(observed.device)
    return (alpha * observed + BETA * expected) / (alpha + BETA)


@cache
def _residues(device: torch.device) -> Tensor:
    # The amino acid of each code, ``(code, 20)``; zeros of a code that stands for several.
    table = PROTEIN.channel_table
    return torch.tensor(np.where(table == 1, table, 0), device=device)


@cache
def _beside(device: torch.device) -> Tensor:
    return torch.tensor(expected_beside(), dtype=torch.float32, device=device)


@cache
def _background(device: torch.device) -> Tensor:
    return torch.tensor(background(), dtype=torch.float32, device=device)
