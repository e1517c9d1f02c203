"""The arrays of an engine: they begin at a line of the cache, and serve again for the next batch.

A processor loads 64 bytes that lie across two lines in two parts; products with few rows take a
third longer then. Memory fresh from the system is handed out page by page, which takes as long as a
tenth of the computation.
"""

from __future__ import annotations

import math
import threading

import numpy as np
import numpy.typing as npt

_LINE = 16
"""Numbers in a line of the cache, 64 bytes."""


def aligned_zeros(shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Return float32 zeros that begin at a line of the cache."""
    size = math.prod(shape)
    room = np.zeros(size + _LINE, dtype=np.float32)
    first = -room.ctypes.data // room.itemsize % _LINE
    return room[first : first + size].reshape(shape)


class Memory(threading.local):
    """Arrays by name; each thread has its own."""

    def __init__(self) -> None:
        self._held: dict[str, npt.NDArray[np.float32]] = {}

    def array(self, name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
        """Return a float32 array; it holds zeros or what was last written to this name."""
        size = math.prod(shape)
        held = self._held.get(name)
        if held is None or len(held) < size:
            self._held.pop(name, None)
            held = self._held[name] = aligned_zeros((size,))
        return held[:size].reshape(shape)
