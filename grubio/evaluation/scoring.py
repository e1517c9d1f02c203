"""The scores of one set of predictions in one scheme, with their intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt

from grubio.files import table_text
from grubio.metrics.bootstrap import (
    Estimate,
    Floats,
    Score,
    estimated,
    mean_estimate,
    mean_over_chains,
)
from grubio.metrics.classification import (
    OVERALL,
    accuracy,
    average_precision,
    class_scores,
    confusion_counts,
)
from grubio.metrics.headline import AVERAGE_PRECISION
from grubio.metrics.segment_overlap import UNSCORED, sov_99, sov_refine
from grubio.model.bundle import Calibration
from grubio.model.calibration import BINS, at_temperature, expected_calibration_error, reliability
from grubio.runs.metrics import ClassScores
from grubio.sequences.best_path import best_classes
from grubio.sequences.scheme import LabelScheme


def accuracy_name(scheme: LabelScheme) -> str:
    """Return the name of the share of residues right: q3, q8, or accuracy."""
    return {"ss3": "q3", "ss8": "q8"}.get(scheme.name, "accuracy")


@dataclass(frozen=True)
class SchemeScores:
    """Scores in one scheme, from what is observed and predicted of each chain.

    Attributes
    ----------
    scheme
        The classes.
    observed, probabilities
        Classes ``(residue,)`` and probabilities ``(residue, class)`` of each chain.
    segments
        Whether segment overlap is measured; otherwise it is NaN.
    """

    scheme: LabelScheme
    observed: Sequence[npt.NDArray[np.uint8]]
    probabilities: Sequence[npt.NDArray[np.float32]]
    segments: bool = True

    @cached_property
    def predicted(self) -> list[npt.NDArray[np.uint8]]:
        """Predicted class of each residue, uint8 ``(residue,)`` of each chain: its label."""
        return best_classes(self.probabilities, self.scheme)

    @cached_property
    def per_chain(self) -> npt.NDArray[np.int64]:
        """Confusion of all chains, int64 ``(chain, observed, predicted)``."""
        pairs = zip(self.observed, self.predicted, strict=True)
        return np.stack([confusion_counts(*pair, self.scheme.size) for pair in pairs])

    @cached_property
    def overlaps(self) -> dict[str, Floats]:
        """SOV'99 and SOV_refine of each chain, ``(chain,)``, as ``sov`` and ``sov_refine``."""
        # A residue whose fine class is unknown is in no segment.
        known = [np.where(one < self.scheme.size, one, UNSCORED) for one in self.observed]
        pairs = list(zip(known, self.predicted, strict=True))
        return {
            name: np.array([measure(*pair) if self.segments else np.nan for pair in pairs])
            for name, measure in (("sov", sov_99), ("sov_refine", sov_refine))
        }

    def accuracies(self) -> Floats:
        """Return the accuracy of each chain, ``(chain,)``; NaN where no residue counts."""
        return accuracy(self.per_chain)

    def estimate(
        self, metric: str, weights: Floats, chosen: Sequence[int] | None = None
    ) -> Estimate:
        """Return the score ``metric`` (:data:`grubio.config.Metric`) of all or of chosen chains.

        A correlation that is not defined, as when a single class is predicted, counts as 0, but not
        in a sample that holds none of the chosen chains.
        """
        chains = np.arange(len(self.observed)) if chosen is None else np.array(chosen)
        if metric == AVERAGE_PRECISION:
            return mean_estimate(
                [
                    self._average_precision(index, weights, chains)
                    for index, letter in enumerate(self.scheme.letters)
                    if letter != self.scheme.background
                ]
            )
        found = estimated(OVERALL[metric], self.per_chain[chains], weights[:, chains])
        if metric == "mcc":
            drawn = weights[:, chains] @ self.per_chain[chains].sum(axis=(1, 2)) > 0
            replicates = np.where(drawn, np.nan_to_num(found.replicates), np.nan)
            return Estimate(float(np.nan_to_num(found.value)), replicates)
        return found

    def overall(self, weights: Floats) -> dict[str, Score]:
        """Return the scores that describe all classes together."""
        counts = self.per_chain
        scores = {name: estimated(one, counts, weights).score for name, one in OVERALL.items()}
        return {
            accuracy_name(self.scheme): scores.pop("accuracy"),
            **scores,
            "chain_mean": mean_over_chains(self.accuracies(), weights),
            **{name: mean_over_chains(one, weights) for name, one in self.overlaps.items()},
        }

    def classes(self, weights: Floats) -> dict[str, ClassScores]:
        """Return the scores of each class by its letter."""
        counts = self.per_chain
        found = {}
        for index, letter in enumerate(self.scheme.letters):
            found[letter] = ClassScores(support=int(counts[:, index].sum()))
            for name in ("precision", "recall", "f1", "mcc"):
                of_class = partial(_of_class, name=name, index=index)
                found[letter].scores[name] = estimated(of_class, counts, weights).score
            precision = self._average_precision(index, weights, np.arange(len(counts)))
            found[letter].scores["average_precision"] = precision.score
        return found

    def _average_precision(
        self, index: int, weights: Floats, chains: npt.NDArray[np.integer]
    ) -> Estimate:
        observed = np.concatenate([self.observed[at] for at in chains])
        scores = np.concatenate([self.probabilities[at][:, index] for at in chains])
        chain = np.repeat(np.arange(len(chains)), [len(self.observed[at]) for at in chains])
        counted = observed < self.scheme.size
        return average_precision(
            scores[counted], observed[counted] == index, chain[counted], weights[:, chains]
        )


