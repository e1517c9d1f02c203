from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grubio.metrics.segment_overlap import UNSCORED, sov_99, sov_refine
from grubio.sequences.scheme import SS3

# Table 1 of Liu and Wang, Source Code for Biology and Medicine 13:1 (2018): predictions for the
# reference below, with SOV'99 (Zemla et al., 1999) and SOV_refine at lambda = 1.
REFERENCE = "CHHHHHHHHHHC"
WORKED = [
    ("CHCHCHCHCHCC", 0.125, 0.149),
    ("CHHHCHHHCHHC", 0.406, 0.371),
    ("CHHCCHHHHHCC", 0.523, 0.464),
    ("CCCHHHHCCCCC", 0.544, 0.459),
    ("CCCHHHHHCCCC", 0.632, 0.567),
    ("CCCHHHHHHCCC", 0.806, 0.678),
    ("CCCHHHHHHHCC", 0.903, 0.797),
    ("CCCHHHHHHHHC", 0.944, 0.937),
]
strings = st.text(alphabet="HEC", min_size=1, max_size=60)


@pytest.mark.parametrize(("predicted", "sov", "refined"), WORKED)
def test_the_worked_examples_of_the_paper(predicted: str, sov: float, refined: float) -> None:
    observed, called = SS3.encode(REFERENCE), SS3.encode(predicted)
    assert sov_99(observed, called) == pytest.approx(sov, abs=6e-4)
    assert sov_refine(observed, called) == pytest.approx(refined, abs=6e-4)


def test_the_worked_example_of_the_strands() -> None:
    # Figure 1 of Zemla et al., Proteins 34:220-223 (1999): SOV of the strands alone is 0.28.
    # With every coil predicted as helix only strands overlap, and the 11 observed coil residues
    # add to the norm alone, to the 15 of the strands.
    observed = SS3.encode("CCEEECCCCCCEEEEEECCC")
    predicted = SS3.encode("CCCCCCCEEEEECCCEECCC".replace("C", "H"))
    assert sov_99(observed, predicted) * (15 + 11) / 15 == pytest.approx(0.28)


@given(strings)
def test_a_perfect_prediction_scores_one(labels: str) -> None:
    classes = SS3.encode(labels)
    assert sov_99(classes, classes) == pytest.approx(1)
    assert sov_refine(classes, classes) == pytest.approx(1)


@given(strings, st.randoms())
def test_scores_are_shares(labels: str, random) -> None:
    predicted = SS3.encode("".join(random.choice("HEC") for _ in labels))
    for score in (sov_99, sov_refine):
        assert 0 <= score(SS3.encode(labels), predicted) <= 1 + 1e-12


def test_no_segment_in_common_scores_zero() -> None:
    assert sov_99(SS3.encode("HHHH"), SS3.encode("EEEE")) == 0


@given(strings, st.data())
def test_what_is_predicted_at_unscored_residues_changes_nothing(labels: str, data) -> None:
    observed = SS3.encode(labels).copy()
    hidden = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(labels), max_size=len(labels)))
    )
    observed[hidden] = UNSCORED
    first = data.draw(st.text(alphabet="HEC", min_size=len(labels), max_size=len(labels)))
    one, other = SS3.encode(first).copy(), SS3.encode(first).copy()
    other[hidden] = 0
    for score in (sov_99, sov_refine):
        assert score(observed, one) == pytest.approx(score(observed, other), nan_ok=True)


def test_an_unscored_residue_ends_segments_of_both_sides() -> None:
    observed = np.array([0, 0, UNSCORED, 0, 0], dtype=np.uint8)
    assert sov_99(observed, np.zeros(5, dtype=np.uint8)) == pytest.approx(1)
    # Two segments of which one is found: joined over the gap they would share a partner.
    half = np.array([0, 0, 0, 1, 1], dtype=np.uint8)
    assert sov_99(observed, half) == pytest.approx(0.5)
    assert sov_99(np.zeros(5, dtype=np.uint8), half) > 0.5


@given(strings, st.data())
def test_the_order_of_the_residues_may_be_turned_round(labels: str, data) -> None:
    other = data.draw(st.text(alphabet="HEC", min_size=len(labels), max_size=len(labels)))
    observed, predicted = SS3.encode(labels), SS3.encode(other)
    for score in (sov_99, sov_refine):
        assert score(observed[::-1], predicted[::-1]) == pytest.approx(score(observed, predicted))


def test_a_length_that_differs_is_refused() -> None:
    with pytest.raises(ValueError, match="2 observed but 1 predicted"):
        sov_99(np.zeros(2, np.uint8), np.zeros(1, np.uint8))


def test_nothing_to_score_is_not_a_number() -> None:
    assert np.isnan(sov_99(np.array([UNSCORED], np.uint8), np.array([0], np.uint8)))
