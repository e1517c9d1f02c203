"""The engine of the GRU for CPUs: the same function, at nearly the speed of its matrix products.

It differs from :mod:`grubio.model.networks.gru` in these ways:

* It is written in numpy, so that labelling needs no PyTorch.
* Rows are packed (:mod:`grubio.model.engines.packed_rows`): padding is neither stored nor
  computed. Both directions go through the steps together; the backward one reads each sequence
  reversed within its own length.
* The inputs' part of the gates is one matrix product for many steps; each step is left with one
  product and a few operations in place, over contiguous memory
  (:mod:`grubio.model.engines.gru_layer`).
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

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from grubio.model.bundle import Bundle
from grubio.model.engines.gru_layer import Columns, GRULayer
from grubio.model.engines.memory import Memory
from grubio.model.engines.packed_rows import CHUNK_ROWS, Codes, Frequencies, PackedRows
from grubio.model.engines.product_shape import multiplied, product_shape
from grubio.model.outputs import Outputs, mean_outputs, output_of

Array = npt.NDArray[np.float32]


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
            self._layers.append(GRULayer(left, depth, hidden, columns))
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
        self.columns = Columns(features, channels + self._kernel.shape[1] + 1)

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


def _joined_heads(left: dict[str, Array], bundle: Bundle, columns: Columns) -> Array:
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
