"""Weights, pseudocounts and the profile of an alignment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grubio.profiles.pseudocounts import BETA, BLOSUM62, from_scores, with_pseudocounts
from grubio.profiles.weighting import own_profile, profile_of_rows, weighted_frequencies
from grubio.sequences.alphabet import PROTEIN

LETTERS = PROTEIN.letters


@st.composite
def alignments(draw: st.DrawFn) -> list[str]:
    width = draw(st.integers(1, 30))
    first = draw(st.text(LETTERS + "XBU", min_size=width, max_size=width))
    others = st.text(LETTERS + "-X", min_size=width, max_size=width)
    return [first, *draw(st.lists(others, max_size=12))]


def indices(rows: list[str]) -> np.ndarray:
    return np.array([[LETTERS.find(letter) for letter in row] for row in rows])


def test_the_matrix_is_that_of_biopython() -> None:
    from Bio.Align import substitution_matrices

    theirs = substitution_matrices.load("BLOSUM62")
    assert [[theirs[a, b] for b in LETTERS] for a in LETTERS] == BLOSUM62.tolist()


def test_weights_are_those_of_the_paper() -> None:
    # The example of Henikoff and Henikoff, J. Mol. Biol. 243:574, 1994.
    found, kinds = weighted_frequencies(indices(["GYVGS", "GFDGF", "GYDGF", "GYQGG"]))
    weights = np.array([4 / 15, 4 / 15, 3 / 15, 4 / 15])
    assert kinds.tolist() == [1, 2, 3, 1, 3]
    assert found[0, LETTERS.index("G")] == pytest.approx(1)
    assert found[1, LETTERS.index("F")] == pytest.approx(weights[1])
    assert found[2, LETTERS.index("D")] == pytest.approx(weights[1] + weights[2])


@settings(max_examples=60)
@given(alignments(), st.randoms(use_true_random=False))
def test_what_holds_for_every_alignment(rows: list[str], random: object) -> None:
    profile = profile_of_rows(rows)
    whole = profile.frequencies
    assert profile.sequence == rows[0]
    assert whole.shape == (len(rows[0]), 20)
    assert np.abs(whole.sum(axis=1) - 1).max() < 2e-3
    assert (whole > 0).all()
    assert profile.depth is not None
    assert 1 <= profile.depth <= len(rows)
    assert profile.neff is not None
    assert 1 - 1e-9 <= profile.neff <= 20
    # The order of the others, and repeating one, change nothing but the rounding of sums.
    others = rows[1:]
    random.shuffle(others)  # type: ignore[attr-defined]
    again = profile_of_rows([rows[0], *others, *rows[:2]])
    assert again.depth == profile.depth
    assert np.allclose(again.frequencies, whole, atol=1e-3)
    # A column that the first sequence does not have says nothing of it.
    inserted = [row[:1] + ("-" if row is rows[0] else "W") + row[1:] for row in rows]
    if len({*rows}) == len(rows):
        wider = profile_of_rows(inserted)
        assert wider.sequence == rows[0]
        assert np.allclose(wider.frequencies, whole, atol=1e-3)


@settings(max_examples=40)
@given(st.text(LETTERS, min_size=1, max_size=25))
def test_a_sequence_alone_is_what_blosum_expects(sequence: str) -> None:
    profile = own_profile(sequence)
    assert (profile.depth, profile.neff) == (1, 1.0)
    rows = {letter: own_profile(letter).frequencies[0] for letter in {*sequence}}
    assert all(
        np.array_equal(profile.frequencies[i], rows[letter]) for i, letter in enumerate(sequence)
    )
    # Its own residue is likelier than among all proteins, by its score.
    for letter, row in rows.items():
        place = LETTERS.index(letter)
        assert row[place] > own_profile("X").frequencies[0, place]


def test_pseudocounts_lose_weight_as_a_column_becomes_diverse() -> None:
    observed = np.zeros((3, 20))
    observed[:, LETTERS.index("W")] = 1
    found = with_pseudocounts(observed, np.array([1.0, 6.0, 1e6]))
    expected = found[0]
    assert np.allclose(found[1], (5 * observed[0] + BETA * expected) / (5 + BETA))
    assert found[2, LETTERS.index("W")] > 0.999


def test_scores_of_blosum_are_its_frequencies() -> None:
    alone = np.stack([own_profile(letter).frequencies[0] for letter in LETTERS])
    assert np.allclose(from_scores(BLOSUM62), alone, atol=1e-3)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([], "is empty"),
        (["--."], "is empty"),
        (["MKV", "MK"], "sequence 2 of the alignment has 2 columns; 3 were expected"),
    ],
)
def test_what_is_no_alignment_is_refused(rows: list[str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        profile_of_rows(rows)
