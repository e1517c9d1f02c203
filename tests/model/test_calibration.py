from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax, softmax

from grubio.model.calibration import (
    BINS,
    at_temperature,
    expected_calibration_error,
    fit_temperature,
    reliability,
)


def drawn_classes(probabilities: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    uniform = generator.random((len(probabilities), 1))
    return (probabilities.cumsum(axis=1) > uniform).argmax(axis=1)


def loss(logits: np.ndarray, classes: np.ndarray, temperature: float) -> float:
    return -log_softmax(logits / temperature, axis=1)[np.arange(len(classes)), classes].mean()


@settings(max_examples=20)
@given(st.floats(0.4, 3.0), st.integers(0, 100))
def test_the_temperature_that_was_put_in_is_found(temperature: float, seed: int) -> None:
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 2, (8000, 3))
    classes = drawn_classes(softmax(logits, axis=1), generator)
    found = fit_temperature(logits * temperature, classes)
    assert found == pytest.approx(temperature, rel=0.12)
    here = loss(logits * temperature, classes, found)
    assert here <= loss(logits * temperature, classes, found * 1.02)
    assert here <= loss(logits * temperature, classes, found * 0.98)


@pytest.mark.parametrize("unscored", [-100, 255])
def test_residues_that_do_not_count_change_no_temperature(unscored: int) -> None:
    generator = np.random.default_rng(2)
    logits = generator.normal(0, 2, (500, 3))
    classes = drawn_classes(softmax(logits, axis=1), generator)
    masked = np.where(np.arange(500) < 200, unscored, classes)
    assert fit_temperature(logits, masked) == fit_temperature(logits[200:], classes[200:])
    assert fit_temperature(logits, np.full(500, unscored)) == 1


def test_confident_and_wrong_gives_a_high_temperature_and_sure_and_right_a_low_one() -> None:
    # At two right of three the best logit is log 2.
    logits = np.array([[3.0, 0.0], [3.0, 0.0], [3.0, 0.0]])
    assert fit_temperature(logits, np.array([0, 0, 1])) == pytest.approx(3 / np.log(2), rel=1e-3)
    assert fit_temperature(logits / 3, np.array([0, 0, 0])) < 0.1


def test_calibration_error_of_known_bins() -> None:
    confidence = np.array([0.95] * 10 + [0.55] * 10)
    correct = np.array([True] * 9 + [False] + [True] * 2 + [False] * 8)
    sums = reliability(confidence, correct)
    assert sums[:, 0].sum() == 20
    assert float(expected_calibration_error(sums)) == pytest.approx((0.05 * 10 + 0.35 * 10) / 20)


def test_bins_are_equally_wide_and_hold_both_ends() -> None:
    sums = reliability(np.array([0.0, 0.5, 1.0]), np.array([False, True, True]))
    assert np.flatnonzero(sums[:, 0]).tolist() == [0, BINS // 2, BINS - 1]


@given(st.integers(0, 1000), st.integers(1, 300))
def test_sums_of_chains_add_up_to_those_of_all_residues(seed: int, cut: int) -> None:
    generator = np.random.default_rng(seed)
    confidence, correct = generator.random(300), generator.random(300) < 0.6
    parts = reliability(confidence[:cut], correct[:cut]) + reliability(
        confidence[cut:], correct[cut:]
    )
    assert np.allclose(parts, reliability(confidence, correct))
    assert 0 <= float(expected_calibration_error(parts)) <= 1


def test_calibrated_predictions_have_almost_no_error_and_others_do() -> None:
    generator = np.random.default_rng(3)
    probabilities = softmax(generator.normal(0, 2, (40_000, 3)), axis=1)
    classes = drawn_classes(probabilities, generator)
    errors = []
    for shown in (probabilities, at_temperature(probabilities, 0.4)):
        correct = shown.argmax(axis=1) == classes
        errors.append(float(expected_calibration_error(reliability(shown.max(axis=1), correct))))
    assert errors[0] < 0.01
    assert errors[1] > 0.08


@given(st.floats(0.3, 3.0), st.integers(0, 100))
def test_temperatures_undo_each_other(temperature: float, seed: int) -> None:
    logits = np.random.default_rng(seed).normal(0, 1.5, (20, 4))
    there = at_temperature(softmax(logits, axis=1), temperature)
    assert np.allclose(there, softmax(logits / temperature, axis=1))
    assert np.allclose(at_temperature(there, 1 / temperature), softmax(logits, axis=1))


def test_a_probability_of_zero_stays_a_number() -> None:
    moved = at_temperature(np.array([[1.0, 0.0]], dtype=np.float32), 2.0)
    assert np.isfinite(moved).all()
    assert moved[0, 0] == pytest.approx(1)
