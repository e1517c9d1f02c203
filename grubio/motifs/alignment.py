"""Sites shifted by a few bases so that their sequences agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from grubio.motifs.best_sites import AlignedSite
from grubio.motifs.matrices import information, informative
from grubio.readers.motifs import Matrix
from grubio.sequences.alphabet import DNA

_MOST_ROUNDS = 20
_LEAST_GAIN = 3.0
"""Bits by which a place must be better than the one where the site was called."""


def aligned(sites: Sequence[AlignedSite], room: int, background: Matrix) -> list[AlignedSite]:
    """Return sites moved by up to ``room`` bases each, to where they agree best with the others.

    Each site in turn goes to the place with the highest log-odds in the matrix of all others, until
    none moves: the deterministic form of the Gibbs sampler of Lawrence et al., Science 262:208,
    1993. Only places with information count, each site is left out of the matrix that it is
    compared with, and it stays where it was called unless another place is better by three bits: so
    sites that have nothing in common hardly move.

    Parameters
    ----------
    sites
        Their sequences have ``room`` more bases on each side than those that are returned.
    room
        Largest shift.
    background
        Frequencies of the bases, ``(base,)``.

    Returns
    -------
    list of AlignedSite
        In the order given.
    """
    if len(sites) < 2 or not room:
        return [_moved(site, 0, room) for site in sites]
    one_hot = np.array([DNA.one_hot(site.sequence) for site in sites], dtype=np.float64)
    places = one_hot.shape[1] - 2 * room
    # From the middle outwards, so that the first of equal scores is the smallest shift.
    shifts = sorted(range(-room, room + 1), key=abs)
    windows = np.stack([one_hot[:, room + s : room + s + places] for s in shifts], axis=1)
    chosen = np.zeros(len(sites), dtype=np.int64)
    counts = windows[:, 0].sum(axis=0)
    pseudo = np.sqrt(len(sites)) * background
    for _ in range(_MOST_ROUNDS):
        before = chosen.copy()
        speaks = informative(information(counts / len(sites), background), len(sites))
        for number, ways in enumerate(windows):
            counts -= ways[chosen[number]]
            odds = np.log2((counts + pseudo) / (counts + pseudo).sum(axis=1, keepdims=True))
            scores = ((odds - np.log2(background)) * ways)[:, speaks].sum(axis=(1, 2))
            scores[0] += _LEAST_GAIN
            chosen[number] = int((scores >= scores.max() - 1e-9).argmax())
            counts += ways[chosen[number]]
        if (chosen == before).all():
            break
    return [_moved(site, shifts[way], room) for site, way in zip(sites, chosen, strict=True)]


def _moved(site: AlignedSite, shift: int, room: int) -> AlignedSite:
    text = site.sequence[room + shift : len(site.sequence) - room + shift]
    return replace(site, start=site.start + shift, sequence=text)
