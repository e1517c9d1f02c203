"""The engine of the dilated convolution for CPUs, in numpy.

Each sequence is computed by itself, so that its outputs do not depend on the others. A layer is one
matrix product: the rows of all places that it sees lie beside each other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from grubio.model.bundle import Bundle
from grubio.model.engines.packed_rows import Codes, Frequencies
from grubio.model.outputs import Outputs, mean_outputs, output_of

Array = npt.NDArray[np.float32]


class DilatedConv:
    """The engine of a bundle with the network ``conv``."""

    def __init__(self, bundle: Bundle) -> None:
        self._targets = bundle.targets
        self._members = [_Member(member) for member in bundle.single_models]

    def __call__(
        self, sequences: Sequence[Codes], profiles: Sequence[Frequencies] | None = None
    ) -> Outputs:
        """Return the outputs for each residue; see :data:`grubio.model.engines.engine.Engine`."""
        given = profiles if profiles is not None else [None] * len(sequences)
        found = []
        for member in self._members:
            pairs = zip(sequences, given, strict=True)
            scores = np.concatenate([member.scores(codes, profile) for codes, profile in pairs])
            outputs, first = {}, 0
            for target in self._targets:
                outputs[target.name] = output_of(target, scores[:, first : first + target.size])
                first += target.size
            found.append(outputs)
        return mean_outputs(self._targets, found)


class _Member:
    """A network and its heads, one for each target."""

    def __init__(self, bundle: Bundle) -> None:
        left = dict(bundle.weights)
        (architecture,) = bundle.architectures
        self._table = bundle.alphabet.channel_table
        self._reads_profiles = architecture.reads_profiles
        self._stem = None
        if architecture.stem_channels:
            self._stem = _kernel(left, "network.stem.convolution", 1)
        self._entrance = _matrix(left, "network.entrance")
        # The dilation doubles from layer to layer and starts again after ten.
        self._layers = [
            _kernel(left, f"network.layers.{depth}", 2 ** (depth % 10))
            for depth in range(architecture.layers)
        ]
        heads = [_matrix(left, f"heads.{number}") for number in range(len(bundle.targets))]
        self._heads = tuple(np.concatenate(parts, axis=-1) for parts in zip(*heads, strict=True))
        if left:
            raise ValueError(f"it has no {', '.join(left)}")

    def scores(self, codes: Codes, profile: Frequencies | None) -> Array:
        """Return what the heads say of each residue, ``(residue, output)``."""
        inputs = self._table[codes]
        if self._reads_profiles:
            if profile is None:
                raise ValueError("the network reads profiles, and there are none")
            inputs = np.concatenate((inputs, profile), axis=1, dtype=np.float32)
        if self._stem is not None:
            inputs = np.concatenate((inputs, self._stem(inputs)), axis=1)
        weight, bias = self._entrance
        states = inputs @ weight + bias
        for layer in self._layers:
            states += layer(states)
        weight, bias = self._heads
        return np.asarray(states @ weight + bias)


class _Convolution:
    """A convolution whose negative sums are 0; beyond the ends of a sequence all is 0."""

    def __init__(self, weight: Array, bias: Array, dilation: int) -> None:
        out, channels, self._width = weight.shape
        self._weight = np.ascontiguousarray(weight.transpose(2, 1, 0).reshape(-1, out))
        self._bias, self._dilation, self._channels = bias, dilation, channels

    def __call__(self, states: Array) -> Array:
        size, reach = len(states), self._dilation * (self._width // 2)
        padded = np.zeros((size + 2 * reach, self._channels), dtype=np.float32)
        padded[reach : reach + size] = states
        seen = np.empty((size, self._width * self._channels), dtype=np.float32)
        for place in range(self._width):
            own = slice(place * self._channels, (place + 1) * self._channels)
            seen[:, own] = padded[place * self._dilation : place * self._dilation + size]
        sums = seen @ self._weight
        sums += self._bias
        return np.asarray(np.maximum(sums, 0, out=sums))


def _kernel(left: dict[str, Array], name: str, dilation: int) -> _Convolution:
    return _Convolution(left.pop(f"{name}.weight"), left.pop(f"{name}.bias"), dilation)


def _matrix(left: dict[str, Array], name: str) -> tuple[Array, Array]:
    weight, bias = left.pop(f"{name}.weight"), left.pop(f"{name}.bias")
    return np.ascontiguousarray(weight.reshape(len(bias), -1).T), bias
