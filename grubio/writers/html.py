"""Format ``html``: sequences on one page; see :mod:`grubio.view.page`."""

from __future__ import annotations

import base64
from typing import TextIO

import numpy as np
import numpy.typing as npt

from grubio.inference.labelled_sequence import LabelledSequence
from grubio.sequences.scheme import LabelScheme
from grubio.view.page import json_line, page_parts


class HtmlFormat:
    """See the module's text."""

    suffix = ".html"

    def __init__(self) -> None:
        self._after = ""

    def header(self, scheme: LabelScheme) -> str:
        """Return the page up to its data."""
        before, self._after = page_parts(scheme, "sequences.js")
        return before

    def write(self, out: TextIO, sequence: LabelledSequence) -> None:
        """Write the line of one sequence."""
        content = {
            "id": sequence.id,
            "sequence": sequence.sequence,
            "labels": sequence.labels,
            "confidence": round(float(sequence.confidence.mean()), 4),
            "probabilities": _bytes(sequence.probabilities),
        }
        if sequence.accessibility is not None:
            content["accessibility"] = _bytes(sequence.accessibility)
        if sequence.observed is not None:
            content["observed"] = sequence.observed
        out.write(json_line(content) + "\n")

    def footer(self) -> str:
        """Return the rest of the page."""
        return self._after


def _bytes(shares: npt.NDArray[np.float32]) -> str:
    whole = np.rint(np.clip(shares, 0, 1) * 255).astype(np.uint8)
    return base64.b64encode(whole.tobytes()).decode("ascii")
