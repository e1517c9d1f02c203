"""A GRU in one direction with a hand-written gradient, for training on a CPU.

On a CPU, :class:`torch.nn.GRU` records a dozen small operations for every step. Here the forward
pass keeps the gates in place, and a step of the backward pass is three operations and one matrix
product; the gradient of each weight matrix is one product over all steps. The recurrence is that of
:mod:`grubio.model.networks.gru`.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


def states_of(gru: nn.GRU, inputs: Tensor) -> Tensor:
    """Return the states ``(time, batch, hidden)`` of inputs ``(time, batch, channel)``."""
    weights = dict(gru.named_parameters())
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    return cast("Tensor", _States.apply(inputs, *(weights[name] for name in names)))  # type: ignore[no-untyped-call]


def reordered(rows: Tensor, involution: Tensor) -> Tensor:
    """Return rows ``(time, batch, channel)`` in an order that undoes itself, ``(time * batch,)``.

    The gradient is reordered in the same way; that of indexing would add it up row by row.
    """
    return cast("Tensor", _Reordered.apply(rows, involution))  # type: ignore[no-untyped-call]


class _Reordered(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, involution: Tensor) -> Tensor:
        ctx.involution = involution
        return rows.flatten(0, 1).index_select(0, involution).view_as(rows)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        turned = gradient.flatten(0, 1).index_select(0, ctx.involution)
        return turned.view_as(gradient), None


class _States(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, weight: Tensor, recurrent: Tensor, bias: Tensor, own: Tensor
    ) -> Tensor:
        steps, batch, _ = inputs.shape
        width = recurrent.shape[1]
        # The columns of a step are the candidate n, reset r, update z, and n's recurrent part.
        turned = _candidate_first(weight, width)
        offsets = _candidate_first(bias, width)
        offsets[width:] += own[: 2 * width]
        gates = inputs.new_empty(steps, batch, 4 * width)
        rows = gates.flatten(0, 1)
        torch.addmm(offsets, inputs.flatten(0, 1), turned.t(), out=rows[:, : 3 * width])
        rows[:, 3 * width :] = own[2 * width :]
        transposed = recurrent.t().contiguous()
        states = inputs.new_empty(steps, batch, width)
        state = inputs.new_zeros(batch, width)
        for step in range(steps):
            now = gates[step]
            candidate, gated = now[:, :width], now[:, width : 3 * width]
            now[:, width:].addmm_(state, transposed)
            gated.sigmoid_()
            # tanh(a) = 2 sigmoid(2 a) - 1, in a fraction of the time.
            candidate.addcmul_(gated[:, :width], now[:, 3 * width :])
            candidate.mul_(2).sigmoid_().mul_(2).sub_(1)
            state = torch.lerp(candidate, state, gated[:, width:], out=states[step])
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(inputs, turned, recurrent, states)
            ctx.gates = gates
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        inputs, turned, recurrent, states = ctx.saved_tensors
        # The derivatives of the state by the gates' inputs, written over the gates.
        gates, ctx.gates = ctx.gates, None
        steps, batch, width = states.shape
        n, r, z, hn = gates.split(width, dim=2)
        update = z.contiguous()
        before = torch.cat((states.new_zeros(1, batch, width), states[:-1]))
        z.mul_(1 - update).mul_(before.sub_(n))
        n.square_().neg_().add_(1).mul_(1 - update)
        hn.mul_(n)
        reset = r.clone()
        r.mul_(1 - reset).mul_(hn)
        torch.mul(n, reset, out=hn)
        back = states.new_zeros(batch, width)
        for step in range(steps - 1, -1, -1):
            back.add_(gradient[step])
            now = gates[step]
            now.view(batch, 4, width).mul_(back.unsqueeze(1))
            back.mul_(update[step]).addmm_(now[:, width:], recurrent)
        rows = gates.flatten(0, 1)
        of_inputs, of_own = rows[:, : 3 * width], rows[:, width:]
        flat = inputs.flatten(0, 1)
        sums = rows.sum(dim=0)
        own = sums[width:]
        return (
            (of_inputs @ turned).view_as(inputs) if ctx.needs_input_grad[0] else None,
            _candidate_last(of_inputs.t() @ flat, width),
            of_own[batch:].t() @ states[:-1].flatten(0, 1),
            _candidate_last(sums[: 3 * width], width),
            own,
        )


def _candidate_first(weights: Tensor, width: int) -> Tensor:
    return torch.cat((weights[2 * width :], weights[: 2 * width]))


def _candidate_last(weights: Tensor, width: int) -> Tensor:
    return torch.cat((weights[width:], weights[:width]))
