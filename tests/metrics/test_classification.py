from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    confusion_matrix,
    matthews_corrcoef,
    precision_recall_fscore_support,
)

from grubio.metrics import classification as metrics
from grubio.metrics.bootstrap import Estimate, bootstrap_weights, estimated

pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=200)


@pytest.mark.filterwarnings("ignore:A single label was found")
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


@pytest.mark.parametrize(("share", "centre"), [(0.2, -1.0), (0.002, -8.0)])
def test_average_precision_is_that_of_scikit_learn(share: float, centre: float) -> None:
    # The second class is rare and never likely, as pi helix is.
    generator = np.random.default_rng(0)
    positive = generator.random(60_000) < share
    scores = 1 / (1 + np.exp(-(generator.normal(centre, 1, 60_000) + 2.5 * positive)))
    chain = np.repeat(np.arange(300), 200)
    weights = bootstrap_weights(300, 100, 1)
    found = metrics.average_precision(scores, positive, chain, weights).score
    assert found.value == average_precision_score(positive, scores)
    exact = [
        average_precision_score(positive, scores, sample_weight=weight[chain]) for weight in weights
    ]
    low, high = np.quantile(exact, [0.025, 0.975])
    assert found.low == pytest.approx(low, abs=0.005)
    assert found.high == pytest.approx(high, abs=0.005)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=50))
def test_binned_average_precision_is_exact_for_few_scores(drawn: list[tuple[int, bool]]) -> None:
    scores, positive = np.array([s for s, _ in drawn]), np.array([p for _, p in drawn])
    counts = np.stack(
        [np.bincount(scores[positive == kind], minlength=6) for kind in (False, True)]
    )
    found = float(metrics.binned_average_precision(counts))
    if positive.any():
        assert found == pytest.approx(average_precision_score(positive, scores))
    else:
        assert np.isnan(found)


def test_an_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(1)
    covered = 0
    for seed in range(200):
        # Chains differ in how easy they are, so residues of a chain are not independent.
        ease = np.clip(generator.normal(0.7, 0.15, 60), 0, 1)
        right = generator.binomial(100, ease)
        counts = np.array([[[r, 100 - r], [0, 0]] for r in right])
        weights = bootstrap_weights(60, 300, seed)
        score = estimated(metrics.accuracy, counts, weights).score
        assert score.low is not None
        assert score.high is not None
        covered += score.low <= 0.7 <= score.high
    assert 0.88 <= covered / 200 <= 0.99


def test_weights_follow_from_the_seed_and_draw_all_chains() -> None:
    first = bootstrap_weights(30, 50, 1)
    assert np.array_equal(first, bootstrap_weights(30, 50, 1))
    assert not np.array_equal(first, bootstrap_weights(30, 50, 2))
    assert (first.sum(axis=1) == 30).all()


def test_an_absent_class_has_no_score_and_breaks_nothing() -> None:
    counts = np.array([[5, 0], [0, 0]])
    scores = metrics.class_scores(counts)
    assert np.isnan(scores["recall"][1])
    assert Estimate(float("nan"), np.array([1.0])).score.as_dict() == {
        "value": None,
        "low": None,
        "high": None,
    }
