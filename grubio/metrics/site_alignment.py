"""How sites of a motif are shifted so that they agree, and the information that they share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from grubio.metrics.bootstrap import Floats

_LEAST_BITS = 0.2
_MOST_ROUNDS = 20
_LEAST_GAIN = 3.0
"""Bits by which a place must be better than the one where the site was."""


def information(matrix: Floats, background: Floats) -> Floats:
    """Return the information at each place in bits, ``(place,)``, against a background ``(base,)``.

    The relative entropy of Schneider et al., J. Mol. Biol. 188:415, 1986, without the small-sample
    correction. A base that is absent at a place contributes nothing; one that is present but has a
    background of 0 makes the place infinite.

    Examples
    --------
    >>> site, gc_rich = np.array([[1.0, 0, 0, 0]]), np.array([0.125, 0.375, 0.375, 0.125])
    >>> information(site, gc_rich).tolist()
    [3.0]
    """
    occurs = matrix > 0
    with np.errstate(divide="ignore"):
        ratio = np.log2(np.where(occurs, matrix, 1)) - np.log2(np.where(occurs, background, 1))
    return np.asarray((matrix * ratio).sum(axis=1))


def informative(bits: Floats, sites: int) -> npt.NDArray[np.bool_]:
    """Return whether each place has 0.2 bits more than expected of as many random sites."""
    return np.asarray(bits >= _LEAST_BITS + 3 / (2 * np.log(2) * sites))


def best_shifts(one_hot: Floats, room: int, background: Floats) -> npt.NDArray[np.int64]:
    """Return by how many bases, ``room`` at most, each site moves to agree best with the others.

    Each site in turn goes to the place with the highest log-odds in the matrix of all others, until
    none moves: the deterministic form of the Gibbs sampler of Lawrence et al., Science 262:208,
    1993. Only places with information count, each site is left out of the matrix that it is
    compared with, and it stays where it was unless another place is better by three bits: so sites
    that have nothing in common hardly move.

    Parameters
    ----------
    one_hot
        The sites, ``(site, place, base)``, with ``room`` more places on each side than they have.
    room
        Largest shift.
    background
        Frequencies of the bases, ``(base,)``.

    Returns
    -------
    Shifts ``(site,)``, above 0 if the site moves towards its end.
    """
    sites = len(one_hot)
    chosen = np.zeros(sites, dtype=np.int64)
    if sites < 2 or not room:
        return chosen
    places = one_hot.shape[1] - 2 * room
    # From the middle outwards, so that the first of equal scores is the smallest shift.
    shifts = np.array(sorted(range(-room, room + 1), key=abs))
    windows = np.stack([one_hot[:, room + s : room + s + places] for s in shifts], axis=1)
    counts = windows[:, 0].sum(axis=0)
    pseudo = np.sqrt(sites) * background
    for _ in range(_MOST_ROUNDS):
        before = chosen.copy()
        speaks = informative(information(counts / sites, background), sites)
        for number, ways in enumerate(windows):
            counts -= ways[chosen[number]]
            odds = np.log2((counts + pseudo) / (counts + pseudo).sum(axis=1, keepdims=True))
            scores = ((odds - np.log2(background)) * ways)[:, speaks].sum(axis=(1, 2))
            scores[0] += _LEAST_GAIN
            chosen[number] = int((scores >= scores.max() - 1e-9).argmax())
            counts += ways[chosen[number]]
        if (chosen == before).all():
            break
    return shifts[chosen]
