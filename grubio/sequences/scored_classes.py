"""The classes of a record that count in a loss or a score."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from grubio.sequences.record import Record
from grubio.sequences.scheme import LabelScheme

_UNSCORED = 255


def scored_classes(record: Record, scheme: LabelScheme) -> npt.NDArray[np.uint8]:
    """Return the class of each residue, uint8 ``(residue,)``; 255 where it does not count."""
    if record.labels is None:
        return np.full(len(record), _UNSCORED, dtype=np.uint8)
    classes = scheme.encode(record.labels).copy()
    if record.mask is not None:
        classes[np.frombuffer(record.mask.encode("ascii"), dtype=np.uint8) == ord("0")] = _UNSCORED
    return classes
