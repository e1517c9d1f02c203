from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    confusion_matrix,
    matthews_corrcoef,
    precision_recall_fscore_support,
)

from grubio import metrics
from grubio.calibration import (
    at_temperature,
    expected_calibration_error,
    fit_temperature,
    reliability,
)

pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=200)


@given(pairs)
def test_scores_equal_those_of_scikit_learn(drawn: list[tuple[int, int]]) -> None:
    observed, predicted = np.array(drawn, dtype=np.uint8).T
    counts = metrics.confusion_counts(observed, predicted, 4)
    assert np.array_equal(counts, confusion_matrix(observed, predicted, labels=range(4)))
    assert metrics.accuracy(counts) == pytest.approx(accuracy_score(observed, predicted))
    scores = metrics.class_scores(counts)
    expected = precision_recall_fscore_support(
        observed, predicted, labels=range(4), zero_division=np.nan
    )
    for name, values in zip(("precision", "recall"), expected, strict=False):
        assert np.allclose(scores[name], values, equal_nan=True)
    present = (counts.sum(0) + counts.sum(1)) > 0
    assert np.allclose(scores["f1"][present], np.nan_to_num(expected[2])[present])
    for c in range(4):
        if np.isfinite(scores["mcc"][c]):
            assert scores["mcc"][c] == pytest.approx(
                matthews_corrcoef(observed == c, predicted == c), abs=1e-9
            )
    overall = float(metrics.matthews_correlation(counts))
    assert np.nan_to_num(overall) == pytest.approx(matthews_corrcoef(observed, predicted), abs=1e-9)


def test_unscored_residues_are_in_no_count() -> None:
    observed = np.array([0, 1, 255], dtype=np.uint8)
    counts = metrics.confusion_counts(observed, np.array([0, 0, 1], dtype=np.uint8), 2)
    assert counts.tolist() == [[1, 0], [1, 0]]


def test_average_precision_is_near_that_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    positive = generator.random(5000) < 0.2
    scores = np.clip(generator.normal(0.3 + 0.3 * positive, 0.15), 0, 1)
    found = metrics.binned_average_precision(metrics.rank_counts(scores, positive))
    assert float(found) == pytest.approx(average_precision_score(positive, scores), abs=0.005)


def test_an_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(1)
    covered = 0
    for seed in range(200):
        # Chains differ in how easy they are, so residues of a chain are not independent.
        ease = np.clip(generator.normal(0.7, 0.15, 60), 0, 1)
        right = generator.binomial(100, ease)
        counts = np.array([[[r, 100 - r], [0, 0]] for r in right])
        weights = metrics.bootstrap_weights(60, 300, seed)
        score = metrics.metric(
            float(metrics.accuracy(counts.sum(axis=0))),
            metrics.accuracy(metrics.resampled(weights, counts)),
        )
        covered += score.low <= 0.7 <= score.high
    assert 0.88 <= covered / 200 <= 0.99


def test_weights_follow_from_the_seed_and_draw_all_chains() -> None:
    first = metrics.bootstrap_weights(30, 50, 1)
    assert np.array_equal(first, metrics.bootstrap_weights(30, 50, 1))
    assert not np.array_equal(first, metrics.bootstrap_weights(30, 50, 2))
    assert (first.sum(axis=1) == 30).all()


def test_an_absent_class_has_no_score_and_breaks_nothing() -> None:
    counts = np.array([[5, 0], [0, 0]])
    scores = metrics.class_scores(counts)
    assert np.isnan(scores["recall"][1])
    assert metrics.metric(float("nan"), np.array([1.0])).as_dict() == {
        "value": None,
        "low": None,
        "high": None,
    }


@settings(deadline=None, max_examples=20)
@given(st.floats(0.4, 3.0), st.integers(0, 100))
def test_the_temperature_that_was_put_in_is_found(temperature: float, seed: int) -> None:
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 2, (8000, 3))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    classes = (probabilities.cumsum(axis=1) > generator.random((8000, 1))).argmax(axis=1)
    assert fit_temperature(logits * temperature, classes) == pytest.approx(temperature, rel=0.12)


def test_calibration_error_of_known_bins() -> None:
    confidence = np.array([0.95] * 10 + [0.55] * 10)
    correct = np.array([True] * 9 + [False] + [True] * 2 + [False] * 8)
    sums = reliability(confidence, correct)
    assert sums[:, 0].sum() == 20
    assert float(expected_calibration_error(sums)) == pytest.approx((0.05 * 10 + 0.35 * 10) / 20)


def test_temperatures_undo_each_other() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1]])
    there = at_temperature(probabilities, 2.0)
    assert np.allclose(at_temperature(there, 0.5), probabilities)
    assert there.max() < 0.7
