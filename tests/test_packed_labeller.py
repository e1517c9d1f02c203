from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grubio.alphabet import PROTEIN
from grubio.batching import padded_codes
from grubio.model import Architecture, Labeller, new_labeller
from grubio.packed_labeller import PackedLabeller

sequences_strategy = st.lists(
    st.text(alphabet=PROTEIN.codes, min_size=1, max_size=60), min_size=1, max_size=30
)


def new_model(hidden: int, stem: int, members: int) -> Labeller:
    torch.manual_seed(0)
    shape = Architecture(20, 8, hidden, 2, 0.1, stem, accessibility=True, members=members)
    return new_labeller(shape, PROTEIN.channel_table).eval()


@settings(deadline=None, max_examples=30)
@given(
    sequences_strategy,
    st.sampled_from([3, 12, 40]),
    st.sampled_from([0, 6]),
    st.sampled_from([1, 2]),
)
def test_it_is_the_model_but_for_rounding(sequences, hidden, stem, members) -> None:
    model = new_model(hidden, stem, members)
    encoded = [PROTEIN.encode(sequence) for sequence in sequences]
    codes, lengths = padded_codes(encoded, PROTEIN.pad_code)
    with torch.inference_mode():
        wanted = model(torch.from_numpy(codes), torch.from_numpy(lengths))
    for column, found in enumerate(PackedLabeller(model)(encoded)):
        length = len(encoded[column])
        assert torch.allclose(found.logits, wanted.logits[:length, column], atol=1e-5)
        assert torch.allclose(found.accessibility, wanted.accessibility[:length, column], atol=1e-5)


@pytest.mark.parametrize("hidden", [7, 33, 64])
@settings(deadline=None, max_examples=30)
@given(sequences=sequences_strategy)
def test_what_is_computed_beside_a_sequence_changes_no_bit(
    hidden: int, sequences: list[str]
) -> None:
    labeller = PackedLabeller(new_model(hidden, 6, 2))
    encoded = [PROTEIN.encode(sequence) for sequence in sequences]
    for one, among in zip(encoded, labeller(encoded), strict=True):
        (alone,) = labeller([one])
        assert np.array_equal(alone.logits, among.logits)
        assert np.array_equal(alone.accessibility, among.accessibility)
