"""A layer of the engine of the GRU: both directions, step by step.

The steps of several sequences and those of one have different layouts, and the same operations in
the same order, so that each residue has the same bits either way.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from grubio.model.engines.memory import Memory, aligned_zeros
from grubio.model.engines.packed_rows import CHUNK_ROWS, PackedRows
from grubio.model.engines.product_shape import COLUMNS, multiplied, multiplier, product_shape

Array = npt.NDArray[np.float32]

# Arrays: a number would be made one at each call.
_ONE, _HALF = np.array(1, dtype=np.float32), np.array(0.5, dtype=np.float32)


class Columns(NamedTuple):
    """Where the features are among the columns of a matrix; the last one that is ``used`` is 1."""

    features: list[int]
    used: int

    @property
    def size(self) -> int:
        """Columns in memory: rows are filled up, so that products load them aligned."""
        return -(-self.used // COLUMNS) * COLUMNS


class GRULayer:
    """A GRU in each direction.

    Parameters
    ----------
    left
        Weights by name; those of the layer are taken out.
    depth
        Number of the layer, from 0.
    hidden
        Units of each direction.
    columns
        Of what it reads.

    Attributes
    ----------
    inputs
        Weights of the inputs, ``(gate, direction, input, unit)``: reset, update, candidate.
    recurrent
        Weights of the states, ``(gate, direction, unit before, unit)``: candidate, reset, update.
    candidate_bias
        What is added to the candidate's part of the states, ``(direction, unit)``.
    """

    def __init__(self, left: dict[str, Array], depth: int, hidden: int, columns: Columns) -> None:
        shape = product_shape()
        self.width = width = shape.columns(hidden)
        used = shape.used(hidden)
        # Layers take turns with two arrays of states.
        self._name = f"states {depth % 2}"
        places = range(used.start, used.stop)
        features = [*places, *(width + place for place in places)]
        self.columns, self.columns_before = Columns(features, 2 * width + 1), columns
        self.inputs = aligned_zeros((3, 2, columns.used, width))
        self.recurrent = aligned_zeros((3, 2, width, width))
        self.candidate_bias = np.zeros((2, width), dtype=np.float32)
        for way, direction in enumerate(("forwards", "backwards")):
            shapes = {
                "weight_ih": (3, hidden, len(columns.features)),
                "weight_hh": (3, hidden, hidden),
                "bias_ih": (3, hidden),
                "bias_hh": (3, hidden),
            }
            inputs, recurrent, bias, own = (
                left.pop(f"network.layers.{depth}.{direction}.{part}_l0").reshape(shape)
                for part, shape in shapes.items()
            )
            # The tangents of the reset and update gates are those of the half.
            scale = np.array([0.5, 0.5, 1], dtype=np.float32)
            bias = bias * scale[:, None]
            bias[:2] += own[:2] * _HALF
            gates = self.inputs[:, way, :, used]
            gates[:, columns.features] = (inputs * scale[:, None, None]).transpose(0, 2, 1)
            gates[:, -1] = bias
            candidate_first = np.roll(recurrent, 1, axis=0).transpose(0, 2, 1)
            self.recurrent[:, way, used, used] = candidate_first * _HALF
            self.candidate_bias[way, used] = own[2] * _HALF

    def __call__(self, inputs: Array, rows: PackedRows, memory: Memory) -> Array:
        """Return the states of all rows, forwards and backwards, and a one."""
        width = self.width
        found = memory.array(self._name, (product_shape().rows(len(rows)), self.columns.size))
        found[:, self.columns.used - 1] = 1
        steps: _Several | _One | None = None
        for chunk in rows.chunks:
            if chunk.counts[0] > 1:
                steps = steps or _Several(self, rows, memory)
            elif not isinstance(steps, _One):
                steps = _One(self, rows, memory, steps.state[:, 0] if steps else None)
            turned = rows.turned[chunk.start : chunk.stop]
            seen = steps.seen[:, : len(turned)]
            seen[0] = inputs[chunk.start : chunk.stop]
            np.take(inputs, turned, axis=0, out=seen[1], mode="clip")
            states = steps.run(chunk.counts)
            found[chunk.start : chunk.stop, :width] = states[0]
            found[turned, width : 2 * width] = states[1]
        return found


class _Several:
    """The steps of several sequences.

    The axes are gate, direction, row and hidden unit: gates lie apart, so that each operation runs
    over contiguous memory.
    """

    def __init__(self, layer: GRULayer, rows: PackedRows, memory: Memory) -> None:
        width, most = layer.width, product_shape().rows(int(rows.counts[0]))
        room = product_shape().rows(max(most, min(CHUNK_ROWS, len(rows))))
        self._weights = layer.inputs, layer.recurrent
        self._bias = np.repeat(layer.candidate_bias[:, None], most, axis=1)
        self.seen = memory.array("seen", (2, room, layer.columns_before.size))
        self._gates = memory.array("gates", (3, 2, room, width))
        self._moved = memory.array("moved", (3, 2, most, width))
        self._states = memory.array("chunk", (2, room, width))
        self.state = memory.array("state", (2, most, width))
        self.state[:] = 0

    def run(self, counts: Sequence[int]) -> Array:
        """Return the states ``(direction, row, hidden)`` of steps, whose inputs are ``seen``."""
        inputs, recurrent = self._weights
        gates, moved, states = self._gates, self._moved, self._states
        filled = product_shape().rows(sum(counts))
        multiplied(self.seen[None, :, :filled, : inputs.shape[2]], inputs, gates[:, :, :filled])
        add, multiply, tanh = np.add, np.multiply, np.tanh
        multiply_rows = multiplier(len(recurrent[0, 0]))
        held = 0
        for count, both_in, candidate_in, out in zip(
            counts,
            _by_step(gates[:2], counts),
            _by_step(gates[2], counts),
            _by_step(states, counts),
            strict=True,
        ):
            if count != held:
                held, filled = count, product_shape().rows(count)
                product, before = moved[:, :, :filled], self.state[None, :, :filled]
                both, candidate, reset, update = (
                    moved[part, :, :count] for part in (slice(1, 3), 0, 1, 2)
                )
                bias, state = self._bias[:, :count], self.state[:, :count]
            multiply_rows(before, recurrent, product)
            add(both, both_in, both)
            tanh(both, both)
            add(both, _ONE, both)
            add(candidate, bias, candidate)
            multiply(candidate, reset, candidate)
            add(candidate, candidate_in, candidate)
            tanh(candidate, candidate)
            np.subtract(state, candidate, state)
            multiply(state, update, state)
            multiply(state, _HALF, state)
            add(state, candidate, state)
            out[:] = state
        return states[:, : sum(counts)]


def _by_step(rows: Array, counts: Sequence[int]) -> Iterator[Array]:
    # The part (..., row, hidden) of each step.
    ends = itertools.accumulate(counts)
    return (rows[..., end - count : end, :] for end, count in zip(ends, counts, strict=True))


class _One:
    """The steps of one sequence: so few numbers that the calls count, and where these lie.

    The states of both directions are two rows of one matrix, and each is multiplied by the weights
    of both; half of that is not read. The axes are step, gate, direction and hidden unit, so that
    all of a step is contiguous. A step writes its states where the next one reads them.
    """

    def __init__(
        self, layer: GRULayer, rows: PackedRows, memory: Memory, state: Array | None
    ) -> None:
        width, shape = layer.width, product_shape()
        room = shape.rows(min(CHUNK_ROWS, len(rows)))
        self._weights = layer.inputs, layer.recurrent
        self.seen = memory.array("seen", (2, room, layer.columns_before.size))
        # What is added to a product, and what to a candidate thereafter.
        self._gates = memory.array("gates of one", (room, 4, 2, width))
        self._gates[:, 0] = layer.candidate_bias
        self._moved = memory.array("moved of one", (1 + shape.rows(2), 3, 2, width))
        # The states before a chunk, and those of its steps; a product reads some rows more.
        self._states = memory.array("chunk of one", (1 + room + shape.rows(2), 2, width))
        self._states[0] = 0 if state is None else state

    def run(self, counts: Sequence[int]) -> Array:
        """Return the states ``(direction, row, hidden)`` of steps, whose inputs are ``seen``."""
        inputs, recurrent = self._weights
        steps, filled = len(counts), product_shape().rows(len(counts))
        gates = self._gates[:filled, 1:].transpose(1, 2, 0, 3)
        multiplied(self.seen[None, :, :filled, : inputs.shape[2]], inputs, gates)
        add, multiply, tanh = np.add, np.multiply, np.tanh
        product, moved, states = _product(self._moved), self._moved[1], self._states
        multiply_rows = multiplier(len(recurrent[0, 0]))
        both, (candidate, reset, update) = moved[1:], moved
        state = states[0]
        for before, moved_in, candidate_in, out in zip(
            _windows(states, product.shape[2]),
            self._gates[:steps, :3],
            self._gates[:steps, 3],
            states[1:],
            strict=False,
        ):
            multiply_rows(before, recurrent, product)
            add(moved, moved_in, moved)
            tanh(both, both)
            add(both, _ONE, both)
            multiply(candidate, reset, candidate)
            add(candidate, candidate_in, candidate)
            tanh(candidate, candidate)
            np.subtract(state, candidate, out)
            multiply(out, update, out)
            multiply(out, _HALF, out)
            add(out, candidate, out)
            state = out
        states[0] = states[steps]
        return states[1 : 1 + steps].transpose(1, 0, 2)


def _windows(states: Array, rows: int) -> Array:
    # For each step so many rows ``(row, unit)``, of which the first two are its states.
    step, row, unit = states.strides
    shape = len(states) - rows, rows, states.shape[2]
    return np.ndarray(shape, states.dtype, states, strides=(step, row, unit))


def _product(blocks: Array) -> Array:
    # Blocks ``(gate, direction, unit)`` as rows ``(gate, direction, row, unit)``. Those forwards
    # begin in block 1, those backwards in block 0: row 0 forwards and row 1 backwards, which are
    # wanted, make up block 1.
    block, gate, direction, unit = blocks.strides
    shape = *blocks.shape[1:3], len(blocks) - 1, blocks.shape[3]
    return np.ndarray(
        shape, blocks.dtype, blocks, block, strides=(gate, direction - block, block, unit)
    )
