"""A labelled sequence: what writers, pages and notebooks get of a prediction."""

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from grubio.config import CallSettings
from grubio.errors import GrubioError
from grubio.inference.columns import Columns
from grubio.inference.predictor import Additional, Prediction
from grubio.sequences.best_path import best_classes
from grubio.sequences.scheme import UNKNOWN_LABEL, LabelScheme
from grubio.sequences.segments import Segment, Summary, confidence, segments, summary
from grubio.sequences.target import Regions, Target
from grubio.sequences.topology import Topology, topology

_DECODED_TOGETHER = 250_000
"""Residues whose labels are decoded at once, so that many sequences have like lengths."""


@dataclass(frozen=True, slots=True)
class Labelling:
    """Labels of a sequence in one scheme: its main ones, or those of a further target.

    Attributes
    ----------
    target
        The further target; None for the main labels.
    labels
        One letter per residue.
    probabilities
        ``(residue, class)``.
    scheme
        The classes.
    """

    target: Target | None
    labels: str
    probabilities: npt.NDArray[np.float32]
    scheme: LabelScheme


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of values beyond the threshold of its target.

    Attributes
    ----------
    start, end
        First and last residue, 1-based and inclusive.
    name
        What it is called, such as ``disordered``.
    target
        Name of the target.
    mean
        Mean of the values.
    """

    start: int
    end: int
    name: str
    target: str
    mean: float

    def __len__(self) -> int:
        """Return the number of residues."""
        return self.end - self.start + 1


@dataclass(frozen=True, repr=False, eq=False)
class LabelledSequence(Columns):
    """A sequence with one label per residue, or values; Jupyter draws it.

    Attributes
    ----------
    id
        Its name.
    sequence
        Residues as in the input, case kept.
    labels
        One letter per residue; ``?`` where its probability is below ``calls.min_confidence``.
        Empty if the model predicts values alone.
    probabilities
        Calibrated probabilities, float32 ``(residue, class)``, in the order of
        ``scheme.letters``.
    scheme
        The classes.
    additional
        Predictions for additional targets; see :class:`grubio.inference.predictor.Prediction`.
    observed
        The known labels; None for sequences without.
    calls
        What counts as a segment by default.
    depth
        Sequences in the alignment behind the profile that the model read, the sequence itself
        included; 0 if it is not known, None for a model that reads no profiles.
    """

    id: str
    sequence: str
    labels: str
    probabilities: npt.NDArray[np.float32]
    scheme: LabelScheme
    additional: Additional = field(default_factory=dict)
    observed: str | None = None
    calls: CallSettings = field(default_factory=CallSettings)
    depth: int | None = None

    def __len__(self) -> int:
        """Return the number of residues."""
        return len(self.sequence)

    def __repr__(self) -> str:
        """Return one line."""
        if not self.scheme.size:
            return (
                f"<{self.id}: {len(self)} residues, {', '.join(t.name for t in self.additional)}>"
            )
        labels = self.labels if len(self) <= 30 else f"{self.labels[:27]}..."
        return f"<{self.id}: {len(self)} residues, {self.scheme.name} {labels}>"

    @property
    def confidence(self) -> npt.NDArray[np.float32]:
        """Probability of the label, float32 ``(residue,)``; NaN without classes.

        Where the label is ``?`` it is the highest one.
        """
        if not self.scheme.size:
            return np.full(len(self), np.nan, dtype=np.float32)
        return confidence(self.labels, self.probabilities, self.scheme)

    def predicted(self, target: str) -> npt.NDArray[np.float32]:
        """Return the predictions for a target besides the labels, by its name.

        Probabilities are float32 ``(residue, class)``; values are float32 ``(residue,)``, in the
        unit of the training data.

        Raises
        ------
        KeyError
            If the model has no such target.

        Examples
        --------
        >>> import grubio
        >>> model = grubio.load("protein-ss-fast", device="cpu", threads=1)
        >>> model.predict("MKTAYIAKQR").predicted("accessibility").shape
        (10,)
        """
        known, found = self._target(target)
        return found[:, 0] if known.spread else found

    def deviation(self, target: str) -> npt.NDArray[np.float32]:
        """Return the predicted standard deviation of each value of a target, ``(residue,)``.

        About 95 % of known values lie within 1.96 deviations of the prediction.

        Raises
        ------
        KeyError
            If the model has no such target, or it has no deviations.
        """
        known, found = self._target(target)
        if not known.spread:
            raise KeyError(f"{target} has no predicted deviations")
        return found[:, 1]

    def _target(self, name: str) -> tuple[Target, npt.NDArray[np.float32]]:
        return {known.name: (known, found) for known, found in self.additional.items()}[name]

    @property
    def accessibility(self) -> npt.NDArray[np.float32] | None:
        """Former word for ``predicted("accessibility")``; None if it is not predicted."""
        warnings.warn("write predicted('accessibility') instead", FutureWarning, stacklevel=2)
        names = [target.name for target in self.additional]
        return self.predicted("accessibility") if "accessibility" in names else None

    @property
    def labellings(self) -> list[Labelling]:
        """Its labels, if it has any, and those for further targets of classes."""
        found = [Labelling(None, self.labels, self.probabilities, self.scheme)]
        for target, rows in self.additional.items():
            if target.scheme is not None:
                labels = target.scheme.decode(*best_classes([rows], target.scheme))
                found.append(Labelling(target, labels, rows, target.scheme))
        return found[not self.scheme.size :]

    def topology(self) -> Topology | None:
        """Return the membrane topology; None if no scheme is about it.

        Examples
        --------
        >>> import grubio
        >>> model = grubio.load("protein-ss-fast", device="cpu", threads=1)
        >>> model.predict("MKTAYIAKQR").topology() is None
        True
        """
        found = (topology(own.labels, own.probabilities, own.scheme) for own in self.labellings)
        return next((one for one in found if one is not None), None)

    def regions(self) -> list[Region]:
        """Return the stretches of values beyond the threshold of their target, such as disorder."""
        found = []
        for target, rows in self.additional.items():
            if (called := target.regions) is None:
                continue
            values = rows[:, 0] if target.spread else rows
            for first, end in called.runs(values):
                mean = float(values[first:end].mean())
                found.append(Region(first + 1, end, called.name, target.name, mean))
        return found

    def segments(
        self, *, min_length: int | None = None, max_gap: int | None = None
    ) -> list[Segment]:
        """Return the segments in order; see :mod:`grubio.sequences.segments`.

        Parameters
        ----------
        min_length
            Least number of residues; that of ``calls`` by default.
        max_gap
            Most residues between two segments of one class that are joined; that of ``calls`` by
            default.
        """
        self._require_labels("segments")
        return segments(
            self.labels,
            self.probabilities,
            self.scheme,
            min_length=self.calls.min_segment if min_length is None else min_length,
            max_gap=self.calls.max_gap if max_gap is None else max_gap,
        )

    def summary(self) -> Summary:
        """Return length, shares of the classes, mean confidence and longest segments.

        Raises
        ------
        GrubioError
            If the model predicts values alone.
        """
        self._require_labels("summary")
        return summary(
            self.labels,
            self.probabilities,
            self.scheme,
            min_length=self.calls.min_segment,
            max_gap=self.calls.max_gap,
        )

    def _require_labels(self, what: str) -> None:
        if not self.scheme.size:
            raise GrubioError(f"the {what} of a sequence is about labels; these are values")

    def columns(self) -> dict[str, Any]:
        """Return the columns of the formats TSV and Parquet, one row per residue."""
        table: dict[str, Any] = {
            "id": [self.id] * len(self),
            "position": np.arange(1, len(self) + 1, dtype=np.int32),
            "residue": list(self.sequence),
        }
        if self.scheme.size:
            table["label"] = list(self.labels)
        by_class = np.ascontiguousarray(self.probabilities.T)
        table |= {f"p_{c}": by_class[i] for i, c in enumerate(self.scheme.letters)}
        table |= self.additional_columns()
        return table if self.depth is None else table | {"depth": self.depth_column()}

    def depth_column(self) -> npt.NDArray[np.int32]:
        """Return :attr:`depth` for each residue, int32 ``(residue,)``; 0 if it is not known."""
        return np.full(len(self), self.depth or 0, dtype=np.int32)

    def additional_columns(self) -> dict[str, Any]:
        """Return the columns of targets besides the labels: labels and probabilities, or values."""
        table: dict[str, Any] = {}
        for target, found in self.additional.items():
            columns: list[Any] = list(found.T) if target.spread else [found]
            if target.scheme is not None:
                (classes,) = best_classes([found], target.scheme)
                columns = [list(target.scheme.decode(classes)), *found.T]
            table |= zip(target.columns, columns, strict=True)
        return table

    def _repr_html_(self) -> str:
        from grubio.view.notebook import DrawnSequence, sequence_html

        if not self.scheme.size:
            target = next(iter(self.additional))
            values = self.predicted(target.name)
            shown = np.clip(target.in_shown_range(values), 0, 1)
            drawn = DrawnSequence(self.id, self.sequence, "", shown, self.scheme)
            return sequence_html(drawn, f"mean {target.name} {values.mean():.3g}", target.name)
        return sequence_html(
            DrawnSequence(self.id, self.sequence, self.labels, self.confidence, self.scheme)
        )


def segments_of(own: Labelling) -> list[Segment]:
    """Return the segments of labels in order, all of them."""
    return segments(own.labels, own.probabilities, own.scheme)


def labelled(
    prediction: Prediction, scheme: LabelScheme, calls: CallSettings | None = None
) -> LabelledSequence:
    """Return a prediction in a scheme, with ``?`` for labels that are not confident enough."""
    return next(all_labelled([prediction], scheme, calls))


def all_labelled(
    predictions: Iterable[Prediction], scheme: LabelScheme, calls: CallSettings | None = None
) -> Iterator[LabelledSequence]:
    """Yield predictions as :func:`labelled` returns them, in order; faster than one by one."""
    calls = calls or CallSettings()
    for several in _batches(predictions, 0 if scheme.graph is None else _DECODED_TOGETHER):
        reduced = [prediction.reduced(scheme) for prediction in several]
        for prediction, probabilities, labels in zip(
            several, reduced, _labels(reduced, scheme, calls), strict=True
        ):
            yield LabelledSequence(
                prediction.record.id,
                prediction.record.sequence,
                labels,
                probabilities,
                scheme,
                {called(target, calls): rows for target, rows in prediction.additional.items()},
                calls=calls,
                depth=prediction.depth,
            )


def called(target: Target, calls: CallSettings) -> Target:
    """Return a target with the threshold and the least length of regions that are asked for."""
    threshold, least, own = calls.region_threshold, calls.min_region, target.regions
    if target.kind != "value" or (threshold is None and (least is None or own is None)):
        return target
    if own is None:
        own = Regions(f"low_{target.name}", 0.0)
    return replace(
        target,
        regions=replace(
            own,
            threshold=own.threshold if threshold is None else threshold,
            least=own.least if least is None else least,
        ),
    )


def _labels(
    probabilities: list[npt.NDArray[np.float32]], scheme: LabelScheme, calls: CallSettings
) -> Iterator[str]:
    if not scheme.size:
        yield from [""] * len(probabilities)
        return
    for rows, classes in zip(probabilities, best_classes(probabilities, scheme), strict=True):
        labels = scheme.decode(classes)
        if calls.min_confidence > 0:
            unsure = confidence(labels, rows, scheme) < calls.min_confidence
            labels = "".join(np.where(unsure, UNKNOWN_LABEL, list(labels)).tolist())
        yield labels


def _batches(predictions: Iterable[Prediction], residues: int) -> Iterator[list[Prediction]]:
    several: list[Prediction] = []
    held = 0
    for prediction in predictions:
        several.append(prediction)
        held += len(prediction.record)
        if held >= residues:
            yield several
            several, held = [], 0
    if several:
        yield several
