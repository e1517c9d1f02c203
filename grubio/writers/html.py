"""Format ``html``: labelled sequences as one HTML page, :mod:`grubio.view.page`."""

from __future__ import annotations

from grubio.inference.labelled_sequence import LabelledSequence
from grubio.view.page import base64_bytes, json_line, page_parts
from grubio.writers.text import Content, TextFormat


class HtmlFormat(TextFormat[LabelledSequence]):
    """A page of labelled sequences."""

    def __init__(self, content: Content) -> None:
        super().__init__(content)
        self._before, self._after = page_parts(content.scheme, "sequences.js")

    def header(self) -> str:
        """Return the page up to its data."""
        return self._before

    def text(self, item: LabelledSequence) -> str:
        """Return the line of one sequence."""
        content = {
            "id": item.id,
            "sequence": item.sequence,
            "labels": item.labels,
            "confidence": round(float(item.confidence.mean()), 4),
            "probabilities": base64_bytes(item.probabilities),
        }
        for target, values in item.further.items():
            if target.kind == "value":
                content[target.name] = base64_bytes(target.in_unit_range(values))
        if item.observed is not None:
            content["observed"] = item.observed
        return json_line(content) + "\n"

    def footer(self) -> str:
        """Return the rest of the page."""
        return self._after
