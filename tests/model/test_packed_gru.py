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
from grubio.model.engines.engine import Engine, engine_of
from grubio.model.labeller import Ensemble, Labeller, new_labeller
from grubio.model.networks.protocol import Architecture
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.scheme import SS8
from grubio.sequences.target import Target

sequences_strategy = st.lists(
    st.text(alphabet=PROTEIN.codes, min_size=1, max_size=60), min_size=1, max_size=30
)


CPU = torch.device("cpu")
TARGETS = [Target("labels", "classes", SS8), Target("exposed", "value")]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Compute as a predictor does: several threads would cut a product by its shape."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def new_model(hidden: int, stem: int, members: int) -> Labeller | Ensemble:
    torch.manual_seed(0)
    architecture = Architecture("gru", hidden, 2, 0.1, stem)
    return new_labeller(architecture, TARGETS, PROTEIN.channel_table, members).eval()


def answers(
    engine: Engine, encoded: list[npt.NDArray[np.uint8]]
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield logits and values of each sequence."""
    found = engine(encoded)
    sizes = [len(codes) for codes in encoded]
    assert len(found["labels"]) == sum(sizes)
    return zip(found["labels"].split(sizes), found["exposed"].split(sizes), strict=True)


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
    for column, (logits, exposed) in enumerate(answers(engine_of(model, CPU), encoded)):
        length = len(encoded[column])
        assert torch.allclose(logits, wanted["labels"][:length, column], atol=1e-5)
        assert torch.allclose(exposed, wanted["exposed"][:length, column], atol=1e-5)


@pytest.mark.parametrize("hidden", [7, 33, 64])
@settings(deadline=None, max_examples=30)
@given(sequences=sequences_strategy)
def test_what_is_computed_beside_a_sequence_changes_no_bit(
    hidden: int, sequences: list[str]
) -> None:
    engine = engine_of(new_model(hidden, 6, 2), CPU)
    encoded = [PROTEIN.encode(sequence) for sequence in sequences]
    for one, among in zip(encoded, answers(engine, encoded), strict=True):
        alone = engine([one])
        assert np.array_equal(alone["labels"], among[0])
        assert np.array_equal(alone["exposed"], among[1])
