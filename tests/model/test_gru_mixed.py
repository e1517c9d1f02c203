"""The GRU layer with products in bfloat16, against PyTorch's in float32; and its dropout."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from grubio.model import gru_mixed
from grubio.model.networks.dropout import Dropout
from grubio.model.networks.gru import GRULayer
from grubio.model.networks.recurrent import reversal_index, row_places

CHANNELS, WIDTH = 7, 24


def layer_and_batch(steps: int, batch: int) -> tuple[GRULayer, Tensor, Tensor]:
    torch.manual_seed(steps)
    layer = GRULayer(CHANNELS, WIDTH)
    lengths = torch.randint(1, steps + 1, (batch,))
    lengths[0] = steps
    inputs = torch.randn(steps, batch, CHANNELS, requires_grad=True)
    return layer, inputs, reversal_index(lengths, steps)


def computed(
    layer: GRULayer, inputs: Tensor, reversal: Tensor, products: torch.dtype | None
) -> list[Tensor]:
    """Return states, and the gradients of inputs and weights; without products, of PyTorch."""
    if products is None:
        with torch.autocast("cpu", enabled=False):
            ahead = layer.forwards(inputs)[0]
            places = torch.arange(inputs.shape[1])
            behind = layer.backwards(inputs[reversal, places])[0][reversal, places]
        states = torch.cat((ahead, behind), dim=2)
    else:
        states = gru_mixed.layer_states(
            layer.forwards, layer.backwards, inputs, row_places(reversal), products
        )
        assert states.dtype == products
    probe = torch.linspace(-1, 1, states.numel()).view_as(states)
    wanted = [inputs, *layer.parameters()]
    return [states.detach().float(), *torch.autograd.grad((states.float() * probe).sum(), wanted)]


@pytest.mark.parametrize(("steps", "batch"), [(1, 1), (1, 3), (9, 1), (30, 5)])
@pytest.mark.parametrize(("products", "close"), [(torch.float32, 1e-5), (torch.bfloat16, 2e-2)])
def test_states_and_gradients_are_those_of_pytorch(
    steps: int, batch: int, products: torch.dtype, close: float
) -> None:
    layer, inputs, reversal = layer_and_batch(steps, batch)
    found = computed(layer, inputs, reversal, products)
    wanted = computed(layer, inputs, reversal, None)
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours.dtype == torch.float32
        assert (ours - theirs).norm() <= close * theirs.norm() + 1e-6


def test_memory_that_is_used_again_changes_nothing() -> None:
    small, large = layer_and_batch(12, 2), layer_and_batch(25, 6)
    gru_mixed._spare.clear()
    fresh = [computed(*small, torch.bfloat16), computed(*large, torch.bfloat16)]
    for _ in range(2):
        again = [computed(*small, torch.bfloat16), computed(*large, torch.bfloat16)]
        for first, second in zip(fresh, again, strict=True):
            assert all(map(torch.equal, first, second))
    assert len(gru_mixed._spare) == 1


def test_without_a_gradient_the_states_are_the_same() -> None:
    layer, inputs, reversal = layer_and_batch(12, 4)
    learned = computed(layer, inputs, reversal, torch.bfloat16)[0]
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer(inputs, reversal).float(), learned)
    # Memory of inference cannot be written to in training.
    assert torch.equal(computed(layer, inputs, reversal, torch.bfloat16)[0], learned)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99999])
def test_dropout_drops_its_share_and_keeps_the_mean(share: float) -> None:
    dropout, states = Dropout(share), torch.ones(999, 101, dtype=torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        torch.manual_seed(1)
        found = dropout(states)
        torch.manual_seed(1)
        assert torch.equal(dropout(states), found)
        assert not torch.equal(dropout(states), found)
        assert dropout.eval()(states) is states or torch.equal(dropout(states), states)
    assert (found == 0).float().mean() == pytest.approx(share, abs=0.01)
    if share < 0.9:
        assert found.float().mean() == pytest.approx(1, abs=0.02)


def test_dropout_passes_the_gradient_of_what_it_keeps() -> None:
    states = torch.ones(50, 3, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        found = Dropout(0.3)(states)
    found.sum().backward()
    assert states.grad is not None
    assert torch.allclose(states.grad, found.detach(), atol=1e-2)
