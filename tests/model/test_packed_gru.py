from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grubio.model.architecture import Architecture
from grubio.model.batching import padded_codes
from grubio.model.engines.engine import Engine, engine_of
from grubio.model.engines.one_thread import one_thread_each
from grubio.model.labeller import Ensemble, Labeller, bundle_of, new_labeller
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.scheme import SS8
from grubio.sequences.target import Target

sequences_strategy = st.lists(
    st.text(alphabet=PROTEIN.codes, min_size=1, max_size=60), min_size=1, max_size=30
)


TARGETS = [Target("labels", "classes", SS8), Target("exposed", "value")]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Compute as a predictor does: several threads would cut a product by its shape."""
    with one_thread_each():
        yield


def new_model(hidden: int, stem: int, members: int) -> Labeller | Ensemble:
    torch.manual_seed(0)
    architecture = Architecture("gru", hidden, 2, 0.1, stem)
    return new_labeller(architecture, TARGETS, PROTEIN.channel_table, members).eval()


def answers(
    engine: Engine, encoded: list[npt.NDArray[np.uint8]]
) -> Iterator[tuple[npt.NDArray[np.float32], ...]]:
    """Yield logits and values of each sequence."""
    found = engine(encoded)
    ends = np.cumsum([len(codes) for codes in encoded])
    assert len(found["labels"]) == len(found["exposed"]) == ends[-1]
    parts = [np.split(found[name], ends[:-1]) for name in ("labels", "exposed")]
    return zip(*parts, strict=True)


@settings(max_examples=30)
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
    for column, (logits, exposed) in enumerate(
        answers(engine_of(bundle_of(model, PROTEIN)), encoded)
    ):
        length = len(encoded[column])
        assert np.allclose(logits, wanted["labels"][:length, column], atol=1e-5)
        assert np.allclose(exposed, wanted["exposed"][:length, column], atol=1e-5)


@pytest.mark.parametrize("hidden", [7, 33, 64])
@settings(max_examples=30)
@given(sequences=sequences_strategy)
def test_what_is_computed_beside_a_sequence_changes_no_bit(
    hidden: int, sequences: list[str]
) -> None:
    engine = engine_of(bundle_of(new_model(hidden, 6, 2), PROTEIN))
    encoded = [PROTEIN.encode(sequence) for sequence in sequences]
    for one, among in zip(encoded, answers(engine, encoded), strict=True):
        alone = engine([one])
        assert np.array_equal(alone["labels"], among[0])
        assert np.array_equal(alone["exposed"], among[1])
