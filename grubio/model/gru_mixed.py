"""A bidirectional GRU layer with a hand-written gradient and its products in bfloat16, for CPUs.

Matrix products take bfloat16 factors, add up in float32 and return bfloat16, as those of PyTorch's
autocast do. Gates, states, the sums over steps, and the gradients that are passed from step to step
are float32. Both directions share each step: one product and one set of operations for the two.

The recurrence is that of :mod:`grubio.model.networks.gru`; :mod:`grubio.model.gru_gradient` has it
in float32.
"""

from __future__ import annotations

import math
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

_sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input
_tanh_backward = torch.ops.aten.tanh_backward.grad_input

_spare: list[Tensor] = []
# Gates of an earlier layer or batch, float32: fresh memory of that size costs more than its use.


def layer_states(
    forwards: nn.GRU, backwards: nn.GRU, inputs: Tensor, turned: Tensor, products: torch.dtype
) -> Tensor:
    """Return the states of a layer, ``(time, batch, 2 * hidden)``, of type ``products``.

    Parameters
    ----------
    forwards, backwards
        The GRUs of the two directions, float32.
    inputs
        Float ``(time, batch, channel)``.
    turned
        Place of each row ``time * batch`` in the reversed sequences, int64; it undoes itself.
    products
        Type of the factors of matrix products.
    """
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    both = [dict(gru.named_parameters()) for gru in (forwards, backwards)]
    weights = [way[name] for name in names for way in both]
    with torch.autocast("cpu", enabled=False):
        states = _Layer.apply(inputs, turned, products, *weights)  # type: ignore[no-untyped-call]
    return cast("Tensor", states)


