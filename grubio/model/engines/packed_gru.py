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

A matrix product of few rows, or of few columns, is summed in another order than one of many. With
no product smaller than :data:`LEAST_ROWS` and :data:`COLUMNS`, the output for a sequence does not
depend on the others of its batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from grubio.model.bundle import Bundle, Weights
from grubio.model.engines.packed_rows import Chunk, Codes, PackedRows
from grubio.model.outputs import Outputs, output_of

Array = npt.NDArray[np.float32]

LEAST_ROWS = 2
COLUMNS = 16
"""Widths of products are multiples of it."""
CHUNK_ROWS = 512
"""Rows whose inputs are multiplied at once: enough for full speed, few enough for the cache."""
_ONE, _HALF = np.float32(1), np.float32(0.5)


class PackedGRU:
    """A GRU and its heads, one for each target, prepared for prediction."""

    def __init__(self, bundle: Bundle, weights: Weights) -> None:
        left = dict(weights)
        architecture = bundle.architecture
        self._stem = _Stem(bundle, left)
        columns = self._stem.columns
        self._layers = []
        for depth in range(architecture.layers):
            layer = _Layer(left, f"network.layers.{depth}.", architecture.hidden_size, columns)
            columns = layer.columns
            self._layers.append(layer)
        self._targets = bundle.targets
        self._heads = _joined_heads(left, bundle, columns)
        if left:
            raise ValueError(f"it has no {', '.join(left)}")

    def __call__(self, sequences: Sequence[Codes]) -> Outputs:
        """Return the outputs for each residue; see :data:`grubio.model.engines.engine.Engine`."""
        rows = PackedRows([len(sequence) for sequence in sequences])
        states = self._stem(sequences, rows)
        for layer in self._layers:
            states = layer(states, rows)
        scores = np.empty((len(rows), self._heads.shape[1]), dtype=np.float32)
        scores[rows.places] = _product(states, self._heads)
        outputs, first = {}, 0
        for target in self._targets:
            outputs[target.name] = output_of(target, scores[:, first : first + target.size])
            first += target.size
        return outputs


class _Columns(NamedTuple):
    """Where the features are among the columns of a matrix, whose last one is 1."""

    features: list[int]
    size: int


class _Stem:
    """What the first layer reads: channels of the residue, a convolution of them, and a one."""

    def __init__(self, bundle: Bundle, left: dict[str, Array]) -> None:
        architecture = bundle.architecture
        self._table, self._pad = bundle.alphabet.channel_table, bundle.alphabet.pad_code
        self._channels = channels = self._table.shape[1]
        self._width, self._kernel = 1, np.zeros((channels, 0), dtype=np.float32)
        if architecture.stem_channels:
            kernel = left.pop("network.stem.convolution.weight")
            bias = left.pop("network.stem.convolution.bias")
            self._width = kernel.shape[2]
            self._kernel = _filled((self._width * channels, len(kernel)))
            self._kernel[:, : len(kernel)] = kernel.transpose(2, 1, 0).reshape(-1, len(kernel))
            self._bias = _filled((1, len(kernel)))[0]
            self._bias[: len(bias)] = bias
        features = list(range(channels + architecture.stem_channels))
        self.columns = _Columns(features, _rounded(channels + self._kernel.shape[1] + 1))

    def __call__(self, sequences: Sequence[Codes], rows: PackedRows) -> Array:
        """Return the inputs of the first layer, ``(row, input)``; the last one is 1."""
        reach = self._width // 2
        gap = np.full(reach, self._pad, dtype=np.uint8)
        pieces = [gap, *(part for codes in sequences for part in (codes, gap))]
        # Windows of flattened channels are contiguous.
        table = self._table[np.concatenate(pieces)].reshape(-1)
        windows = np.lib.stride_tricks.sliding_window_view(table, self._width * self._channels)
        windows = windows[:: self._channels]
        starts = rows.places + reach * rows.sequences
        found = np.zeros((len(rows), self.columns.size), dtype=np.float32)
        found[:, -1] = 1
        middle = reach * self._channels
        local = slice(self._channels, self._channels + self._kernel.shape[1])
        for first in range(0, len(rows), CHUNK_ROWS):
            seen = windows[starts[first : first + CHUNK_ROWS]]
            part = found[first : first + CHUNK_ROWS]
            part[:, : self._channels] = seen[:, middle : middle + self._channels]
            if self._kernel.size:
                sums = _product(seen, self._kernel)
                sums += self._bias
                np.maximum(sums, 0, out=part[:, local])
        return found


