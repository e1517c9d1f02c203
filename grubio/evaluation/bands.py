"""A score in bands of chains: by length, and by identity to the nearest training record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeAlias

from grubio.metrics.bootstrap import Score
from grubio.runs.metrics import Band

LENGTH_BANDS = (0, 100, 200, 300, 500, 1000, 10**9)
IDENTITY_BANDS = (0.0, 0.2, 0.25, 0.3, 0.5, 1.01)

ScoreOf: TypeAlias = Callable[[Sequence[int]], Score]
"""Returns the score of the chains at some places."""


def by_length(key: str, score_of: ScoreOf, lengths: Sequence[int]) -> list[Band]:
    """Return a score, named ``key``, in bands of the length of the chain."""
    bands = []
    for low, high in pairwise(LENGTH_BANDS):
        if inside := [at for at, length in enumerate(lengths) if low < length <= high]:
            bands.append(_band(key, score_of, inside, lengths))
            bands[-1].first, bands[-1].last = low + 1, min(high, max(lengths))
    return bands


def by_identity(
    key: str, score_of: ScoreOf, lengths: Sequence[int], identities: Sequence[float | None]
) -> list[Band]:
    """Return a score in bands of the identity to the nearest training record.

    The first band holds the chains without such a record, whose identity is None.
    """
    named = [("no hit", [at for at, identity in enumerate(identities) if identity is None])]
    for low, high in pairwise(IDENTITY_BANDS):
        inside = [at for at, x in enumerate(identities) if x is not None and low <= x < high]
        named.append((f"{100 * low:.0f}-{100 * min(high, 1):.0f} %", inside))
    bands = []
    for name, inside in named:
        if inside:
            bands.append(_band(key, score_of, inside, lengths))
            bands[-1].band = name
    return bands


def _band(key: str, score_of: ScoreOf, chosen: Sequence[int], lengths: Sequence[int]) -> Band:
    band = Band(chains=len(chosen), residues=sum(lengths[at] for at in chosen))
    band.add({key: score_of(chosen)})
    return band
