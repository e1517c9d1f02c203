from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from grubio.model.batching import padded_codes
from grubio.model.bigru import Architecture, Labeller, new_labeller
from grubio.model.packed import PackedLabeller
from grubio.sequences.alphabet import PROTEIN

sequences_strategy = st.lists(
    st.text(alphabet=PROTEIN.codes, min_size=1, max_size=60), min_size=1, max_size=30
)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Compute as a predictor does: several threads would cut a product by its shape."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def new_model(hidden: int, stem: int, members: int) -> Labeller:
    torch.manual_seed(0)
    shape = Architecture(20, 8, hidden, 2, 0.1, stem, accessibility=True, members=members)
    return new_labeller(shape, PROTEIN.channel_table).eval()


def answers(
    labeller: PackedLabeller, encoded: list[npt.NDArray[np.uint8]]
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield logits and accessibility of each sequence."""
    found = labeller(encoded)
    sizes = [len(codes) for codes in encoded]
    assert len(found.logits) == sum(sizes)
    return zip(found.logits.split(sizes), found.accessibility.split(sizes), strict=True)


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
    for column, (logits, exposed) in enumerate(answers(PackedLabeller(model), encoded)):
        length = len(encoded[column])
        assert torch.allclose(logits, wanted.logits[:length, column], atol=1e-5)
        assert torch.allclose(exposed, wanted.accessibility[:length, column], atol=1e-5)


@pytest.mark.parametrize("hidden", [7, 33, 64])
@settings(deadline=None, max_examples=30)
@given(sequences=sequences_strategy)
def test_what_is_computed_beside_a_sequence_changes_no_bit(
    hidden: int, sequences: list[str]
) -> None:
    labeller = PackedLabeller(new_model(hidden, 6, 2))
    encoded = [PROTEIN.encode(sequence) for sequence in sequences]
    for one, among in zip(encoded, answers(labeller, encoded), strict=True):
        alone = labeller([one])
        assert np.array_equal(alone.logits, among[0])
        assert np.array_equal(alone.accessibility, among[1])
