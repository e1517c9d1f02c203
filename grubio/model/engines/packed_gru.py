"""The engine of the GRU for CPUs: the same function, at nearly the speed of its matrix products.

It differs from :mod:`grubio.model.networks.gru` in three ways:

* Rows are packed: first those of step 0 of all sequences, longest sequence first, then those of
  step 1 of the sequences that have one, and so on. Padding is neither stored nor computed. The
  backward direction reads the same rows from the last step to the first.
* The inputs' part of the gates is one matrix product for many steps; each step is left with one
  product and four operations in place.
* A hyperbolic tangent takes several times as long as a logistic function. With ``tanh(a) =
  2 sigmoid(2 a) - 1`` and states stored as ``u = (h + 1) / 2``, the recurrence is ::

      r = sigmoid(.), z = sigmoid(.), s = sigmoid(2 (W_in x + b_in + r * (W_hn h + b_hn)))
      u' = (1 - z) * s + z * u

  where the factors and the shift are folded into the weights once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag, pad

from grubio.model.batching import padded_codes
from grubio.model.engines.packed_rows import (
    CHUNK_ROWS,
    LEAST_ROWS,
    Codes,
    PackedRows,
    chunks_of,
    packed_rows,
    places_of_residues,
)
from grubio.model.heads import Head, Outputs, output_of
from grubio.model.networks.gru import GRU

_COLUMNS = 16
_INITIAL = 0.5  # h = 0


class PackedGRU:
    """A GRU and its heads, one for each target, prepared for prediction; weights are copied."""

    def __init__(self, network: GRU, heads: Sequence[Head]) -> None:
        self._table = network.stem.channel_table.detach()
        self._pad = network.stem.pad_code
        self._convolution = network.stem.convolution
        if self._convolution is not None:
            # Products of the kernel with each residue code: (kernel position and code, channel).
            weight = self._convolution.weight.detach()
            self._reach = weight.shape[2] // 2
            self._local = (
                torch.einsum("ocw,rc->wro", weight, self._table).flatten(0, 1).contiguous()
            )
            self._local_bias = cast("Tensor", self._convolution.bias).detach()
        self._layers = [
            [
                _Direction(cast("nn.GRU", layer.forwards), shifted=depth > 0, backwards=False),
                _Direction(cast("nn.GRU", layer.backwards), shifted=depth > 0, backwards=True),
            ]
            for depth, layer in enumerate(network.layers)
        ]
        self._targets = [head.target for head in heads]
        self._head = _joined(heads)

    def __call__(self, sequences: Sequence[Codes]) -> Outputs:
        """Return the outputs for each residue; see :data:`grubio.model.engines.engine.Engine`."""
        lengths = [len(sequence) for sequence in sequences]
        rows = packed_rows(lengths)
        with torch.inference_mode():
            scores = _product(*self._head, self._states(sequences, rows))
            places = torch.from_numpy(places_of_residues(rows, lengths))
            sizes = [target.size for target in self._targets]
            parts = torch.split_with_sizes(scores[:, : sum(sizes)], sizes, dim=1)
            return {
                target.name: output_of(target, part)[places]
                for target, part in zip(self._targets, parts, strict=True)
            }

    def _states(self, sequences: Sequence[Codes], rows: PackedRows) -> Tensor:
        states = self._inputs(sequences, rows)
        for directions in self._layers:
            out = torch.empty(rows.starts[-1], 2 * directions[0].width)
            for direction, half in zip(directions, out.chunk(2, dim=1), strict=True):
                direction(states, rows, half)
            states = out
        return states

    def _inputs(self, sequences: Sequence[Codes], rows: PackedRows) -> Tensor:
        codes, lengths = padded_codes([sequences[number] for number in rows.order], self._pad)
        inside = np.arange(len(codes))[:, None] < lengths
        residues = self._table[torch.from_numpy(codes[inside]).long()]
        if self._convolution is None:
            return residues
        reach = self._reach
        wide = np.pad(codes, ((reach, reach), (0, 0)), constant_values=self._pad)
        kernel = np.arange(2 * reach + 1)
        seen = np.lib.stride_tricks.sliding_window_view(wide, len(kernel), axis=0)[inside]
        places = torch.from_numpy(seen + kernel * len(self._table))
        local = embedding_bag(places, self._local, mode="sum")
        local.add_(self._local_bias).relu_()
        return torch.cat((residues, local), dim=1)


class _Direction:
    """A GRU in one direction; columns are candidate, reset, update, and recurrent candidate."""

    def __init__(self, gru: nn.GRU, *, shifted: bool, backwards: bool) -> None:
        weights = {name: value.detach() for name, value in gru.named_parameters()}
        width = gru.hidden_size
        self.width = width
        self._backwards = backwards

        def turned(name: str) -> Tensor:
            reset, update, candidate = weights[name].chunk(3)
            return torch.cat((2 * candidate, reset, update))

        inputs, recurrent = turned("weight_ih_l0"), weights["weight_hh_l0"]
        bias = turned("bias_ih_l0")
        if shifted:
            bias = bias - inputs.sum(dim=1)
            inputs = 2 * inputs
        reset, update, candidate = recurrent.chunk(3)
        recurrent = torch.cat((reset, update, 2 * candidate))
        own = weights["bias_hh_l0"].clone()
        own[2 * width :] *= 2
        own -= recurrent.sum(dim=1)
        bias[width:] += own[: 2 * width]
        self._inputs = inputs.t().contiguous()
        self._bias = bias
        self._recurrent = (2 * recurrent).t().contiguous()
        self._recurrent_bias = own[2 * width :].clone()

    def __call__(self, inputs: Tensor, rows: PackedRows, out: Tensor) -> None:
        """Write the states of all rows into ``out``, ``(row, hidden)``."""
        width = self.width
        chunks = chunks_of(rows.starts)
        projected = torch.empty(max(CHUNK_ROWS, rows.starts[1]), 4 * width)
        # Steps of fewer than the least rows are filled up with padding rows.
        wide = torch.zeros(CHUNK_ROWS, 4 * width)
        wide_out = torch.empty(CHUNK_ROWS, width)
        state = torch.empty(0, width)
        for chunk in reversed(chunks) if self._backwards else chunks:
            base, end = chunk.rows
            gates, results = projected[: end - base], out[base:end]
            _product(self._bias, self._inputs, inputs[base:end], gates[:, : 3 * width])
            gates[:, 3 * width :] = self._recurrent_bias
            count = chunk.counts[0]
            if count < LEAST_ROWS:
                steps = len(chunk.counts)
                spread, found = wide[: steps * LEAST_ROWS], wide_out[: steps * LEAST_ROWS]
                spread.view(steps, LEAST_ROWS, -1)[:, :count] = gates.view(steps, count, -1)
                state = self._run(spread, found, [LEAST_ROWS] * steps, state)
                kept = found.view(steps, LEAST_ROWS, width)[:, :count]
                results.view(steps, count, width).copy_(kept)
            else:
                state = self._run(gates, results, chunk.counts, state)
            # Padding rows end here.
            state = state[: chunk.counts[0 if self._backwards else -1]]

    def _run(self, gates: Tensor, results: Tensor, counts: list[int], state: Tensor) -> Tensor:
        """Write the states of the steps that follow ``state`` and return the last one.

        ``gates`` holds the inputs' part, ``(row, 4 * hidden)``, and is overwritten.
        """
        width = self.width
        steps = list(
            zip(
                counts,
                # Splitting once takes a fraction of the time of slicing in every step.
                torch.split_with_sizes(gates[:, :width], counts),
                torch.split_with_sizes(gates[:, width : 3 * width], counts),
                torch.split_with_sizes(gates[:, width : 2 * width], counts),
                torch.split_with_sizes(gates[:, 2 * width : 3 * width], counts),
                torch.split_with_sizes(gates[:, 3 * width :], counts),
                torch.split_with_sizes(gates[:, width:], counts),
                torch.split_with_sizes(results, counts),
                strict=True,
            )
        )
        if self._backwards:
            steps.reverse()
        recurrent, lerp, sigmoid_ = self._recurrent, torch.lerp, torch.sigmoid_
        held = len(state)
        for count, candidate, gated, reset, update, own, moved, result in steps:
            if held != count:
                state, held = _resized(state, count), count
            moved.addmm_(state, recurrent)
            sigmoid_(gated)
            sigmoid_(candidate.addcmul_(reset, own))
            state = lerp(candidate, state, update, out=result)
        return state


def _resized(state: Tensor, count: int) -> Tensor:
    if len(state) > count:
        return state[:count]
    grown = state.new_full((count, state.shape[1]), _INITIAL)
    grown[: len(state)] = state
    return grown


def _product(bias: Tensor, weights: Tensor, inputs: Tensor, out: Tensor | None = None) -> Tensor:
    count = len(inputs)
    if count >= LEAST_ROWS:
        return torch.addmm(bias, inputs, weights, out=out)
    wide = inputs.new_zeros(LEAST_ROWS, inputs.shape[1])
    wide[:count] = inputs
    found = torch.addmm(bias, wide, weights)[:count]
    return found if out is None else out.copy_(found)


def _joined(layers: Sequence[nn.Linear]) -> tuple[Tensor, Tensor]:
    """Return bias and weights ``(input, output)`` for states stored as ``(h + 1) / 2``.

    Zero columns are added: with few, the order of summation would depend on the number of rows.
    """
    weight = torch.cat([layer.weight.detach() for layer in layers])
    bias = torch.cat([layer.bias.detach() for layer in layers]) - weight.sum(dim=1)
    spare = -len(bias) % _COLUMNS
    return pad(bias, (0, spare)), pad(2 * weight, (0, 0, 0, spare)).t().contiguous()
