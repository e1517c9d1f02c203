"""Format ``html``: labelled sequences, or called features, as one HTML page.

The data of a page of sequences is one line of JSON per sequence. Of a genome it is one line per
contig, followed by one line per feature: class, start (1-based), end (inclusive), strand, score.
Bases and their probabilities would be too much for a browser; format ``igv`` has them.
"""

from grubio.inference.called_features import CalledRegion
from grubio.inference.labelled_sequence import LabelledSequence
from grubio.view.page import base64_bytes, json_line, page_parts
from grubio.writers.text import Content, ItemT, TextFormat


class _PageFormat(TextFormat[ItemT]):
    script: str
    title: str | None = None

    def __init__(self, content: Content) -> None:
        super().__init__(content)
        self._before, self._after = page_parts(
            content.scheme,
            self.script,
            self.title,
            model=content.model,
            targets=content.additional,
        )

    def header(self) -> str:
        """Return the page up to its data."""
        return self._before

    def footer(self) -> str:
        """Return the rest of the page."""
        return self._after


class HtmlFormat(_PageFormat[LabelledSequence]):
    """A page of labelled sequences."""

    script = "sequences.js"

    def text(self, item: LabelledSequence) -> str:
        """Return the line of a sequence."""
        content: dict[str, object] = {
            "id": item.id,
            "sequence": item.sequence,
        }
        if item.scheme.size:
            content |= {
                "labels": item.labels,
                "confidence": round(float(item.confidence.mean()), 4),
                "probabilities": base64_bytes(item.probabilities),
            }
        further = {own.target: own.labels for own in item.labellings}
        for target, found in item.additional.items():
            if target in further:
                content[target.name] = further[target]
                continue
            values = found[:, 0] if target.spread else found
            content[target.name] = base64_bytes(target.in_shown_range(values))
            if target.spread:
                low, high = target.shown_range
                # No name of a target has a space.
                content[f"{target.name} sd"] = base64_bytes(found[:, 1] / (high - low))
        content |= _called(item)
        if item.observed is not None:
            content["observed"] = item.observed
        return json_line(content) + "\n"


def _called(item: LabelledSequence) -> dict[str, object]:
    # Names of targets have no space.
    content: dict[str, object] = {}
    for region in item.regions():
        places = content.setdefault(f"{region.target} regions", [])
        places.append([region.start - 1, region.end])  # type: ignore[attr-defined]
    if (found := item.topology()) is not None:
        content["more facts"] = found.facts
    for target in item.additional:
        if target.regions is not None:
            sizes = [len(one) for one in item.regions() if one.target == target.name]
            row = (target.regions.name.capitalize(), f"{sum(sizes)} in {len(sizes)} regions")
            content["more facts"] = [*content.get("more facts", []), row]  # type: ignore[misc]
    return content


class GenomeHtmlFormat(_PageFormat[CalledRegion]):
    """A page of called features."""

    script = "features.js"
    title = "Features of a genome"

    def text(self, item: CalledRegion) -> str:
        """Return the lines of the features, and of the contig at its start."""
        region, features = item.region, item.features
        lines: list[object] = []
        if region.start == 0:
            lines.append({"contig": region.contig, "length": region.length})
        for feature in features:
            locus = feature.locus
            score = round(feature.score, 3)
            lines.append([feature.letter, locus.start + 1, locus.end, locus.strand, score])
        return "".join(json_line(line) + "\n" for line in lines)
