"""Regions of contigs: the windows that are computed, and the predictions for their cores."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from grubio.sequences.locus import Strand
from grubio.sequences.record import Record
from grubio.sequences.scheme import LabelScheme
from grubio.sequences.target import Target
from grubio.sequences.windows import ContigPart, Window, gap_mask, windows

AdditionalByStrand: TypeAlias = Mapping[Target, Mapping[Strand, npt.NDArray[np.float32]]]


def additional_columns(
    additional: AdditionalByStrand, strand: Strand
) -> dict[str, npt.NDArray[np.float32]]:
    """Return the columns of tables of targets besides the labels on a strand, ``(base,)`` each."""
    table: dict[str, npt.NDArray[np.float32]] = {}
    for target, found in additional.items():
        columns = found[strand].T if target.spread else found[strand][None]
        table |= dict(zip(target.columns, columns, strict=True))
    return table


@dataclass(frozen=True)
class LabelledRegion:
    """Predictions for consecutive bases of a contig.

    Attributes
    ----------
    contig, length
        Id of the contig and its bases.
    start, end
        The bases, 0-based and half-open.
    residues
        Letters of the plus strand.
    probabilities
        Calibrated probabilities of each labelled strand, float32 ``(base, class)``. The
        bases of both strands are in the order of the plus strand; the classes are relative to
        the strand.
    scheme
        The classes.
    labels
        Class indices of each labelled strand under the grammar of the scheme, uint8 ``(base,)``,
        once they are known (:mod:`grubio.inference.contig_labels`).
    additional
        Predictions for targets besides the labels, by target and strand: values, float32
        ``(base,)``, or values and deviations, float32 ``(base, 2)``, in the order of the plus
        strand.
    """

    contig: str
    length: int
    start: int
    end: int
    residues: str
    probabilities: Mapping[Strand, npt.NDArray[np.float32]]
    scheme: LabelScheme
    labels: Mapping[Strand, npt.NDArray[np.uint8]] | None = None
    additional: AdditionalByStrand = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of bases."""
        return self.end - self.start

    def classes(self, strand: Strand) -> npt.NDArray[np.integer]:
        """Return the class index of each base of a strand, ``(base,)``: its label, or 0."""
        if not self.scheme.size:
            return np.zeros(len(self), dtype=np.uint8)
        return self.probabilities[strand].argmax(axis=1) if not self.labels else self.labels[strand]

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Which bases are not N, bool ``(base,)``; the others are not written."""
        letters = np.frombuffer(self.residues.upper().encode("ascii"), dtype=np.uint8)
        return np.not_equal(letters, ord("N"))


@dataclass(frozen=True, slots=True)
class Place:
    """A window of a contig that is to be labelled.

    Attributes
    ----------
    contig, length
        Id of the contig and its bases.
    window
        The window and its core.
    text
        Letters of the plus strand in the window.
    gap
        Which bases of the core are in a gap of the assembly, bool ``(base,)``.
    """

    contig: str
    length: int
    window: Window
    text: str
    gap: npt.NDArray[np.bool_]


def places_of(
    contigs: Iterable[Record | ContigPart], core: int, overlap: int, scheme: LabelScheme
) -> Iterator[Place]:
    """Yield the windows of each contig in order.

    Raises
    ------
    ValueError
        If a contig has no sequence.
    """
    for contig in contigs:
        part = contig if isinstance(contig, ContigPart) else ContigPart.whole(contig)
        if not part.sequence:
            raise ValueError(f"record '{part.id}' has no sequence")
        for window in windows(part.length, core, overlap):
            if not part.first <= window.first < part.last:
                continue
            first, last = window.first - part.offset, window.last - part.offset
            gap = gap_mask(part.sequence, first, last) & (scheme.background is not None)
            text = part.sequence[window.start - part.offset : window.end - part.offset]
            yield Place(part.id, part.length, window, text, gap)
        # Otherwise a chromosome would be held while the next one is read.
        del contig, part


def batched_places(places: Iterable[Place], budget: int) -> Iterator[list[Place]]:
    """Yield batches of consecutive windows whose longest, times their number, is in the budget."""
    batch: list[Place] = []
    longest = 0
    for place in places:
        longest = max(longest, len(place.text))
        if batch and (len(batch) + 1) * longest > budget:
            yield batch
            batch, longest = [], len(place.text)
        batch.append(place)
    if batch:
        yield batch
