"""Differences of two models on the same chains."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from conftest import REPOSITORY


def test_a_difference_is_that_of_the_same_chains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(REPOSITORY / "benchmarks"))
    paired = importlib.import_module("paired")
    # Right in Q3, right in Q8, residues; in each chain a tenth more is right in Q3.
    base = np.array([[50, 40, 100], [20, 10, 40], [0, 0, 10]])
    own = base + np.array([[10, 0, 0], [4, 0, 0], [1, 0, 0]])
    assert list(paired.scores(own, base)) == [
        "Q3 56.67, +10.00 (+10.00 to +10.00)",
        "Q8 33.33, +0.00 (+0.00 to +0.00)",
    ]
