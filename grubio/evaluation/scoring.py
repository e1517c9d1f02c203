"""The scores of one set of predictions: every metric, with its interval, for every scheme."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from grubio.metrics import classification as metrics
from grubio.metrics.classification import Floats, Metric
from grubio.metrics.segment_overlap import sov_99, sov_refine
from grubio.model.calibration import BINS, at_temperature, expected_calibration_error, reliability
from grubio.sequences.scheme import LabelScheme

LENGTH_BANDS = (0, 100, 200, 300, 500, 1000, 10**9)
IDENTITY_BANDS = (0.0, 0.2, 0.25, 0.3, 0.5, 1.01)


def accuracy_name(scheme: LabelScheme) -> str:
    """Return what the share of residues right is called: q3, q8, or accuracy."""
    return {"ss3": "q3", "ss8": "q8"}.get(scheme.name, "accuracy")


@dataclass
class SchemeScores:
    """Counts per chain in one scheme, filled chain by chain.

    Attributes
    ----------
    scheme
        The classes.
    confusion
        One matrix ``(observed, predicted)`` per chain.
    sov, refined
        SOV'99 and SOV_refine of each chain.
    segments
        Whether the overlap of segments is measured; NaN in ``sov`` and ``refined`` if not.
    observed, probabilities
        Classes ``(residue,)`` and probabilities ``(residue, class)`` of each chain as they came.
    """

    scheme: LabelScheme
    segments: bool = True
    confusion: list[npt.NDArray[np.int64]] = field(default_factory=list)
    sov: list[float] = field(default_factory=list)
    refined: list[float] = field(default_factory=list)
    observed: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    probabilities: list[npt.NDArray[np.float32]] = field(default_factory=list)

    def add(self, observed: npt.NDArray[np.uint8], probabilities: npt.NDArray[np.float32]) -> None:
        """Add a chain: observed classes ``(residue,)``, probabilities ``(residue, class)``."""
        predicted = probabilities.argmax(axis=1).astype(np.uint8)
        self.confusion.append(metrics.confusion_counts(observed, predicted, self.scheme.size))
        self.sov.append(sov_99(observed, predicted) if self.segments else math.nan)
        self.refined.append(sov_refine(observed, predicted) if self.segments else math.nan)
        self.observed.append(observed)
        self.probabilities.append(probabilities)

    @property
    def per_chain(self) -> npt.NDArray[np.int64]:
        """Confusion of all chains, int64 ``(chain, observed, predicted)``."""
        return np.stack(self.confusion)

    def accuracies(self) -> Floats:
        """Return the share of residues right of each chain, ``(chain,)``, NaN where none counts."""
        return metrics.accuracy(self.per_chain)

    def accuracy(self, weights: Floats, chosen: Sequence[int] | None = None) -> Metric:
        """Return the share of residues right, of all chains or of the chosen ones."""
        counts = self.per_chain
        if chosen is not None:
            counts, weights = counts[list(chosen)], weights[:, list(chosen)]
        return metrics.metric(
            float(metrics.accuracy(counts.sum(axis=0))),
            metrics.accuracy(metrics.resampled(weights, counts)),
        )

    def overall(self, weights: Floats) -> dict[str, Metric]:
        """Return the scores that describe all classes together."""
        counts = self.per_chain
        total, drawn = counts.sum(axis=0), metrics.resampled(weights, counts)
        f1, f1_drawn = metrics.class_scores(total)["f1"], metrics.class_scores(drawn)["f1"]
        return {
            accuracy_name(self.scheme): self.accuracy(weights),
            "chain_mean": metrics.mean_over_chains(self.accuracies(), weights),
            "mcc": metrics.metric(
                float(metrics.matthews_correlation(total)), metrics.matthews_correlation(drawn)
            ),
            "macro_f1": metrics.metric(_mean(f1), _mean_of_rows(f1_drawn)),
            "sov": metrics.mean_over_chains(np.array(self.sov), weights),
            "sov_refine": metrics.mean_over_chains(np.array(self.refined), weights),
        }

    def classes(self, weights: Floats) -> dict[str, dict[str, Any]]:
        """Return the scores of each class by its letter."""
        counts = self.per_chain
        total, drawn = counts.sum(axis=0), metrics.resampled(weights, counts)
        scores, drawn_scores = metrics.class_scores(total), metrics.class_scores(drawn)
        observed, probabilities = np.concatenate(self.observed), np.concatenate(self.probabilities)
        chain = np.repeat(np.arange(len(self.observed)), [len(one) for one in self.observed])
        counted = observed < self.scheme.size
        observed, probabilities, chain = observed[counted], probabilities[counted], chain[counted]
        return {
            letter: {
                "support": int(total[index].sum()),
                "average_precision": metrics.average_precision(
                    probabilities[:, index], observed == index, chain, weights
                ).as_dict(),
                **{
                    name: metrics.metric(
                        float(values[index]), drawn_scores[name][..., index]
                    ).as_dict()
                    for name, values in scores.items()
                },
            }
            for index, letter in enumerate(self.scheme.letters)
        }


@dataclass
class CalibrationScores:
    """Confidence against accuracy, before and after calibration, chain by chain."""

    temperature: float
    offsets: tuple[float, ...] = ()
    after: list[Floats] = field(default_factory=list)
    before: list[Floats] = field(default_factory=list)

    def add(self, observed: npt.NDArray[np.uint8], probabilities: npt.NDArray[np.float32]) -> None:
        """Add a chain: observed classes ``(residue,)``, calibrated ``(residue, class)``."""
        counted = observed < probabilities.shape[1]
        seen, calibrated = observed[counted], probabilities[counted]
        correct = calibrated.argmax(axis=1) == seen
        # What was added to the scaled logits is a factor here, since the softmax is taken anew.
        plain = calibrated * np.exp(-np.array(self.offsets)) if self.offsets else calibrated
        raw = at_temperature(plain, 1 / self.temperature)
        self.after.append(reliability(calibrated.max(axis=1, initial=0), correct))
        self.before.append(reliability(raw.max(axis=1, initial=0), raw.argmax(axis=1) == seen))

    def errors(self, weights: Floats) -> dict[str, Metric]:
        """Return the expected calibration error after and before."""
        return {
            name: metrics.metric(
                float(expected_calibration_error(np.stack(sums).sum(axis=0))),
                expected_calibration_error(metrics.resampled(weights, np.stack(sums))),
            )
            for name, sums in (("ece", self.after), ("ece_uncalibrated", self.before))
        }


def gain(ours: SchemeScores, theirs: SchemeScores, weights: Floats) -> Metric:
    """Return our share of residues right less theirs, with both scored on the same samples."""
    mine, other = ours.per_chain, theirs.per_chain
    return metrics.metric(
        float(metrics.accuracy(mine.sum(axis=0)) - metrics.accuracy(other.sum(axis=0))),
        metrics.accuracy(metrics.resampled(weights, mine))
        - metrics.accuracy(metrics.resampled(weights, other)),
    )


def by_length(
    scores: SchemeScores, weights: Floats, lengths: Sequence[int]
) -> list[dict[str, Any]]:
    """Return the share of residues right in bands of the length of the chain."""
    rows = []
    for low, high in pairwise(LENGTH_BANDS):
        inside = [i for i, length in enumerate(lengths) if low < length <= high]
        if inside:
            ends = {"from": low + 1, "to": min(high, max(lengths))}
            rows.append({**ends, **_band(scores, weights, inside, lengths)})
    return rows


def by_identity(
    scores: SchemeScores,
    weights: Floats,
    lengths: Sequence[int],
    identities: Sequence[float | None],
) -> list[dict[str, Any]]:
    """Return the share of residues right in bands of the identity to the nearest training record.

    The first band holds the chains for which no such record was found, whose identity is None.
    """
    bands = [("no hit", [i for i, identity in enumerate(identities) if identity is None])]
    for low, high in pairwise(IDENTITY_BANDS):
        inside = [i for i, x in enumerate(identities) if x is not None and low <= x < high]
        bands.append((f"{100 * low:.0f}-{100 * min(high, 1):.0f} %", inside))
    return [
        {"band": name, **_band(scores, weights, inside, lengths)}
        for name, inside in bands
        if inside
    ]


def confusion_table(schemes: Iterable[SchemeScores]) -> str:
    """Return ``confusion.tsv``: a line for each scheme, observed and predicted class."""
    lines = ["scheme\tobserved\tpredicted\tcount"]
    for scores in schemes:
        letters, total = scores.scheme.letters, scores.per_chain.sum(axis=0)
        lines += [
            f"{scores.scheme.name}\t{seen}\t{called}\t{total[i, j]}"
            for i, seen in enumerate(letters)
            for j, called in enumerate(letters)
        ]
    return "\n".join(lines) + "\n"


def calibration_table(calibration: CalibrationScores) -> str:
    """Return ``calibration.tsv``: a line for each bin that has residues, before and after."""
    lines = ["set\tlow\thigh\tconfidence\taccuracy\tcount"]
    for name, sums in (("before", calibration.before), ("after", calibration.after)):
        for place, (count, confidence, right) in enumerate(np.stack(sums).sum(axis=0)):
            if count:
                lines.append(
                    f"{name}\t{place / BINS:.4f}\t{(place + 1) / BINS:.4f}"
                    f"\t{confidence / count:.4f}\t{right / count:.4f}\t{count:.0f}"
                )
    return "\n".join(lines) + "\n"


def _band(
    scores: SchemeScores, weights: Floats, chosen: Sequence[int], lengths: Sequence[int]
) -> dict[str, Any]:
    return {
        "chains": len(chosen),
        "residues": sum(lengths[i] for i in chosen),
        accuracy_name(scores.scheme): scores.accuracy(weights, chosen).as_dict(),
    }


def _mean(values: Floats) -> float:
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if len(defined) else float("nan")


def _mean_of_rows(values: Floats) -> Floats:
    defined = np.isfinite(values)
    total = np.where(defined, values, 0).sum(axis=-1)
    return np.asarray(total / np.maximum(defined.sum(axis=-1), 1), dtype=np.float64)
