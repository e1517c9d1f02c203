"""Differences of models on the same chains."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from scipy.special import log_softmax

from conftest import REPOSITORY
from grubio.inference.predictor import Predictor
from grubio.sequences.record import Record


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


def test_models_joined_by_plus_are_one_of_all_their_members(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(REPOSITORY / "benchmarks"))
    paired = importlib.import_module("paired")
    alone, other = (paired.together([name]) for name in ("protein-ss", "protein-ss-fast"))
    both = paired.together(["protein-ss", "protein-ss-fast"])
    assert both.architectures == (*alone.architectures, *other.architectures)
    assert both.calibrations == alone.calibrations
    records = [Record("one", "", "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ")]
    logs = [
        np.log(next(Predictor(bundle, "cpu", 1, grammar=False).predict(records)).probabilities)
        * bundle.calibration().temperature
        for bundle in (alone, other, both)
    ]
    mean = (2 * logs[0] + logs[1]) / 3
    assert np.abs(log_softmax(logs[2], axis=1) - log_softmax(mean, axis=1)).max() < 1e-3
