from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from grubio.model.networks.attention import AdditiveAttention, Attention, DotAttention

LENGTHS = torch.tensor([7, 1, 4])
both = pytest.mark.parametrize("kind", [AdditiveAttention, DotAttention])


class LargestTensor(TorchDispatchMode):
    """The number of elements of the largest tensor that any operation returned."""

    elements = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        sizes = [x.numel() for x in tree_leaves(found) if isinstance(x, Tensor)]
        self.elements = max(self.elements, *sizes, 0)
        return found


def new_attention(kind: type[Attention], features: int = 10, width: int = 6) -> Attention:
    torch.manual_seed(0)
    return kind(features, width).double()


def states_of(steps: int = 7, batch: int = 3, features: int = 10) -> Tensor:
    torch.manual_seed(1)
    return torch.randn(steps, batch, features, dtype=torch.float64)


def score(attention: Attention, query: Tensor, key: Tensor) -> Tensor:
    if isinstance(attention, AdditiveAttention):
        return attention.score.weight[0] @ (query + key).tanh()
    return query @ key / len(query) ** 0.5


@both
def test_a_context_is_the_mean_of_the_values_by_the_scores(kind: type[Attention]) -> None:
    attention, states = new_attention(kind), states_of()
    found = attention(states, LENGTHS)
    assert found.shape == (7, 3, attention.features)
    for column, length in enumerate(LENGTHS.tolist()):
        own = states[:length, column]
        queries, keys, values = attention.queries(own), attention.keys(own), attention.values(own)
        for at in range(length):
            scores = torch.stack([score(attention, queries[at], key) for key in keys])
            wanted = torch.cat((own[at], scores.softmax(dim=0) @ values))
            assert torch.allclose(found[at, column], wanted, atol=1e-12)


@both
def test_what_is_at_padding_changes_no_bit(kind: type[Attention]) -> None:
    attention, states = new_attention(kind), states_of()
    found, other = attention(states, LENGTHS), states.clone()
    for column, length in enumerate(LENGTHS.tolist()):
        other[length:, column] = 1e3
    changed = attention(other, LENGTHS)
    for column, length in enumerate(LENGTHS.tolist()):
        assert torch.equal(found[:length, column], changed[:length, column])


@both
def test_the_gradient_in_blocks_is_that_of_the_whole(
    kind: type[Attention], monkeypatch: pytest.MonkeyPatch
) -> None:
    attention = new_attention(kind)

    def gradients() -> list[Tensor]:
        states = states_of().requires_grad_()
        found = attention(states, LENGTHS)
        inside = torch.arange(7).unsqueeze(1) < LENGTHS
        loss = found[inside].square().sum()
        return list(torch.autograd.grad(loss, [states, *attention.parameters()]))

    whole = gradients()
    monkeypatch.setattr("grubio.model.networks.attention._BLOCK", 1)
    assert all(g.abs().sum() > 0 for g in whole)
    assert all(torch.allclose(a, b, atol=1e-12) for a, b in zip(whole, gradients(), strict=True))


@both
@pytest.mark.parametrize("learning", [False, True])
def test_no_tensor_has_all_pairs_of_residues(
    kind: type[Attention], learning: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grubio.model.networks.attention._BLOCK", 2**17)
    steps, width = 2000, 6
    attention = new_attention(kind, width=width).float()
    states = states_of(steps, 2).float().requires_grad_(learning)
    lengths = torch.tensor([steps, steps - 500])
    with LargestTensor() as largest, torch.set_grad_enabled(learning):
        found = attention(states, lengths)
        if learning:
            found.sum().backward()
    assert 0 < largest.elements < steps * steps / 10
