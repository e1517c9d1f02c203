"""Model bundles of format 1, of grubio 0.1.0: a GRU that predicts labels, maybe accessibility."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from grubio.sequences.kind import kind_of
from grubio.sequences.target import Target

_T = TypeVar("_T")
_NETWORK = ("hidden_size", "layers", "dropout", "stem_channels", "stem_width")
_NEW_NAMES = {
    "stem.": "network.stem.convolution.",
    "layers.": "network.layers.",
    "head.": "heads.0.",
    "accessibility_head.": "heads.1.",
}


def upgraded(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of ``model.json`` as in format 2, but with its own format number.

    Raises
    ------
    KeyError
        If something is missing.
    """
    content = dict(metadata)
    architecture, sites = content.pop("architecture"), content.pop("sites", None)
    labels = {
        "name": "labels",
        "kind": "classes",
        "weight": 1.0,
        "scheme": content.pop("scheme"),
        "temperature": content.pop("temperature"),
        "offsets": content.pop("offsets", []),
    }
    # Added to the bundled models, whose other content is that of 0.1.0.
    if "grammar" in content:
        labels["scheme"] = {**labels["scheme"], "grammar": content.pop("grammar")}
        labels["transitions"] = content.pop("transitions", None)
    content["targets"] = [labels]
    if architecture.get("accessibility"):
        weight = content["training"]["settings"].get("accessibility_weight", 1.0)
        accessibility = Target("accessibility", "value", weight=weight, column="rsa")
        content["targets"].append(accessibility.as_dict())
    settings = {key: architecture[key] for key in _NETWORK if key in architecture}
    content["network"] = {"name": "gru", "settings": settings}
    content["members"] = architecture.get("members", 1)
    content["inputs"] = ["onehot"]
    content["kind"] = kind_of(sites)
    return content if content["kind"] == "sequences" else content | {"sites": sites}


def renamed(weights: Mapping[str, _T]) -> dict[str, _T]:
    """Return weights by their names in format 2.

    Examples
    --------
    >>> renamed({"members.1.head.bias": 0, "stem.weight": 1})
    {'members.1.heads.0.bias': 0, 'network.stem.convolution.weight': 1}
    """
    old = re.compile(r"(?<![^.])(stem|layers|head|accessibility_head)\.")
    return {
        old.sub(lambda found: _NEW_NAMES[found[0]], name, count=1): weight
        for name, weight in weights.items()
    }
