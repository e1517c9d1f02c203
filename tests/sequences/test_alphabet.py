from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grubio.sequences.alphabet import ALPHABETS, DNA, PROTEIN, Alphabet, likelier_alphabet


@pytest.mark.parametrize("alphabet", ALPHABETS.values(), ids=str)
def test_channels_of_every_code_sum_to_one_and_padding_is_zero(alphabet: Alphabet) -> None:
    assert np.allclose(alphabet.channel_table[:-1].sum(axis=1), 1)
    assert not alphabet.channel_table[alphabet.pad_code].any()


@given(st.text(alphabet=PROTEIN.letters, max_size=50))
def test_standard_residues_come_back_from_their_one_hot_channels(sequence: str) -> None:
    columns = PROTEIN.one_hot(sequence).argmax(axis=1)
    assert "".join(PROTEIN.letters[c] for c in columns) == sequence


def test_ambiguity_codes_spread_over_what_they_stand_for() -> None:
    b = PROTEIN.one_hot("B")[0]
    assert {PROTEIN.letters[i]: b[i] for i in np.flatnonzero(b)} == {"D": 0.5, "N": 0.5}
    assert np.array_equal(PROTEIN.one_hot("U"), PROTEIN.one_hot("C"))
    assert np.array_equal(PROTEIN.one_hot("O"), PROTEIN.one_hot("K"))
    assert np.allclose(PROTEIN.one_hot("X"), 1 / 20)
    assert np.array_equal(DNA.one_hot("U"), DNA.one_hot("T"))


def test_an_unknown_residue_is_not_tyrosine_nor_any_other_single_residue() -> None:
    assert PROTEIN.one_hot("X").max() < 0.06


def test_letters_are_counted_by_what_they_are() -> None:
    """In pieces, of either case; what is no letter of the alphabet is not ambiguous."""
    text = "mKtX-éb" + "A" * 300_000 + "z*"
    assert PROTEIN.count_ambiguous(text) == 3
    assert PROTEIN.invalid_positions(text) == [4, 5, 300_008]
    assert (DNA.count_ambiguous("acgtUNn"), DNA.invalid_positions("acgtUNn")) == (3, [])


def test_case_is_not_information() -> None:
    assert np.array_equal(PROTEIN.encode("mktw"), PROTEIN.encode("MKTW"))


def test_invalid_letters_are_named_with_their_position() -> None:
    assert PROTEIN.invalid_positions("MK-T*é7") == [2, 4, 5, 6]
    with pytest.raises(ValueError, match="'-' at position 3"):
        PROTEIN.encode("MK-T")


def test_dna_is_told_from_protein() -> None:
    assert likelier_alphabet(["ACGTN" * 20]) == (DNA, True)
    assert not likelier_alphabet(["ACGT"]).certain
    assert likelier_alphabet(["MKTAYIAKQR" * 10]) == (PROTEIN, True)
