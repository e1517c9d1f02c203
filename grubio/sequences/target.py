"""Targets: what a model predicts for each residue, and where a dataset keeps the answers.

A target of kind ``classes`` has a label scheme; its answers are labels, or a share of each class.
A target of kind ``value`` has a range; its answers are numbers. A missing answer is missing for
its target alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from grubio.sequences.scheme import LabelScheme, scheme_from_dict

Kind = Literal["classes", "value"]


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
        The range of a value, in the user's unit.
    weight
        Of its loss, relative to the other targets.
    """

    name: str
    kind: Kind
    scheme: LabelScheme | None = None
    low: float = 0.0
    high: float = 1.0
    weight: float = 1.0

    @property
    def size(self) -> int:
        """Number of outputs that a network has for it: the classes, or one."""
        return self.scheme.size if self.scheme else 1

    def as_dict(self) -> dict[str, Any]:
        """Return what a file needs to hold to rebuild this target with :func:`target_from_dict`."""
        content: dict[str, Any] = {"name": self.name, "kind": self.kind, "weight": self.weight}
        if self.scheme is None:
            return content | {"range": [self.low, self.high]}
        return content | {"scheme": self.scheme.as_dict()}


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
        name, weight = str(content["name"]), float(content["weight"])
        if content["kind"] == "classes":
            return Target(name, "classes", scheme_from_dict(content["scheme"]), weight=weight)
        if content["kind"] == "value":
            low, high = map(float, content["range"])
            if not low < high:
                raise ValueError(f"target {name}: the range {low:g} to {high:g} is empty")
            return Target(name, "value", None, low, high, weight)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a target: {error}") from error
    raise ValueError(f"target {name}: there is no kind '{content['kind']}'")
