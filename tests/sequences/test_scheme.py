from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grubio.config import PrepareSettings, parse_scheme
from grubio.sequences.scheme import SS3, SS8, scheme_from_dict


@given(st.text(alphabet=SS8.letters))
def test_labels_come_back(labels: str) -> None:
    assert SS8.decode(SS8.encode(labels)) == labels


def test_ss8_reduces_as_stated() -> None:
    matrix = SS8.reduction_matrix(SS3)
    assert "".join(SS3.letters[i] for i in matrix.argmax(axis=1)) == "HHHEECCC"
    assert np.array_equal(matrix.sum(axis=1), np.ones(8))


def test_synonyms_are_read_and_unknown_is_no_class() -> None:
    assert SS8.decode(SS8.encode("LP- ")) == "CCCC"
    assert SS8.encode("?")[0] == 255
    assert SS8.invalid_positions("H?xE") == [2]


def test_a_custom_scheme_survives_its_file_form() -> None:
    scheme = parse_scheme("disorder=O:ordered,D:disordered")
    assert scheme.class_names == ("ordered", "disordered")
    assert scheme_from_dict(scheme.as_dict()) == scheme
    assert scheme.headline is scheme


@pytest.mark.parametrize(
    "text", ["ss9", "x=", "x=AA:b", "x=A:a,A:b", "ss3=A:a,B:b", "x=?:a,B:b", "x=A:a"]
)
def test_impossible_schemes_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_scheme(text)


def test_a_scheme_of_ones_own_has_the_background_that_the_settings_name() -> None:
    own = {"format": "tsv", "scheme": "site=B:binding,.:other"}
    scheme = PrepareSettings(**own, background=".").label_scheme
    assert scheme.background == "."
    assert scheme_from_dict(scheme.as_dict()).background == "."
    assert PrepareSettings(**own).label_scheme.background is None
    assert PrepareSettings(scheme="ss3", background="C").label_scheme is SS3


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"scheme": "site=B:binding,.:other", "background": "x"}, "'x' is not one of"),
        ({"scheme": "ss8", "background": "H"}, "background of ss8 is 'C'"),
        ({"scheme": "site=B:b,.:o", "background": ".."}, "pattern"),
    ],
)
def test_a_background_that_is_no_class_is_refused(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        PrepareSettings(**settings)
