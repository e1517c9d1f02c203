"""Limits that rates are given as shares of: the fastest matrix products of the same run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

LIMITS = ("fastest float32", "fastest bfloat16", "PyTorch float32")


def shares_of(found: Mapping[str, float]) -> str:
    """Return the cells of a table, one for each limit."""
    return " | ".join(f"{100 * found[name]:.0f} %" if name in found else "" for name in LIMITS)


def named_limits(rates: Sequence[Mapping[str, Any]]) -> str:
    """Return the limits as half a sentence."""
    named = [f"{one['library']} {one['precision']} {one['gflops']:.0f}" for one in rates]
    return f"large matrix products reached, in GFLOP/s, {', '.join(named)}"
