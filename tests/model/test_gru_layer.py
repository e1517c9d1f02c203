"""A layer of the engine of the GRU: what is computed beside a sequence changes no bit of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from grubio.model.engines.gru_layer import Columns, GRULayer
from grubio.model.engines.memory import Memory
from grubio.model.engines.one_thread import one_thread_each
from grubio.model.engines.packed_rows import CHUNK_ROWS, PackedRows
from grubio.model.engines.product_shape import product_shape

Array = npt.NDArray[np.float32]

# In one batch: the longest one goes on alone, for more than a chunk; others end together.
LENGTHS = [3, 40, 1, CHUNK_ROWS + 70, 2, 41, 40, 17]


def new_weights(features: int, hidden: int) -> dict[str, Array]:
    generator = np.random.default_rng(0)
    shapes = {
        "weight_ih": (3 * hidden, features),
        "weight_hh": (3 * hidden, hidden),
        "bias_ih": (3 * hidden,),
        "bias_hh": (3 * hidden,),
    }
    return {
        f"network.layers.0.{direction}.{part}_l0": generator.uniform(
            -(hidden**-0.5), hidden**-0.5, shape
        ).astype(np.float32)
        for direction in ("forwards", "backwards")
        for part, shape in shapes.items()
    }


def new_inputs(features: int) -> list[Array]:
    generator = np.random.default_rng(1)
    return [generator.standard_normal((n, features), dtype=np.float32) for n in LENGTHS]


def layer_of(features: int, hidden: int) -> GRULayer:
    columns = Columns(list(range(features)), features + 1)
    return GRULayer(new_weights(features, hidden), 0, hidden, columns)


def states_of(layer: GRULayer, memory: Memory, inputs: Sequence[Array]) -> list[Array]:
    """Return the states of each sequence, ``(residue, 2 x hidden)``, of one batch."""
    rows = PackedRows([len(one) for one in inputs])
    given = np.zeros((product_shape().rows(len(rows)), layer.columns_before.size), np.float32)
    joined = np.concatenate(inputs)
    given[: len(rows), : joined.shape[1]] = joined[rows.places]
    given[:, joined.shape[1]] = 1
    found = np.empty((len(rows), len(layer.columns.features)), dtype=np.float32)
    found[rows.places] = layer(given, rows, memory)[: len(rows), layer.columns.features]
    return np.split(found, np.cumsum([len(one) for one in inputs])[:-1])


def dependent_sequences(widths: Sequence[int]) -> list[tuple[int, int]]:
    """Return (hidden, sequence) of the sequences that have other states alone than in a batch."""
    found = []
    for hidden in widths:
        inputs, layer, memory = new_inputs(21), layer_of(21, hidden), Memory()
        together = states_of(layer, memory, inputs)
        for number, (one, among) in enumerate(zip(inputs, together, strict=True)):
            if not np.array_equal(*states_of(layer, memory, [one]), among):
                found.append((hidden, number))
    return found


def gru(inputs: Array, weights: dict[str, Array], direction: str) -> npt.NDArray[np.float64]:
    """Return the states of a GRU as its definition has it."""
    weight_in, weight, bias_in, bias = (
        weights[f"network.layers.0.{direction}.{part}_l0"].astype(np.float64)
        for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    state = np.zeros(weight.shape[1])
    found = []
    for one in inputs:
        reset_in, update_in, candidate_in = np.split(weight_in @ one + bias_in, 3)
        reset_by, update_by, candidate_by = np.split(weight @ state + bias, 3)
        reset, update = (1 / (1 + np.exp(-a)) for a in (reset_in + reset_by, update_in + update_by))
        candidate = np.tanh(candidate_in + reset * candidate_by)
        state = (1 - update) * candidate + update * state
        found.append(state)
    return np.array(found)


# Above 400 units the products are made of several; with AVX2 alone these are not exact.
WIDE = pytest.param(
    410,
    marks=pytest.mark.skipif(
        "product_shape().group > 1", reason="these kernels cut so wide a product"
    ),
)


@pytest.mark.parametrize("hidden", [7, 96, 192, 260, WIDE])
def test_states_alone_and_in_a_batch_are_the_same_to_the_last_bit(hidden: int) -> None:
    with one_thread_each():
        assert not dependent_sequences([hidden])


@pytest.mark.parametrize("alone", [False, True])
def test_states_are_those_of_the_definition(alone: bool) -> None:
    layer, weights, inputs = layer_of(5, 12), new_weights(5, 12), new_inputs(5)
    memory = Memory()
    found = (
        [state for one in inputs for state in states_of(layer, memory, [one])]
        if alone
        else states_of(layer, memory, inputs)
    )
    for one, states in zip(inputs, found, strict=True):
        backwards = gru(one[::-1], weights, "backwards")[::-1]
        wanted = np.concatenate((gru(one, weights, "forwards"), backwards), axis=1)
        assert np.allclose(states, wanted, atol=2e-6)
