"""Ids that have been seen, in twelve bytes each, so that a file may have many millions of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_BATCH = 1 << 16


class Repeat(NamedTuple):
    """An id that came before, and the numbers of both records."""

    id: str
    first: int
    second: int


class _Run(NamedTuple):
    # Sorted by hash.
    hashes: npt.NDArray[np.int64]
    places: npt.NDArray[np.uint32]


class SeenIds:
    """Finds ids that come twice.

    Within a batch of 65,536 ids a repeat is found at once, between batches when a batch is full
    or :meth:`finish` is called. Between batches ids are compared by 64-bit hashes: among ten
    million different ids, two have the same hash with a probability of three in a million. If ids
    can be looked up again, these are told apart.

    Parameters
    ----------
    name_of
        Returns the id of a record by its number, from 1; called when two hashes are equal.

    Examples
    --------
    >>> seen = SeenIds()
    >>> [seen.add(name) for name in ("a", "b", "a")]
    [None, None, Repeat(id='a', first=1, second=3)]
    """

    def __init__(self, name_of: Callable[[int], str] | None = None) -> None:
        self._name_of = name_of
        self._recent: dict[str, int] = {}
        self._runs: list[_Run] = []
        self._count = 0

    def add(self, name: str) -> Repeat | None:
        """Note an id; return a repeat if one is found."""
        self._count += 1
        first = self._recent.setdefault(name, self._count)
        if first != self._count:
            return Repeat(name, first, self._count)
        return self.finish() if len(self._recent) == _BATCH else None

    def finish(self) -> Repeat | None:
        """Compare what has not been compared yet; return a repeat if one is found."""
        names = list(self._recent)
        hashes = np.fromiter((hash(name) for name in names), dtype=np.int64, count=len(names))
        for run in self._runs:
            found = np.searchsorted(run.hashes, hashes)
            same = run.hashes[np.minimum(found, len(run.hashes) - 1)] == hashes
            for index in np.flatnonzero(same).tolist():
                name, first = names[index], int(run.places[found[index]])
                if self._name_of is None or self._name_of(first) == name:
                    return Repeat(name, first, self._recent[name])
        places = np.fromiter(self._recent.values(), dtype=np.uint32, count=len(names))
        self._recent = {}
        if len(names):
            self._runs.append(_sorted(hashes, places))
        # Runs grow like the digits of a binary number, so that there are few of them.
        while len(self._runs) > 1 and len(self._runs[-2].hashes) <= len(self._runs[-1].hashes):
            last, before = self._runs.pop(), self._runs.pop()
            self._runs.append(
                _sorted(
                    np.concatenate((before.hashes, last.hashes)),
                    np.concatenate((before.places, last.places)),
                )
            )
        return None


def _sorted(hashes: npt.NDArray[np.int64], places: npt.NDArray[np.uint32]) -> _Run:
    order = np.argsort(hashes, kind="stable")
    return _Run(hashes[order], places[order])
