"""A labelled contig: both strands of DNA, and the features that are called on them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from grubio.inference.called_features import CalledRegion, FeatureCaller
from grubio.inference.columns import Columns
from grubio.inference.labelled_region import (
    AdditionalByStrand,
    LabelledRegion,
    additional_columns,
)
from grubio.sequences.called_feature import CalledFeature
from grubio.sequences.locus import Strand, reverse_complement
from grubio.sequences.scheme import LabelScheme


@dataclass(frozen=True, repr=False, eq=False)
class LabelledContig(Columns):
    """Both strands of a contig with one label per base; Jupyter draws its features.

    Everything is in the order of the plus strand.

    Attributes
    ----------
    id
        Its name.
    sequence
        Bases of the plus strand.
    probabilities
        By strand, ``+`` and ``-``: float32 ``(base, class)``, in the order of ``scheme.letters``.
    scheme
        The classes.
    features
        Called sites and segments, by start. Their ``locus`` is 0-based and half-open.
    classes
        Class indices by strand, uint8 or int64 ``(base,)``: the labels.
    additional
        Predictions for targets besides the labels, by target and strand; see
        :class:`grubio.inference.labelled_region.LabelledRegion`.
    """

    id: str
    sequence: str
    probabilities: Mapping[Strand, npt.NDArray[np.float32]]
    scheme: LabelScheme
    features: tuple[CalledFeature, ...]
    classes: Mapping[Strand, npt.NDArray[np.integer]]
    additional: AdditionalByStrand = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of bases."""
        return len(self.sequence)

    def __repr__(self) -> str:
        """Return one line."""
        return f"<{self.id}: {len(self)} bases, {len(self.features)} features>"

    def predicted(self, target: str) -> dict[Strand, npt.NDArray[np.float32]]:
        """Return the values of a target besides the labels by strand, float32 ``(base,)``.

        Raises
        ------
        KeyError
            If the model has no such target.
        """
        known = {one.name: (one, found) for one, found in self.additional.items()}
        one, by_strand = known[target]
        return {s: found[:, 0] if one.spread else found for s, found in by_strand.items()}

    @property
    def labels(self) -> dict[Strand, str]:
        """The label of each base, one letter each, by strand; empty without classes."""
        if not self.scheme.size:
            return dict.fromkeys(self.probabilities, "")
        return {strand: self.scheme.decode(found) for strand, found in self.classes.items()}

    @property
    def confidence(self) -> dict[Strand, npt.NDArray[np.float32]]:
        """Probability of the label by strand, float32 ``(base,)``; NaN without classes."""
        if not self.scheme.size:
            return {s: np.full(len(p), np.nan, np.float32) for s, p in self.probabilities.items()}
        return {s: p[np.arange(len(p)), self.classes[s]] for s, p in self.probabilities.items()}

    def columns(self) -> dict[str, Any]:
        """Return columns with one row per strand and base, one strand after the other."""
        size, strands = len(self), list(self.probabilities)
        letters = {"+": self.sequence, "-": reverse_complement(self.sequence)[::-1]}
        table: dict[str, Any] = {
            "id": [self.id] * (size * len(strands)),
            "position": np.tile(np.arange(1, size + 1), len(strands)),
            "strand": [strand for strand in strands for _ in range(size)],
            "residue": [letter for strand in strands for letter in letters[strand]],
        }
        if self.scheme.size:
            table["label"] = [letter for strand in strands for letter in self.labels[strand]]
        stacked = np.ascontiguousarray(np.concatenate(list(self.probabilities.values())).T)
        table |= {f"p_{c}": stacked[i] for i, c in enumerate(self.scheme.letters)}
        others = [additional_columns(self.additional, strand) for strand in strands]
        return table | {name: np.concatenate([one[name] for one in others]) for name in others[0]}

    def _repr_html_(self) -> str:
        from grubio.view.notebook_contig import contig_html

        return contig_html(self.id, len(self), self.features, self.scheme)


def labelled_contig(
    sequence: str, regions: Iterable[LabelledRegion], caller: FeatureCaller
) -> LabelledContig:
    """Return a contig from all of its regions, in order."""
    called = [
        CalledRegion(region, caller.feed(region) if region.scheme.size else [])
        for region in regions
    ]
    return contig_of_called(sequence, called)


def contig_of_called(sequence: str, called: Sequence[CalledRegion]) -> LabelledContig:
    """Return a contig from all of its regions with their features, in order."""
    found = [feature for part in called for feature in part.features]
    parts = [part.region for part in called]
    strands = parts[0].probabilities
    joined = {s: np.concatenate([part.probabilities[s] for part in parts]) for s in strands}
    classes = {s: np.concatenate([part.classes(s) for part in parts]) for s in strands}
    additional = {
        target: {s: np.concatenate([part.additional[target][s] for part in parts]) for s in strands}
        for target in parts[0].additional
    }
    first = parts[0]
    return LabelledContig(
        first.contig, sequence, joined, first.scheme, tuple(found), classes, additional
    )