def reliabilities(
    observed: Sequence[npt.NDArray[np.uint8]],
    probabilities: Sequence[npt.NDArray[np.float32]],
    calibrations: Sequence[Calibration],
) -> dict[str, Floats]:
    """Return the reliability of chains ``before`` and ``after`` calibration, ``(chain, bin, 3)``.

    Of each chain ``observed`` is ``(residue,)``, and probabilities, which were calibrated so, are
    ``(residue, class)``; see :func:`grubio.model.calibration.reliability`.
    """
    sums: dict[str, list[Floats]] = {"before": [], "after": []}
    for classes, rows, calibration in zip(observed, probabilities, calibrations, strict=True):
        counted = classes < rows.shape[1]
        seen, calibrated = classes[counted], rows[counted]
        # An offset of the logits is a factor of the probabilities, which are normalized again.
        offsets = np.array(calibration.offsets or 0.0)
        raw = at_temperature(calibrated * np.exp(-offsets), 1 / calibration.temperature)
        for name, found in (("before", raw), ("after", calibrated)):
            correct = found.argmax(axis=1) == seen
            sums[name].append(reliability(found.max(axis=1, initial=0), correct))
    return {name: np.stack(chains) for name, chains in sums.items()}


def calibration_errors(sums: Mapping[str, Floats], weights: Floats) -> dict[str, Score]:
    """Return the expected calibration error after and before, of :func:`reliabilities`."""
    return {
        name: estimated(expected_calibration_error, sums[when], weights).score
        for name, when in (("ece", "after"), ("ece_uncalibrated", "before"))
    }


def gain(metric: str, ours: SchemeScores, theirs: SchemeScores, weights: Floats) -> Score:
    """Return our score minus theirs, both on the same bootstrap samples."""
    return (ours.estimate(metric, weights) - theirs.estimate(metric, weights)).score


def score_key(metric: str, scheme: LabelScheme) -> str:
    """Return the name of a score of all classes in files, such as ``q3`` for accuracy in SS3."""
    return accuracy_name(scheme) if metric == "accuracy" else metric


def confusion_table(schemes: Iterable[SchemeScores]) -> str:
    """Return ``confusion.tsv``: a line for each scheme, observed class and predicted class."""
    rows = [
        (scores.scheme.name, observed, predicted, count)
        for scores in schemes
        for observed, counts in zip(
            scores.scheme.letters, scores.per_chain.sum(axis=0), strict=True
        )
        for predicted, count in zip(scores.scheme.letters, counts, strict=True)
    ]
    return table_text(("scheme", "observed", "predicted", "count"), rows)


def calibration_table(sums: Mapping[str, Floats]) -> str:
    """Return ``calibration.tsv``: a line for each bin with residues, before and after."""
    rows = [
        (
            name,
            f"{place / BINS:.4f}",
            f"{(place + 1) / BINS:.4f}",
            f"{confidence / count:.4f}",
            f"{right / count:.4f}",
            f"{count:.0f}",
        )
        for name, per_chain in sums.items()
        for place, (count, confidence, right) in enumerate(per_chain.sum(axis=0))
        if count
    ]
    return table_text(("set", "low", "high", "confidence", "accuracy", "count"), rows)


def _of_class(counts: Floats, name: str, index: int) -> Floats:
    return class_scores(counts)[name][..., index]
