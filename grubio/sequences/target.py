"""Targets: what a model predicts for each residue, and where a dataset keeps the answers.

A target of kind ``classes`` has a label scheme; its answers are labels, or a share of each class.
A target of kind ``value`` has numbers as answers, in a range or of any size. A missing answer is
missing for its target alone.

Networks learn values on a scale of their own. Values in a range become 0 to 1. Others are
standardised: the mean of the training values is subtracted, and the difference divided by their
standard deviation. Answers, predictions and scores are in the user's unit.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from grubio.sequences.runs_and_peaks import equal_runs
from grubio.sequences.scheme import LabelScheme, scheme_from_dict

Kind = Literal["classes", "value"]
Answer: TypeAlias = str | npt.NDArray[Any]
"""What is known of a record for one target: labels, one letter per residue; values, float32
``(residue,)``, NaN where unknown; or shares of the classes, uint8 ``(residue, class)``, zeros where
unknown. For the labels themselves: their soft labels, uint8 ``(residue, class + 1)``, shares of the
classes and in the last column the weight of the residue, of 255."""

LABELS = "labels"
"""Name of the main target, whose answers are the labels of a record."""
FULL_WEIGHT = 255
"""The weight of a residue that counts in full, and the share of a class that is certain."""
SOFT_COLUMN, WEIGHT_COLUMN = "soft_labels", "label_weights"
"""Columns of tables and datasets with soft labels: shares of the classes, and weights."""


@dataclass(frozen=True)
class Regions:
    """Which stretches of a value are worth a name, such as disordered ones.

    Attributes
    ----------
    name
        What they are called.
    threshold
        Values below it belong to a region, or above it if ``above``.
    above
        Whether high values do.
    least
        Least number of residues.
    """

    name: str
    threshold: float
    above: bool = False
    least: int = 1

    def runs(self, values: npt.NDArray[np.floating]) -> list[tuple[int, int]]:
        """Return start and end (0-based, exclusive) of the regions in ``(residue,)`` values.

        Examples
        --------
        >>> Regions("low", 8, least=2).runs(np.array([1, 2, 9, 3, 9, 7, 7.0]))
        [(0, 2), (5, 7)]
        """
        inside = values > self.threshold if self.above else values < self.threshold
        runs = equal_runs(inside).tolist()
        return [(first, end) for first, end in runs if inside[first] and end - first >= self.least]


@dataclass(frozen=True)
class Target:
    """One thing to predict for each residue.

    Attributes
    ----------
    name
        Its name in datasets, configurations, bundles and outputs.
    kind
        ``classes`` or ``value``.
    scheme
        The classes; None for a value.
    low, high
        The range of a value, in the user's unit; infinite without a range.
    mean, deviation
        Mean and standard deviation of the training values; of use without a range alone.
    spread
        Whether the standard deviation of each single value is predicted too.
    weight
        Of its loss, relative to the labels.
    column
        Its column in tables of predictions; the name if empty.
    shares
        Whether its answers are a share of each class, and not labels.
    shipped
        Whether the model predicts it. A target that is not shipped shapes training alone.
    regions
        Which stretches of its values are called; None if none are.
    """

    name: str
    kind: Kind
    scheme: LabelScheme | None = None
    low: float = 0.0
    high: float = 1.0
    weight: float = 1.0
    column: str = ""
    shares: bool = False
    shipped: bool = True
    mean: float = 0.0
    deviation: float = 1.0
    spread: bool = False
    regions: Regions | None = None

    @property
    def bounded(self) -> bool:
        """Whether its values have a range."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def shown_range(self) -> tuple[float, float]:
        """The ends of an axis for its values: its range, or three deviations about the mean."""
        if self.bounded:
            return self.low, self.high
        return self.mean - 3 * self.deviation, self.mean + 3 * self.deviation

    @property
    def heading(self) -> str:
        """Its column in tables of predictions."""
        return self.column or self.name

    @property
    def columns(self) -> list[str]:
        """Its columns in tables of predictions.

        Of classes the label, then the probabilities; of values the value, and the standard
        deviation if that is predicted.
        """
        letters = self.scheme.letters if self.scheme else ""
        further = [f"p_{letter}" for letter in letters] + ["sd"] * self.spread
        return [self.heading, *(f"{self.heading}_{ending}" for ending in further)]

    @property
    def size(self) -> int:
        """Number of outputs of a network for it: the classes, or the value and its deviation."""
        return self.scheme.size if self.scheme else 1 + self.spread

    def is_like(self, other: Target) -> bool:
        """Return whether another target has the same classes or range, and the same answers."""
        keys = ("scheme", "low", "high", "shares")
        return all(getattr(self, key) == getattr(other, key) for key in keys)

    @property
    def scale(self) -> tuple[float, float]:
        """What is subtracted from values, and what they are then divided by."""
        if self.bounded:
            return self.low, self.high - self.low
        return self.mean, self.deviation

    def scaled(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return values as networks learn them, float32: from 0 to 1, or standardised.

        Examples
        --------
        >>> score = Target("score", "value", None, -math.inf, math.inf, mean=5, deviation=2)
        >>> score.scaled(np.array([5, 9], dtype=np.float32)).tolist()
        [0.0, 2.0]
        """
        start, unit = self.scale
        return np.asarray((values - start) / unit, dtype=np.float32)

    def in_own_range(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return values of :meth:`scaled` in the user's unit, float32."""
        start, unit = self.scale
        return np.asarray(start + unit * values, dtype=np.float32)

    def in_shown_range(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return values in the user's unit as parts of :attr:`shown_range`, float32."""
        low, high = self.shown_range
        return np.asarray((values - low) / (high - low), dtype=np.float32)

    def as_dict(self) -> dict[str, Any]:
        """Return the content from which :func:`target_from_dict` rebuilds this target."""
        keys = ("name", "kind", "weight", "column", "shares", "shipped")
        content: dict[str, Any] = {key: getattr(self, key) for key in keys}
        if self.scheme is not None:
            return content | {"scheme": self.scheme.as_dict()}
        if self.regions is not None:
            content["regions"] = dataclasses.asdict(self.regions)
        if self.bounded:
            return content | {"range": [self.low, self.high]}
        own = {key: getattr(self, key) for key in ("mean", "deviation", "spread")}
        return content | {"range": None, **own}


def target_from_dict(content: Mapping[str, Any]) -> Target:
    """Return the target written by :meth:`Target.as_dict`.

    Raises
    ------
    ValueError
        If the content is incomplete or contradicts itself.

    Examples
    --------
    >>> target = Target("accessibility", "value", weight=0.3)
    >>> target_from_dict(target.as_dict()) == target
    True
    """
    try:
        name = str(content["name"])
        rest: dict[str, Any] = {
            "weight": float(content["weight"]),
            "column": str(content.get("column", "")),
            "shares": bool(content.get("shares", False)),
            "shipped": bool(content.get("shipped", True)),
        }
        if content["kind"] == "classes":
            return Target(name, "classes", scheme_from_dict(content["scheme"]), **rest)
        if content.get("regions") is not None:
            rest["regions"] = Regions(**content["regions"])
        if content["kind"] == "value" and content["range"] is None:
            deviation = float(content["deviation"])
            if not 0 < deviation < math.inf:
                raise ValueError(f"target {name}: the standard deviation is {deviation:g}")
            rest |= {"mean": float(content["mean"]), "deviation": deviation}
            rest["spread"] = bool(content["spread"])
            return Target(name, "value", None, -math.inf, math.inf, **rest)
        if content["kind"] == "value":
            low, high = map(float, content["range"])
            if not low < high:
                raise ValueError(f"target {name}: the range {low:g} to {high:g} is empty")
            return Target(name, "value", None, low, high, **rest)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a target: {error}") from error
    raise ValueError(f"target {name}: there is no kind '{content['kind']}'")


def values_of_tenths(digits: str, target: Target) -> npt.NDArray[np.float32]:
    """Return the values that digits stand for, float32 ``(residue,)``; NaN for ``-``.

    A digit stands for a tenth of the range; its value is the middle of that tenth.

    Raises
    ------
    ValueError
        If a character is neither a digit nor ``-``.

    Examples
    --------
    >>> values_of_tenths("09-", Target("accessibility", "value")).tolist()
    [0.05000000074505806, 0.949999988079071, nan]
    """
    codes = np.frombuffer(digits.encode("ascii", errors="replace"), dtype=np.uint8)
    known = codes != ord("-")
    if ((codes < ord("0")) | (codes > ord("9")))[known].any():
        raise ValueError("one digit per residue, or -, was expected")
    tenths = np.asarray((codes.astype(np.float32) - ord("0") + 0.5) / 10, dtype=np.float32)
    return np.where(known, target.in_own_range(tenths), np.float32(np.nan))
