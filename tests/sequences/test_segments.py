"""Segments and summaries, against a reading of the labels that is written another way."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grubio.config import CallSettings
from grubio.errors import GrubioError
from grubio.inference.labelled_sequence import labelled
from grubio.inference.predictor import Prediction
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS3, SS8
from grubio.sequences.segments import segments, summary

labels_strategy = st.text(alphabet="HEC?", min_size=1, max_size=60)


def sure(labels: str) -> np.ndarray:
    return np.eye(4, 3, dtype=np.float32)[["HEC?".index(letter) for letter in labels]]


@given(labels_strategy)
def test_segments_cover_every_label_once(labels: str) -> None:
    covered = ["?"] * len(labels)
    for segment in segments(labels, sure(labels), SS3):
        assert segment.confidence == 1
        for place in range(segment.start - 1, segment.end):
            assert covered[place] == "?"
            covered[place] = segment.label
    assert "".join(covered) == labels


@given(labels_strategy, st.integers(1, 5), st.integers(0, 4))
def test_segments_are_long_apart_and_do_not_overlap(
    labels: str, min_length: int, max_gap: int
) -> None:
    found = segments(labels, sure(labels), SS3, min_length=min_length, max_gap=max_gap)
    for segment in found:
        assert len(segment) >= min_length
        assert labels[segment.start - 1] == labels[segment.end - 1] == segment.label
    for one, other in itertools.pairwise(found):
        assert other.start > one.end
        if one.label == other.label != "C":
            assert other.start - one.end - 1 > max_gap


def test_a_gap_is_joined_and_its_content_goes() -> None:
    labels = "CCHHHEEHHHCCCHH"
    found = [(s.label, s.start, s.end) for s in segments(labels, sure(labels), SS3, max_gap=2)]
    assert found == [("C", 1, 2), ("H", 3, 10), ("C", 11, 13), ("H", 14, 15)]
    helix = segments(labels, sure(labels), SS3, max_gap=2)[1]
    assert helix.confidence == pytest.approx(6 / 8)
    assert segments(labels, sure(labels), SS3, max_gap=3)[1].end == 15


def test_coil_is_not_joined_over_a_helix() -> None:
    found = segments("CCHHCC", sure("CCHHCC"), SS3, max_gap=5)
    assert [s.label for s in found] == ["C", "H", "C"]


@given(labels_strategy)
def test_summary_adds_up(labels: str) -> None:
    found = summary(labels, sure(labels), SS3)
    assert sum(found.fractions.values()) + found.unlabelled == pytest.approx(1)
    longest = max(
        (len(list(run)) for key, run in itertools.groupby(labels) if key == "H"), default=0
    )
    assert found.longest["H"] == longest


def test_labels_below_the_least_confidence_are_unknown() -> None:
    probabilities = np.zeros((4, 8), dtype=np.float32)
    # H 0.4 and G 0.4 are helix with 0.8: the confidence is that of the scheme that is written.
    probabilities[:, 0] = probabilities[:, 1] = [0.4, 0.3, 0.3, 0.4]
    probabilities[:, 7] = [0.2, 0.4, 0.4, 0.2]
    prediction = Prediction(Record("a", "", "MKTA"), probabilities, SS8)
    found = labelled(prediction, SS3, CallSettings(min_confidence=0.7))
    assert found.labels == "H??H"
    assert [(s.start, s.end) for s in found.segments()] == [(1, 1), (4, 4)]
    assert [(s.start, s.end) for s in found.segments(max_gap=2)] == [(1, 4)]
    assert labelled(prediction, SS3, CallSettings(min_confidence=0.6)).labels == "HHHH"
    assert found.summary().unlabelled == 0.5


def test_settings_out_of_bounds_are_refused() -> None:
    from grubio.config.loading import checked

    with pytest.raises(GrubioError, match="min_confidence"):
        checked(CallSettings, {"min_confidence": 1.5})
