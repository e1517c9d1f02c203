"""The engine of the GRU for CPUs: the same function, at nearly the speed of its matrix products.

It differs from :mod:`grubio.model.networks.gru` in these ways:

* It is written in numpy, so that labelling needs no PyTorch.
* Rows are packed (:mod:`grubio.model.engines.packed_rows`): padding is neither stored nor
  computed. Both directions go through the steps together; the backward one reads each sequence
  reversed within its own length.
* The inputs' part of the gates is one matrix product for many steps; each step is left with one
  product and a few operations in place. Gates lie apart, ``(gate, direction, row, hidden)``, so
  that these operations run over contiguous memory.
* A logistic function is a hyperbolic tangent, ``sigmoid(a) = (1 + tanh(a / 2)) / 2``, which numpy
  computes faster. With the halves folded into the weights, a step is ::

      R, Z = 1 + tanh(.), n = tanh(W_in x + b_in + R * (W_hn h + b_hn) / 2)
      h' = (h - n) * Z / 2 + n

* Biases of the inputs are the weights of a column of ones. Widths are filled up with zeros.

The sums of a matrix product are taken in an order that depends on its shape. With rows and columns
filled up as :mod:`grubio.model.engines.product_shape` says, it does not depend on their number, and
so the output for a sequence does not depend on the others of its batch. What the rows that fill up
hold is never read.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from grubio.model.bundle import Bundle
from grubio.model.engines.memory import Memory
from grubio.model.engines.packed_rows import Codes, Frequencies, PackedRows
from grubio.model.engines.product_shape import COLUMNS, MOST_INPUTS, multiplied, product_shape
from grubio.model.outputs import Outputs, mean_outputs, output_of

Array = npt.NDArray[np.float32]

CHUNK_ROWS = 512
"""Rows whose inputs are multiplied at once: enough for full speed, few enough for the cache."""
_ONE, _HALF = np.float32(1), np.float32(0.5)


class PackedGRU:
    """The engine of a bundle with the network ``gru``."""

    def __init__(self, bundle: Bundle) -> None:
        self._targets = bundle.targets
        self._members = [_Member(member) for member in bundle.single_models]
        self._memory = Memory()

    def __call__(
        self, sequences: Sequence[Codes], profiles: Sequence[Frequencies] | None = None
    ) -> Outputs:
        """Return the outputs for each residue; see :data:`grubio.model.engines.engine.Engine`."""
        rows = PackedRows([len(sequence) for sequence in sequences])
        return mean_outputs(
            self._targets,
            [member.outputs(sequences, profiles, rows, self._memory) for member in self._members],
        )


class _Member:
    """A GRU and its heads, one for each target, prepared for prediction."""

    def __init__(self, bundle: Bundle) -> None:
        left = dict(bundle.weights)
        (architecture,) = bundle.architectures
        hidden = architecture.hidden_size
        self._stem = _Stem(bundle, left)
        columns = self._stem.columns
        self._layers = []
        for depth in range(architecture.layers):
            self._layers.append(_Layer(left, depth, hidden, columns))
            columns = self._layers[-1].columns
        self._targets = bundle.targets
        self._heads = _joined_heads(left, bundle, columns)
        if left:
            raise ValueError(f"it has no {', '.join(left)}")

    def outputs(
        self,
        sequences: Sequence[Codes],
        profiles: Sequence[Frequencies] | None,
        rows: PackedRows,
        memory: Memory,
    ) -> Outputs:
        """Return the outputs for each residue of the sequences, one after another."""
        states = self._stem(sequences, profiles, rows, memory)
        for layer in self._layers:
            states = layer(states, rows, memory)
        scores = np.empty((len(rows), self._heads.shape[1]), dtype=np.float32)
        used = states[:, : len(self._heads)]
        scores[rows.places] = multiplied(used, self._heads)[: len(rows)]
        outputs, first = {}, product_shape().margin
        for target in self._targets:
            outputs[target.name] = output_of(target, scores[:, first : first + target.size])
            first += target.size
        return outputs


class _Columns(NamedTuple):
    """Where the features are among the columns of a matrix; the last one that is ``used`` is 1."""

    features: list[int]
    used: int

    @property
    def size(self) -> int:
        """Columns in memory: rows are filled up, so that products load them aligned."""
        return -(-self.used // COLUMNS) * COLUMNS


class _Stem:
    """What the first layer reads: channels of the residue, a convolution of them, and a one."""

    def __init__(self, bundle: Bundle, left: dict[str, Array]) -> None:
        (architecture,), shape = bundle.architectures, product_shape()
        self._table, self._pad = bundle.alphabet.channel_table, bundle.alphabet.pad_code
        self._profile = architecture.reads_profiles
        self._channels = channels = self._table.shape[1] * (2 if self._profile else 1)
        self._width, self._kernel = 1, np.zeros((channels, 0), dtype=np.float32)
        if architecture.stem_channels:
            kernel = left.pop("network.stem.convolution.weight")
            bias = left.pop("network.stem.convolution.bias")
            self._width = kernel.shape[2]
            size, used = shape.columns(len(bias)), shape.used(len(bias))
            self._kernel = np.zeros((self._width * channels, size), dtype=np.float32)
            self._kernel[:, used] = kernel.transpose(2, 1, 0).reshape(-1, len(bias))
            self._bias = np.zeros(size, dtype=np.float32)
            self._bias[used] = bias
        first = channels + shape.margin
        features = [*range(channels), *range(first, first + architecture.stem_channels)]
        self.columns = _Columns(features, channels + self._kernel.shape[1] + 1)

    def __call__(
        self,
        sequences: Sequence[Codes],
        profiles: Sequence[Frequencies] | None,
        rows: PackedRows,
        memory: Memory,
    ) -> Array:
        """Return the inputs of the first layer, ``(row, input)``."""
        reach = self._width // 2
        table = self._table[_with_gaps(sequences, np.full(reach, self._pad, dtype=np.uint8))]
        if self._profile:
            if profiles is None:
                raise ValueError("the network reads profiles, and there are none")
            gap = np.zeros((reach, table.shape[1]), dtype=np.float32)
            table = np.concatenate((table, _with_gaps(profiles, gap)), axis=1, dtype=np.float32)
        # Windows of flattened channels are contiguous.
        flat, size = table.reshape(-1), self._width * self._channels
        windows = np.lib.stride_tricks.sliding_window_view(flat, size)
        windows = windows[:: self._channels]
        starts = np.zeros(product_shape().rows(len(rows)), dtype=np.int64)
        starts[: len(rows)] = rows.places + reach * rows.sequences
        found = memory.array("stem", (len(starts), self.columns.size))
        found[:, self.columns.used - 1] = 1
        middle = reach * self._channels
        local = slice(self._channels, self._channels + self._kernel.shape[1])
        size = product_shape().rows(CHUNK_ROWS)
        for first in range(0, len(starts), size):
            seen = windows[starts[first : first + size]]
            part = found[first : first + size]
            part[:, : self._channels] = seen[:, middle : middle + self._channels]
            if self._kernel.size:
                sums = multiplied(seen, self._kernel)
                sums += self._bias
                np.maximum(sums, 0, out=part[:, local])
        return found


def _with_gaps(parts: Sequence[npt.NDArray[Any]], gap: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.concatenate([gap, *(piece for part in parts for piece in (part, gap))])


class _Layer:
    """A GRU in each direction."""

    def __init__(self, left: dict[str, Array], depth: int, hidden: int, columns: _Columns) -> None:
        shape = product_shape()
        self.width = width = shape.columns(hidden)
        used = shape.used(hidden)
        # Layers take turns with two arrays of states.
        self._name = f"states {depth % 2}"
        places = range(used.start, used.stop)
        features = [*places, *(width + place for place in places)]
        self.columns, self.columns_before = _Columns(features, 2 * width + 1), columns
        self.inputs = np.zeros((3, 2, columns.used, width), dtype=np.float32)
        self.recurrent = np.zeros((3, 2, width, width), dtype=np.float32)
        self.candidate_bias = np.zeros((2, 1, width), dtype=np.float32)
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
            self.recurrent[:, way, used, used] = recurrent.transpose(0, 2, 1) * _HALF
            self.candidate_bias[way, 0, used] = own[2] * _HALF

    def __call__(self, inputs: Array, rows: PackedRows, memory: Memory) -> Array:
        """Return the states of all rows, forwards and backwards, and a one."""
        width = self.width
        found = memory.array(self._name, (product_shape().rows(len(rows)), self.columns.size))
        found[:, self.columns.used - 1] = 1
        steps = _Steps(self, rows, memory, alone=rows.counts[0] == 1)
        for chunk in rows.chunks(CHUNK_ROWS):
            if chunk.counts[0] == 1 and not steps.alone:
                before, steps = steps, _Steps(self, rows, memory, alone=True)
                steps.state[:, :1] = before.state[:, :1]
            turned = rows.turned[chunk.start : chunk.stop]
            seen = steps.seen[:, : len(turned)]
            seen[0] = inputs[chunk.start : chunk.stop]
            np.take(inputs, turned, axis=0, out=seen[1], mode="clip")
            states = steps.run(chunk.counts)
            found[chunk.start : chunk.stop, :width] = states[0]
            found[turned, width : 2 * width] = states[1]
        return found


class _Steps:
    """The steps of a layer, and the arrays that they work on.

    The axes are gate, direction, row and hidden unit. With the rows of one sequence ``alone``, they
    are the first axis in memory, so that each step is contiguous.
    """

    def __init__(self, layer: _Layer, rows: PackedRows, memory: Memory, *, alone: bool) -> None:
        self.alone = alone
        most = 1 if alone else int(rows.counts[0])
        width, most = layer.width, product_shape().rows(most)
        room = product_shape().rows(max(most, min(CHUNK_ROWS, len(rows))))

        def array(name: str, *shape: int) -> Array:
            if not alone:
                return memory.array(name, shape)
            *first, size, last = shape
            rows_first = memory.array(f"{name} alone", (size, *first, last))
            return rows_first.transpose(*range(1, len(first) + 1), 0, -1)

        self._weights = layer.inputs, layer.recurrent
        self._bias = np.tile(layer.candidate_bias, (1, most, 1))
        self.seen = memory.array("seen", (2, room, layer.columns_before.size))
        self._gates = array("gates", 3, 2, room, width)
        self._moved = array("moved", 3, 2, most, width)
        self._states = array("chunk", 2, room, width)
        self.state = array("state", 2, most, width)
        self.state[:] = 0

    def run(self, counts: Sequence[int]) -> Array:
        """Return the states ``(direction, row, hidden)`` of steps, whose inputs are ``seen``."""
        inputs, recurrent = self._weights
        gates, moved, states = self._gates, self._moved, self._states
        filled = product_shape().rows(sum(counts))
        used = inputs.shape[2]
        multiplied(self.seen[None, :, :filled, :used], inputs, gates[:, :, :filled])
        add, multiply, tanh = np.add, np.multiply, np.tanh
        few = self.state.shape[-1] <= MOST_INPUTS
        multiply_rows = np.matmul if few else multiplied
        held = 0
        for count, both_in, candidate_in, out in zip(
            counts,
            self._by_step(gates[:2], counts),
            self._by_step(gates[2], counts),
            self._by_step(states, counts),
            strict=False,
        ):
            if count != held:
                held, filled = count, product_shape().rows(count)
                product, before = moved[:, :, :filled], self.state[None, :, :filled]
                both, reset, update, candidate = (
                    moved[part, :, :count] for part in (slice(2), 0, 1, 2)
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

    def _by_step(self, rows: Array, counts: Sequence[int]) -> Iterable[Array]:
        """Yield the part ``(..., row, hidden)`` of each step."""
        if self.alone:
            # Several times as fast as slicing.
            return iter(np.expand_dims(np.moveaxis(rows, -2, 0), -2))
        ends = itertools.accumulate(counts)
        return (rows[..., end - count : end, :] for end, count in zip(ends, counts, strict=True))


def _joined_heads(left: dict[str, Array], bundle: Bundle, columns: _Columns) -> Array:
    """Return the weights of all heads ``(input, output)``; the last input is 1."""
    size = sum(target.size for target in bundle.targets)
    joined = np.zeros((columns.used, product_shape().columns(size)), dtype=np.float32)
    first = product_shape().margin
    for number, target in enumerate(bundle.targets):
        own = slice(first, first + target.size)
        weight = left.pop(f"heads.{number}.weight").reshape(target.size, -1)
        joined[columns.features, own] = weight.T
        joined[-1, own] = left.pop(f"heads.{number}.bias")
        first += target.size
    return joined
