"""Arrays that an engine uses again for the next batch.

Memory fresh from the system is handed out page by page, which takes as long as a tenth of the
computation.
"""

from __future__ import annotations

import math
import threading

import numpy as np
import numpy.typing as npt


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
            held = self._held[name] = np.zeros(size, dtype=np.float32)
        return held[:size].reshape(shape)
