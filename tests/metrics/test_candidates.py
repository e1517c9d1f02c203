"""True sites, candidates and their scores: hand-made cases, and scikit-learn where it applies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from grubio.metrics.bootstrap import bootstrap_weights
from grubio.metrics.candidates import (
    Candidates,
    LabelledStrand,
    find_candidates,
    site_truth,
    strand_outcomes,
    strands_of,
)
from grubio.metrics.site_matching import matched, true_sites
from grubio.metrics.sites import (
    curve,
    prevalence_metrics,
    ranked_counts,
    ranking_metrics,
    ranking_scores,
    scanned,
    share_of,
)
from grubio.sequences.locus import reverse_complement
from grubio.sequences.record import Record
from synthetic_genome import SCHEME, genome_dataset


def strand(labels: str, start: int = 0, sign: str = "+", contig: str = "c") -> Record:
    return Record(f"{contig}:{start}-{start + len(labels)}({sign})", "", "A" * len(labels), labels)


def strands(*records: Record) -> list[LabelledStrand]:
    return strands_of(records, SCHEME)[0]


def scores_at(length: int, **values: float) -> np.ndarray:
    scores = np.zeros(length)
    for place, value in values.items():
        scores[int(place[1:])] = value
    return scores


@pytest.mark.parametrize(
    ("run", "starts"),
    [(6, [0]), (9, [0, 3]), (12, [0, 6]), (7, [0, 1]), (13, [0, 4, 7]), (5, [])],
)
def test_a_long_run_is_covered_by_sites(run: int, starts: list[int]) -> None:
    found, short = true_sites(np.array([0] * run + [1] * 3, dtype=np.uint8), 0, 6)
    assert found.tolist() == starts
    assert short.sum() == (0 if starts else run)


def test_each_site_is_found_once_and_within_the_tolerance() -> None:
    sites = np.array([50])
    starts, scores = np.array([40, 47, 53, 60, 61]), np.array([0.9, 0.6, 0.7, 0.8, 0.99])
    right = {d: matched(starts, scores, sites, d).tolist() for d in (0, 3, 10)}
    assert right[0] == [False] * 5
    assert right[3] == [False, False, True, False, False]
    assert right[10] == [True, False, False, False, False]


def test_a_better_candidate_takes_the_nearest_site_and_leaves_the_other() -> None:
    starts, scores = np.array([10, 16]), np.array([0.9, 0.5])
    assert matched(starts, scores, np.array([9, 17]), 10).tolist() == [True, True]
    assert matched(starts, scores, np.array([9]), 10).tolist() == [True, False]


def test_a_site_of_the_other_strand_does_not_count() -> None:
    plus, minus = "." * 100, "." * 40 + "MMMMMM" + "." * 54
    both = strands(strand(plus), strand(minus, sign="-"))
    truth = site_truth(both, 0, 6, 2)
    # The same place on either strand: offset 40 of the minus strand is offset 54 of the plus one.
    found = find_candidates(both, [scores_at(95, s54=0.9), scores_at(95, s40=0.8)], truth)
    best = np.argsort(-found.score)[:2]
    assert found.strand[best].tolist() == [0, 1]
    assert found.right[0][best].tolist() == [False, True]
    assert found.near[best].tolist() == [True, True]
    outcomes = strand_outcomes(both, [scores_at(95, s54=0.9), scores_at(95, s40=0.8)], truth)
    assert outcomes == [(0, False)]
    outcomes = strand_outcomes(both, [scores_at(95, s54=0.7), scores_at(95, s45=0.8)], truth)
    assert outcomes == [(0, True)]


def test_what_touches_an_unknown_base_or_a_cut_off_site_does_not_count() -> None:
    (one,) = strands(strand("MMM" + "." * 47 + "?" + "." * 49))
    truth = site_truth([one], 0, 6, 2)
    assert truth.starts[0].tolist() == []
    expected = np.ones(95, dtype=bool)
    expected[:3] = expected[45:51] = False
    assert (truth.countable[0] == expected).all()
    found = find_candidates([one], [scores_at(95, s1=0.9, s48=0.8, s70=0.7)], truth)
    assert found.start[found.score > 0].tolist() == [70]


def test_near_reaches_300_bases_on_both_strands() -> None:
    plus = "." * 1000 + "MMMMMM" + "." * 994
    both = strands(strand(plus), strand("." * 2000, sign="-"))
    truth = site_truth(both, 0, 6, 2)
    assert np.flatnonzero(truth.near[0])[[0, -1]].tolist() == [700, 1305]
    assert np.flatnonzero(truth.near[1])[[0, -1]].tolist() == [2000 - 1306, 2000 - 701]
    over, near = scanned(both, truth, 2), scanned(both, truth, 2, near=True)
    assert over.kilobases.tolist() == [2.0]
    assert near.kilobases.tolist() == [0.606]
    assert over.sites.tolist() == near.sites.tolist() == [1]
    assert prevalence_metrics(over, np.ones((10, 1)))["average_precision"].value == pytest.approx(
        1 / (2 * 1995)
    )


def ranked(score: list[float], right: list[bool], block: list[int]) -> Candidates:
    return Candidates(
        strand=np.array(block),
        block=np.array(block),
        start=np.arange(len(score)),
        score=np.array(score),
        near=np.array(right),
        right={0: np.array(right), 3: np.array(right)},
        known=np.array(right),
    )


@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 2)), min_size=1, max_size=40
    ),
    st.integers(0, 3),
)
def test_average_precision_is_that_of_scikit_learn(
    rows: list[tuple[int, bool, int]], missed: int
) -> None:
    scores, right, block = (np.array(column) for column in zip(*rows, strict=True))
    sites = right.sum() + missed
    if not sites:
        return
    counts = ranked_counts(scores / 7, right, block, 3).sum(axis=0)
    found = ranking_scores(counts, np.array(float(sites)), np.array(1.0))
    if right.any():
        # What was missed is found by nobody, so it takes its share off every step.
        expected = average_precision_score(right, scores) * right.sum() / sites
        assert float(found["average_precision"]) == pytest.approx(expected)
    else:
        assert float(found["average_precision"]) == 0


def test_single_base_sites_score_as_scikit_learn_does() -> None:
    generator = np.random.default_rng(3)
    # So far apart that every base that can score is its own peak and its own site.
    positive = generator.random(60) < 0.3
    values = generator.random(60)
    labels = "".join(("M" if p else ".") + "." * 10 for p in positive)
    (one,) = strands(strand(labels))
    scores = np.zeros(len(labels))
    scores[::11] = values
    truth = site_truth([one], 0, 1, 2)
    found = find_candidates([one], [scores], truth)
    kept = scores[found.start] > 0
    assert kept.all()
    over = scanned([one], truth, 2)
    value = ranking_metrics(found, 0, over, np.ones((10, 1)))["average_precision"].value
    assert value == pytest.approx(average_precision_score(positive, values))


def test_precision_at_k_and_recall_at_a_rate_by_hand() -> None:
    candidates = ranked(
        [0.9, 0.8, 0.7, 0.6, 0.5, 0.4], [True, False, True, False, False, True], [0] * 6
    )
    over = scanned(strands(strand("." * 1000), strand("." * 1000, sign="-")), *_no_sites(1000))
    over = type(over)(np.array([4.0]), over.starts, over.kilobases)
    weights = np.ones((10, 1))
    found = {n: m.value for n, m in ranking_metrics(candidates, 3, over, weights).items()}
    assert found["average_precision"] == pytest.approx((1 + 2 / 3 + 3 / 6) / 4)
    assert found["precision_at_k"] == pytest.approx(2 / 4)
    # One kilobase: one wrong call is allowed at a rate of 1, none at 0.1.
    assert found["recall_at_1_per_kb"] == pytest.approx(2 / 4)
    assert found["recall_at_0.1_per_kb"] == pytest.approx(1 / 4)
    assert curve(candidates, 3, over) == [
        (0.9, 0.25, 1.0),
        (0.7, 0.5, pytest.approx(2 / 3)),
        (0.4, 0.75, 0.5),
    ]
    near = ranking_metrics(candidates, 3, over, weights, near=True)
    assert near["average_precision"].value == pytest.approx(3 / 4)


def test_wrong_candidates_go_first_among_equal_scores() -> None:
    candidates = ranked([0.5, 0.5], [True, False], [0, 0])
    over = scanned(strands(strand("." * 1000)), *_no_sites(1000, 1))
    over = type(over)(np.array([1.0]), over.starts, over.kilobases)
    found = ranking_metrics(candidates, 3, over, np.ones((10, 1)))
    assert found["precision_at_k"].value == 0
    assert found["recall_at_0.1_per_kb"].value == 0
    assert found["average_precision"].value == 0.5


def _no_sites(bases: int, count: int = 2) -> tuple[object, int]:
    signs = ("+", "-")[:count]
    return site_truth(strands(*(strand("." * bases, sign=s) for s in signs)), 0, 6, 2), 2


def test_a_bootstrap_sample_is_what_repeated_blocks_would_score() -> None:
    generator = np.random.default_rng(5)
    blocks, size = 4, 120
    score, right = generator.random(size), generator.random(size) < 0.3
    block = generator.integers(0, blocks, size)
    sites = np.bincount(block[right], minlength=blocks) + 1.0
    over = scanned(strands(*(strand("." * 500, 500 * i) for i in range(blocks))), *_truths(blocks))
    over = type(over)(sites, over.starts, over.kilobases)
    drawn = np.array([[2.0, 0, 1, 1], [0, 3, 1, 0]])
    counts = ranked_counts(score, right, block, blocks)
    for sample in drawn:
        again = np.repeat(np.arange(size), sample[block].astype(int))
        expected = ranking_scores(
            ranked_counts(score[again], right[again], block[again] * 0, 1)[0],
            np.array(sample @ sites),
            np.array(sample @ over.kilobases),
        )
        weighted = ranking_scores(
            np.tensordot(sample, counts, 1),
            np.array(sample @ sites),
            np.array(sample @ over.kilobases),
        )
        for name, value in expected.items():
            assert float(weighted[name]) == pytest.approx(float(value)), name
    found = ranking_metrics(
        ranked(score.tolist(), right.tolist(), block.tolist()),
        3,
        over,
        bootstrap_weights(4, 250, 1),
    )
    for one in (estimate.score for estimate in found.values()):
        assert one.low <= one.value <= one.high
        assert one.high - one.low > 0.001


def _truths(blocks: int) -> tuple[object, int]:
    return site_truth(strands(*(strand("." * 500, 500 * i) for i in range(blocks))), 0, 6, 2), 2


def test_the_gain_over_oneself_is_nothing() -> None:
    one = ranked([0.9, 0.5, 0.2], [True, False, True], [0, 1, 1])
    over = scanned(strands(*(strand("." * 500, 500 * i) for i in range(2))), *_truths(2))
    over = type(over)(np.array([1.0, 1.0]), over.starts, over.kilobases)
    weights = bootstrap_weights(2, 50, 1)
    ours, theirs = (ranking_metrics(one, 3, over, weights)["average_precision"] for _ in range(2))
    same = (ours - theirs).score
    assert (same.value, same.low, same.high) == (0, 0, 0)
    assert share_of([(0, True), (1, False)], 2, np.ones((10, 2))).value == 0.5


def test_both_strands_of_the_made_up_genome_fit() -> None:
    records, _ = genome_dataset(2)
    both = strands(*records)
    assert [one.mate for one in both] == [1, 0, 3, 2]
    assert [one.block for one in both] == [0, 0, 1, 1]
    assert both[0].sequence == reverse_complement(both[1].sequence)
    truth = site_truth(both, 0, 6, 2)
    assert sum(map(len, truth.starts)) == 16
    sequences = [
        one.sequence[start : start + 6]
        for one, starts in zip(both, truth.starts, strict=True)
        for start in starts
    ]
    assert sum(text[-1] == "T" for text in sequences) >= 14