class _Layer:
    """A GRU in each direction."""

    def __init__(self, left: dict[str, Array], name: str, hidden: int, columns: _Columns) -> None:
        self._width = width = _rounded(hidden)
        features = [*range(hidden), *range(width, width + hidden)]
        self.columns = _Columns(features, _rounded(2 * width + 1))
        self._inputs = np.zeros((3, 2, columns.size, width), dtype=np.float32)
        self._recurrent = np.zeros((3, 2, width, width), dtype=np.float32)
        self._candidate_bias = np.zeros((2, 1, width), dtype=np.float32)
        for way, direction in enumerate(("forwards", "backwards")):
            shapes = {
                "weight_ih": (3, hidden, len(columns.features)),
                "weight_hh": (3, hidden, hidden),
                "bias_ih": (3, hidden),
                "bias_hh": (3, hidden),
            }
            inputs, recurrent, bias, own = (
                left.pop(f"{name}{direction}.{part}_l0").reshape(shape)
                for part, shape in shapes.items()
            )
            # Reset and update gate as tangents of the half; the reset gate is doubled.
            scale = np.array([0.5, 0.5, 1], dtype=np.float32)
            both = bias * scale[:, None]
            both[:2] += own[:2] * _HALF
            gates = self._inputs[:, way, :, :hidden]
            gates[:, columns.features] = (inputs * scale[:, None, None]).transpose(0, 2, 1)
            gates[:, -1] = both
            self._recurrent[:, way, :hidden, :hidden] = recurrent.transpose(0, 2, 1) * _HALF
            self._candidate_bias[way, 0, :hidden] = own[2] * _HALF

    def __call__(self, inputs: Array, rows: PackedRows) -> Array:
        """Return the states of all rows, forwards and backwards, and a one."""
        width, most = self._width, int(rows.counts[0])
        room = max(most, min(CHUNK_ROWS, len(rows))) + LEAST_ROWS
        found = np.zeros((len(rows), self.columns.size), dtype=np.float32)
        found[:, -1] = 1
        work = _Work(self, most, room)
        seen = np.zeros((2, room, inputs.shape[1]), dtype=np.float32)
        for chunk in rows.chunks(CHUNK_ROWS):
            count = chunk.stop - chunk.start
            turned = rows.turned[chunk.start : chunk.stop]
            seen[0, :count] = inputs[chunk.start : chunk.stop]
            np.take(inputs, turned, axis=0, out=seen[1, :count], mode="clip")
            filled = max(count, LEAST_ROWS)
            np.matmul(seen[None, :, :filled], self._inputs, out=work.gates[:, :, :filled])
            states = work.run(chunk)
            found[chunk.start : chunk.stop, :width] = states[0]
            found[turned, width : 2 * width] = states[1]
        return found


class _Work:
    """The arrays that the steps of a layer work on, of ``room`` rows."""

    def __init__(self, layer: _Layer, most: int, room: int) -> None:
        width = layer._width
        self._recurrent = layer._recurrent
        self.gates = np.zeros((3, 2, room, width), dtype=np.float32)
        self._moved = np.zeros((3, 2, most + LEAST_ROWS, width), dtype=np.float32)
        self._bias = np.tile(layer._candidate_bias, (1, most, 1))
        # The states before the chunk, then those of its rows; h = 0 to begin with.
        self._before = most + LEAST_ROWS
        self._states = np.zeros((2, self._before + room, width), dtype=np.float32)

    def run(self, chunk: Chunk) -> Array:
        """Return the states ``(direction, row, hidden)`` of a chunk, whose gates are there."""
        states, moved, recurrent = self._states, self._moved, self._recurrent
        first, held = 0, 0
        start = self._before
        row = 0
        for count in chunk.counts:
            if count != held:
                held, filled = count, max(count, LEAST_ROWS)
                product = moved[:, :, :filled]
                both, candidate = moved[:2, :, :count], moved[2, :, :count]
                reset, update = moved[0, :, :count], moved[1, :, :count]
                bias = self._bias[:, :count]
            stop = row + count
            new = states[:, start + row : start + stop]
            np.matmul(states[None, :, first : first + filled], recurrent, out=product)
            both += self.gates[:2, :, row:stop]
            np.tanh(both, out=both)
            both += _ONE
            candidate += bias
            candidate *= reset
            candidate += self.gates[2, :, row:stop]
            np.tanh(candidate, out=candidate)
            np.subtract(states[:, first : first + count], candidate, out=new)
            new *= update
            new *= _HALF
            new += candidate
            first, row = start + row, stop
        states[:, :held] = states[:, first : first + held]
        return states[:, start : start + row]


def _joined_heads(left: dict[str, Array], bundle: Bundle, columns: _Columns) -> Array:
    """Return the weights of all heads ``(input, output)``; the last input is 1."""
    size = sum(target.size for target in bundle.targets)
    joined = _filled((columns.size, size))
    first = 0
    for number, target in enumerate(bundle.targets):
        own = slice(first, first + target.size)
        weight = left.pop(f"heads.{number}.weight").reshape(target.size, -1)
        joined[columns.features, own] = weight.T
        joined[-1, own] = left.pop(f"heads.{number}.bias")
        first += target.size
    return joined


def _product(inputs: Array, weights: Array) -> Array:
    count = len(inputs)
    if count < LEAST_ROWS:
        inputs = np.concatenate((inputs, np.zeros_like(inputs, shape=(1, inputs.shape[1]))))
    return np.asarray(np.matmul(inputs, weights)[:count])


def _filled(shape: tuple[int, int]) -> Array:
    return np.zeros((shape[0], _rounded(shape[1])), dtype=np.float32)


def _rounded(width: int) -> int:
    return -(-width // COLUMNS) * COLUMNS
