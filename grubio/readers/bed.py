"""Lines of BED with 3 columns or more, narrowPeak among them; 0-based and half-open.

Specification: UCSC Genome Browser, "Data File Formats".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from grubio.readers.annotation_line import NO_STRAND, AnnotatedFeature, AnnotationLine

LEAST_COLUMNS = 3
_PEAK_COLUMNS = 10
_BLOCK_COLUMNS = 12


class BedLine(AnnotationLine):
    """A line of BED."""

    @property
    def kind(self) -> str:
        """The name, ``.`` if there is none."""
        return self.cells[3] if len(self.cells) > 3 else "."

    @cached_property
    def attributes(self) -> Mapping[str, Sequence[str]]:
        """``name`` and ``score``, if the file has them."""
        named = {"name": self.cells[3:4], "score": self.cells[4:5]}
        return {key: value for key, value in named.items() if value}

    def feature(self) -> AnnotatedFeature:
        """Return the feature; see the base class."""
        start = self.whole_number(self.cells[1], "start")
        end = self.whole_number(self.cells[2], "end")
        if start == end:
            raise self.error(
                f"the feature is empty: start equals end ({start})",
                hint="end is the base after the last one: the base at 100 alone is 100 to 101",
            )
        return AnnotatedFeature(
            self.contig,
            start,
            end,
            self.strand_in(self.cells[5]) if len(self.cells) > 5 else NO_STRAND,
            self,
            blocks=self._blocks(start, end) if len(self.cells) >= _BLOCK_COLUMNS else (),
            summit=self._summit(start, end) if len(self.cells) == _PEAK_COLUMNS else None,
        )

    def _summit(self, start: int, end: int) -> int | None:
        offset = self.whole_number(self.cells[9], "summit")
        if offset == -1:
            return None
        if not 0 <= offset < end - start:
            raise self.error(
                f"summit {offset} is not in the peak, which has {end - start} bases",
                hint="column 10 of narrowPeak counts from the peak's start; -1 is none",
            )
        return start + offset

    def _blocks(self, start: int, end: int) -> tuple[tuple[int, int], ...]:
        count = self.whole_number(self.cells[9], "block count")
        sizes, starts = (
            [self.whole_number(n, what) for n in text.rstrip(",").split(",")]
            for text, what in ((self.cells[10], "block size"), (self.cells[11], "block start"))
        )
        if not count == len(sizes) == len(starts):
            raise self.error(f"{count} blocks, but {len(sizes)} sizes and {len(starts)} starts")
        blocks = tuple((start + s, start + s + n) for s, n in zip(starts, sizes, strict=True))
        edges = [edge for block in blocks for edge in block]
        if edges != sorted(edges) or edges[0] < start or edges[-1] > end or min(sizes) < 1:
            raise self.error("the blocks overlap, are out of order, or leave the feature")
        return blocks
