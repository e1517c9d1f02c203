"""The two kinds of data and of models: whole sequences, and the strands of a genome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Kind = Literal["sequences", "genome"]


def kind_of(sites: Mapping[str, Any] | None) -> Kind:
    """Return the kind that the stored ``sites`` stand for: none are stored for sequences."""
    return "sequences" if sites is None else "genome"
