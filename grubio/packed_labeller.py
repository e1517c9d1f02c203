"""A labeller prepared for inference on a CPU: the same function, near the speed of its products.

Three things make the difference to :mod:`grubio.model`:

* Rows are packed: those of step 0 of all sequences come first, longest sequence first, then those
  of step 1 of the sequences that have one, and so on. Padding is neither stored nor computed. The
  backward direction reads the same rows from the last step to the first.
* What an input adds to the gates is one matrix product for many steps; what remains in a step
  is one product and four operations in place.
* A hyperbolic tangent costs several times a logistic function. With ``tanh(a) = 2 sigmoid(2 a) -
  1`` and states kept as ``u = (h + 1) / 2``, the recurrence of :mod:`grubio.model` is ::

      r = sigmoid(.), z = sigmoid(.), s = sigmoid(2 (W_in x + b_in + r * (W_hn h + b_hn)))
      u' = (1 - z) * s + z * u

  where the factors and the shift are put into the weights once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag, pad

from grubio.batching import padded_codes
from grubio.model import BiGRULabeller, Labeller, Outputs

_Codes = npt.NDArray[np.uint8]

# A matrix product of few rows sums in another order than one of many; with no product smaller
# than this, an answer does not depend on what is computed beside it. MKL needs four.
_LEAST_ROWS = 4
_COLUMNS = 16
# Rows whose inputs are multiplied at once: enough for full speed, few enough for the cache.
_PROJECTED_ROWS = 1024
_REST = 0.5
"""The state before the first step, h = 0."""


@dataclass(frozen=True)
class _Rows:
    """Where the residues of a batch are: the rows of step t are ``starts[t]:starts[t + 1]``.

    Attributes
    ----------
    order
        The sequence in each column, longest first; ``(column,)``.
    starts
        First row of each step, and the number of all rows; ``(step + 1,)``.
    """

    order: list[int]
    starts: list[int]


class PackedLabeller:
    """A labeller, prepared.

    Parameters
    ----------
    model
        The network; its weights are copied.
    """

    def __init__(self, model: Labeller) -> None:
        networks = [model] if isinstance(model, BiGRULabeller) else list(model.members)
        self._networks = [_Network(cast("BiGRULabeller", network)) for network in networks]

    def __call__(self, sequences: Sequence[_Codes]) -> Outputs:
        """Return the outputs of sequences of residue codes ``(residue,)``, end to end.

        Logits are float ``(residue, class)``, accessibility is float ``(residue,)``; they are
        those of the model, but for rounding.
        """
        lengths = [len(sequence) for sequence in sequences]
        rows = _rows(lengths)
        with torch.inference_mode():
            answers = [network(sequences, rows) for network in self._networks]
            logits = answers[0].logits
            if len(answers) > 1:
                logits = torch.stack([a.logits.log_softmax(dim=1) for a in answers]).mean(dim=0)
            parts = [a.accessibility for a in answers if a.accessibility is not None]
            exposed = torch.stack(parts).mean(dim=0) if parts else None
            places = torch.from_numpy(_places(rows, lengths))
            return Outputs(logits[places], None if exposed is None else exposed[places])


class _Network:
    def __init__(self, network: BiGRULabeller) -> None:
        self._table = network.channel_table.detach()
        self._pad = len(self._table) - 1
        self._stem = network.stem
        if network.stem is not None:
            # What each residue adds at each place of the convolution: (place and code, channel).
            weight = network.stem.weight.detach()
            self._reach = weight.shape[2] // 2
            self._local = (
                torch.einsum("ocw,rc->wro", weight, self._table).flatten(0, 1).contiguous()
            )
            self._local_bias = cast("Tensor", network.stem.bias).detach()
        self._layers = [
            [
                _Direction(cast("nn.GRU", layer.forwards), shifted=depth > 0, backwards=False),
                _Direction(cast("nn.GRU", layer.backwards), shifted=depth > 0, backwards=True),
            ]
            for depth, layer in enumerate(network.layers)
        ]
        self._classes = network.architecture.classes
        exposure = network.accessibility_head
        self._has_exposure = exposure is not None
        self._head = _joined([network.head, *([] if exposure is None else [exposure])])

    def __call__(self, sequences: Sequence[_Codes], rows: _Rows) -> Outputs:
        states = self._inputs(sequences, rows)
        for directions in self._layers:
            width = directions[0].width
            out = torch.empty(rows.starts[-1], 2 * width)
            for number, direction in enumerate(directions):
                direction(states, rows, out[:, number * width : (number + 1) * width])
            states = out
        found = _product(*self._head, states)
        exposed = found[:, self._classes].sigmoid() if self._has_exposure else None
        return Outputs(found[:, : self._classes], exposed)

    def _inputs(self, sequences: Sequence[_Codes], rows: _Rows) -> Tensor:
        codes, there = _padded(sequences, rows, self._pad)
        steps = codes.shape[0]
        if self._stem is None:
            return self._table[torch.from_numpy(codes[there]).long()]
        reach = self._reach
        wide = np.pad(codes, ((reach, reach), (0, 0)), constant_values=self._pad)
        places = np.stack(
            [
                wide[place : place + steps][there].astype(np.int64) + place * len(self._table)
                for place in range(2 * reach + 1)
            ],
            axis=1,
        )
        local = embedding_bag(torch.from_numpy(places), self._local, mode="sum")
        local.add_(self._local_bias).relu_()
        return torch.cat((self._table[torch.from_numpy(codes[there]).long()], local), dim=1)


class _Direction:
    """One GRU in one direction; gates lie side by side as candidate, reset, update, recurrent."""

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

    def __call__(self, inputs: Tensor, rows: _Rows, out: Tensor) -> None:
        """Write the states of all rows into ``out``, ``(row, hidden)``."""
        width = self.width
        chunks = _chunks(rows.starts)
        projected = torch.empty(max(_PROJECTED_ROWS, rows.starts[1]), 4 * width)
        # Steps of fewer than the least rows are laid out with rows of nobody beside them.
        wide = torch.zeros(_PROJECTED_ROWS, 4 * width)
        wide_out = torch.empty(_PROJECTED_ROWS, width)
        state, live = torch.full((_LEAST_ROWS, width), _REST), 0
        for chunk in reversed(chunks) if self._backwards else chunks:
            base, end = chunk.rows
            gates, results = projected[: end - base], out[base:end]
            _product(self._bias, self._inputs, inputs[base:end], gates[:, : 3 * width])
            gates[:, 3 * width :] = self._recurrent_bias
            count = chunk.counts[0]
            if count < _LEAST_ROWS:
                steps = len(chunk.counts)
                sizes = [_LEAST_ROWS] * steps
                spread = wide[: steps * _LEAST_ROWS]
                spread.view(steps, _LEAST_ROWS, -1)[:, :count] = gates.view(steps, count, -1)
                state = self._run(spread, wide_out[: len(spread)], sizes, state, live)
                results.view(steps, count, width)[:] = wide_out[: len(spread)].view(
                    steps, _LEAST_ROWS, width
                )[:, :count]
            else:
                state = self._run(gates, results, chunk.counts, state, live)
            live = chunk.counts[0] if self._backwards else chunk.counts[-1]

    def _run(
        self, gates: Tensor, results: Tensor, counts: list[int], state: Tensor, live: int
    ) -> Tensor:
        """Write the states of consecutive steps and return the last one.

        ``gates`` holds what the inputs add, ``(row, 4 * hidden)``, and is used up. The first
        ``live`` rows of ``state`` go on.
        """
        width = self.width
        steps = list(
            zip(
                counts,
                # Views of all steps at once cost a fraction of slices step by step.
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
        for count, candidate, gated, reset, update, own, moved, result in steps:
            if live != count:
                state = _resized(state[:live], count)
                live = count
            moved.addmm_(state, recurrent)
            sigmoid_(gated)
            sigmoid_(candidate.addcmul_(reset, own))
            state = lerp(candidate, state, update, out=result)
        return state


def _resized(state: Tensor, count: int) -> Tensor:
    if len(state) > count:
        return state[:count]
    grown = state.new_full((count, state.shape[1]), _REST)
    grown[: len(state)] = state
    return grown


def _product(bias: Tensor, weights: Tensor, inputs: Tensor, out: Tensor | None = None) -> Tensor:
    # (row, input) times (input, output) plus (output,).
    count = len(inputs)
    if count >= _LEAST_ROWS:
        return torch.addmm(bias, inputs, weights, out=out)
    wide = inputs.new_zeros(_LEAST_ROWS, inputs.shape[1])
    wide[:count] = inputs
    found = torch.addmm(bias, wide, weights)[:count]
    return found if out is None else out.copy_(found)


def _joined(layers: Sequence[nn.Linear]) -> tuple[Tensor, Tensor]:
    """Return bias and weights ``(input, output)`` for states that are kept as ``(h + 1) / 2``.

    There are outputs of zeros at the end: products of few columns sum by the number of rows.
    """
    weight = torch.cat([layer.weight.detach() for layer in layers])
    bias = torch.cat([layer.bias.detach() for layer in layers]) - weight.sum(dim=1)
    spare = -len(bias) % _COLUMNS
    return pad(bias, (0, spare)), pad(2 * weight, (0, 0, 0, spare)).t().contiguous()


def _rows(lengths: Sequence[int]) -> _Rows:
    sizes = np.asarray(lengths)
    order = np.argsort(-sizes, kind="stable")
    longer = len(sizes) - np.searchsorted(np.sort(sizes), np.arange(sizes.max()), side="right")
    return _Rows(order.tolist(), [0, *np.cumsum(longer).tolist()])


def _places(rows: _Rows, lengths: Sequence[int]) -> npt.NDArray[np.int64]:
    """Return the row of each residue of all sequences, end to end; int64 ``(residue,)``."""
    column = np.empty(len(lengths), dtype=np.int64)
    column[rows.order] = np.arange(len(lengths))
    ends = np.cumsum(lengths)
    step = np.arange(ends[-1]) - np.repeat(ends - lengths, lengths)
    starts: npt.NDArray[np.int64] = np.asarray(rows.starts, dtype=np.int64)
    found: npt.NDArray[np.int64] = starts[step] + np.repeat(column, lengths)
    return found


def _padded(
    sequences: Sequence[_Codes], rows: _Rows, pad_code: int
) -> tuple[_Codes, npt.NDArray[np.bool_]]:
    """Return codes ``(step, column)`` and which of them are rows."""
    codes, lengths = padded_codes([sequences[number] for number in rows.order], pad_code)
    return codes, np.arange(len(codes))[:, None] < lengths


@dataclass(frozen=True)
class _Chunk:
    """Consecutive steps: their rows, half-open, and the number of rows of each step."""

    rows: tuple[int, int]
    counts: list[int]


def _chunks(starts: Sequence[int]) -> list[_Chunk]:
    # Steps of fewer rows than the least are in one chunk with steps of as many rows only.
    counts = np.diff(np.asarray(starts))
    filled = np.maximum(counts, _LEAST_ROWS).tolist()
    kinds = np.minimum(counts, _LEAST_ROWS).tolist()
    chunks = []
    first = held = 0
    for step, size in enumerate(filled):
        if step > first and (held + size > _PROJECTED_ROWS or kinds[step] != kinds[first]):
            chunks.append((first, step))
            first, held = step, 0
        held += size
    chunks.append((first, len(filled)))
    return [_Chunk((starts[i], starts[j]), counts[i:j].tolist()) for i, j in chunks]