class _Layer(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, turned: Tensor, products: torch.dtype, *weights: Tensor
    ) -> Tensor:
        steps, batch, _ = inputs.shape
        # Each of these has the direction on its first axis.
        weight, recurrent, bias, own = (torch.stack(weights[at : at + 2]) for at in (0, 2, 4, 6))
        width = recurrent.shape[2]
        # The columns of a step are the candidate n, reset r, update z, and n's recurrent part.
        weight, offsets = _candidate_first(weight, width), _candidate_first(bias, width)
        offsets[:, width:] += own[:, : 2 * width]
        offsets = torch.cat((offsets, own[:, 2 * width :]), dim=1)
        # tanh(a) = 2 sigmoid(2 a) - 1, in a fraction of the time; the weights double a.
        double = offsets.new_ones(4 * width)
        double[:width] = double[3 * width :] = 2
        offsets *= double
        rows = _both_ways(inputs.to(products), turned)
        learning = any(ctx.needs_input_grad)
        shape = (2, steps * batch, 4 * width)
        memory = _memory(math.prod(shape)) if learning else torch.empty(math.prod(shape))
        gates = memory[: math.prod(shape)].view(shape)
        forth = _cast(weight * double[: 3 * width, None], products)
        for way in range(2):
            given = rows[way].flatten(0, 1) @ forth[way]
            torch.add(given, offsets[way, : 3 * width], out=gates[way, :, : 3 * width])
            gates[way, :, 3 * width :] = offsets[way, 3 * width :]
        gates = gates.view(2, steps, batch, 4 * width)
        states = _run(gates, _cast(recurrent * double[width:, None], products))
        if learning:
            ctx.save_for_backward(rows, turned, states, weight, recurrent)
            ctx.gates, ctx.memory = gates, memory
        ahead, behind = states.to(products)
        return torch.cat((ahead, _reordered(behind, turned)), dim=2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rows, turned, states, weight, recurrent = ctx.saved_tensors
        gates, memory, ctx.gates, ctx.memory = ctx.gates, ctx.memory, None, None
        products, width = rows.dtype, states.shape[3]
        batch = states.shape[2]
        given = torch.empty_like(states)
        ahead, behind = torch.split(gradient, width, dim=2)
        given[0] = ahead
        given[1] = _reordered(behind, turned)
        slopes, sums = _run_back(gates, states, given, recurrent.to(products))
        _spare.append(memory)
        weight = weight.to(products)
        of_inputs, of_weight, of_recurrent = [], [], []
        for way in range(2):
            own = slopes[way].flatten(0, 1)
            before = states[way, :-1].flatten(0, 1).to(products)
            of_weight.append(own[:, : 3 * width].t() @ rows[way].flatten(0, 1))
            of_recurrent.append(own[batch:, width:].t() @ before)
            if ctx.needs_input_grad[0]:
                of_inputs.append((own[:, : 3 * width] @ weight[way]).view_as(rows[way]))
        return (
            of_inputs[0].add_(_reordered(of_inputs[1], turned)) if of_inputs else None,
            None,
            None,
            *_candidate_last(torch.stack(of_weight).float(), width),
            *torch.stack(of_recurrent).float(),
            *_candidate_last(sums[:, : 3 * width], width),
            *sums[:, width:],
        )


def _run(gates: Tensor, recurrent: Tensor) -> Tensor:
    # The states (2, step, batch, hidden); gates hold what the inputs give, and then the gates.
    _, steps, batch, _ = gates.shape
    width = recurrent.shape[1]
    n, r, z, hn = (part.unbind(1) for part in torch.split(gates, width, dim=3))
    gated = gates[..., width : 3 * width].unbind(1)
    recurrently = gates[..., width:].unbind(1)
    states = gates.new_empty(2, steps, batch, width)
    factor = recurrent.new_zeros(2, batch, width)
    product = recurrent.new_empty(2, batch, 3 * width)
    added = gates.new_empty(product.shape)
    state, minus_one = gates.new_zeros(factor.shape), gates.new_full((), -1)
    for step, out in enumerate(states.unbind(1)):
        if step:
            torch.bmm(factor.copy_(state), recurrent, out=product)
            recurrently[step].add_(added.copy_(product))
        gated[step].sigmoid_()
        candidate = n[step].addcmul_(r[step], hn[step]).sigmoid_()
        torch.add(minus_one, candidate, alpha=2, out=candidate)
        state = torch.lerp(candidate, state, z[step], out=out)
    return states


def _run_back(
    gates: Tensor, states: Tensor, given: Tensor, recurrent: Tensor
) -> tuple[Tensor, Tensor]:
    # The derivatives by what goes into the gates (2, step, batch, 4 * hidden), n's not doubled, of
    # the type of the products; and their sums over residues (2, 4 * hidden).
    _, steps, batch, width = states.shape
    n, r, z, hn = (part.unbind(1) for part in torch.split(gates, width, dim=3))
    slopes = recurrent.new_empty(gates.shape)
    factor = recurrent.new_empty(2, batch, 3 * width)
    product = recurrent.new_empty(2, batch, width)
    slope = gates.new_empty(2, batch, 4 * width)
    of_n, of_r, of_z, of_hn = torch.split(slope, width, dim=2)
    sums = torch.zeros_like(slope)
    back, kept, term = gates.new_zeros(3, 2, batch, width).unbind()
    before = (torch.zeros_like(back), *states.unbind(1))
    arriving, written = given.unbind(1), slopes.unbind(1)
    for step in range(steps - 1, -1, -1):
        back.add_(arriving[step])
        torch.mul(back, z[step], out=kept)
        torch.sub(before[step], n[step], out=term).mul_(back)
        _sigmoid_backward(term, z[step], grad_input=of_z)
        torch.sub(back, kept, out=term)
        _tanh_backward(term, n[step], grad_input=of_n)
        # The gates hold twice the recurrent part of n.
        torch.mul(of_n, hn[step], out=term).mul_(0.5)
        _sigmoid_backward(term, r[step], grad_input=of_r)
        torch.mul(of_n, r[step], out=of_hn)
        written[step].copy_(slope)
        sums.add_(slope)
        if step:
            torch.bmm(factor.copy_(slope[..., width:]), recurrent, out=product)
            torch.add(kept, term.copy_(product), out=back)
    return slopes, sums.sum(dim=1)


def _memory(size: int) -> Tensor:
    # At least so many numbers, float32.
    spare = _spare.pop() if _spare else torch.empty(0)
    return spare if len(spare) >= size else torch.empty(size)


def _cast(weights: Tensor, products: torch.dtype) -> Tensor:
    return weights.to(products).transpose(1, 2).contiguous()


def _both_ways(inputs: Tensor, turned: Tensor) -> Tensor:
    return torch.stack((inputs, _reordered(inputs, turned)))


def _reordered(rows: Tensor, turned: Tensor) -> Tensor:
    return rows.flatten(0, 1).index_select(0, turned).view(rows.shape)


def _candidate_first(weights: Tensor, width: int) -> Tensor:
    return torch.cat((weights[:, 2 * width :], weights[:, : 2 * width]), dim=1)


def _candidate_last(weights: Tensor, width: int) -> Tensor:
    return torch.cat((weights[:, width:], weights[:, :width]), dim=1)
