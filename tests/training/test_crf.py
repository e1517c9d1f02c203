"""The loss of a conditional random field, against an enumeration of all paths."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
import torch

from grubio.model.batching import IGNORED
from grubio.sequences.grammar import grammar_from_dict
from grubio.sequences.scheme import SS3, SS8, LabelScheme, custom_scheme
from grubio.training.crf import ConditionalRandomField, graph_of

STRICT = custom_scheme("y", "abc").with_grammar(
    grammar_from_dict({"least": {"a": 2}, "next": {"b": "c"}}, "abc")
)
LENGTHS = (5, 4, 3, 1)


def mean_loss(
    scheme: LabelScheme, logits: torch.Tensor, classes: torch.Tensor, weights: torch.Tensor
) -> float:
    graph = graph_of(scheme)
    scores = logits.detach().double().log_softmax(dim=2).numpy()
    steps = weights.detach().double().numpy()
    loss, counted = 0.0, 0
    for at, length in enumerate(LENGTHS):
        own = classes[:length, at]
        every = right = 0.0
        for path in product(range(graph.size), repeat=length):
            if not all(graph.edges[a, b] for a, b in pairwise(path)):
                continue
            labels = graph.labels[list(path)]
            total = sum(scores[time, at, label] for time, label in enumerate(labels))
            total += sum(steps[a, b] for a, b in pairwise(labels))
            every += np.exp(total)
            right += np.exp(total) * all(
                c in (IGNORED, a) for c, a in zip(own, labels, strict=True)
            )
        if right > 0:
            loss += np.log(every / right)
            counted += int((own != IGNORED).sum())
    return loss / max(counted, 1)


@pytest.mark.parametrize("scheme", [SS3, STRICT, custom_scheme("x", "ab")], ids=lambda s: s.name)
def test_the_loss_is_that_of_all_paths(scheme: LabelScheme) -> None:
    torch.manual_seed(1)
    field = ConditionalRandomField(scheme)
    torch.nn.init.normal_(field.weights)
    logits = torch.randn(5, 4, scheme.size, requires_grad=True)
    classes = torch.zeros(5, 4, dtype=torch.int64)
    classes[:, 1] = torch.tensor([1, IGNORED, 0, 0, IGNORED])
    classes[:, 2] = IGNORED
    for at, length in enumerate(LENGTHS):
        classes[length:, at] = IGNORED
    loss = field(logits, classes, torch.tensor(LENGTHS))
    assert loss.item() == pytest.approx(mean_loss(scheme, logits, classes, field.weights), abs=1e-5)
    loss.backward()
    assert torch.isfinite(logits.grad).all()
    assert field.weights.grad.abs().sum() > 0


def test_labels_that_break_the_grammar_do_not_count() -> None:
    field = ConditionalRandomField(STRICT)
    logits = torch.randn(3, 2, 3, requires_grad=True)
    classes = torch.tensor([[1, 2], [1, 2], [0, 2]])
    loss = field(logits, classes, torch.tensor([3, 3]))
    loss.backward()
    assert torch.isfinite(loss)
    assert (logits.grad[:, 0] == 0).all()
    assert (logits.grad[:, 1] != 0).any()


def test_a_coarse_label_leaves_its_fine_classes() -> None:
    field = ConditionalRandomField(SS8)
    logits = torch.full((4, 1, 8), -30.0)
    logits[:, :, SS8.letters.index("G")] = 0
    coarse = torch.full((4, 1), SS8.size)
    length = torch.tensor([4])
    assert field(logits, coarse, length).item() == pytest.approx(0, abs=1e-4)
    assert field(logits, coarse + 1, length).item() > 10
    assert field(logits, torch.full((4, 1), IGNORED), length).item() == 0


def test_the_gradient_is_that_of_the_loss() -> None:
    torch.manual_seed(2)
    field = ConditionalRandomField(STRICT).double()
    classes = torch.zeros(5, 2, dtype=torch.int64)
    classes[1, 0] = classes[3:, 1] = IGNORED

    def loss(logits: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        given = {"weights": weights}
        arguments = (logits, classes, torch.tensor([5, 3]))
        return torch.as_tensor(torch.func.functional_call(field, given, arguments))

    logits = torch.randn(5, 2, 3, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(3, 3, dtype=torch.float64, requires_grad=True)
    # The loss is computed in float32: wide steps, and a tolerance to match.
    assert torch.autograd.gradcheck(loss, (logits, weights), eps=1e-2, atol=5e-3)


@pytest.mark.parametrize("length", [20, 200])
def test_confident_errors_have_finite_gradients(length: int) -> None:
    torch.manual_seed(3)
    field = ConditionalRandomField(STRICT)
    logits = (60 * torch.randn(length, 3, 3)).requires_grad_()
    classes = torch.zeros(length, 3, dtype=torch.int64)
    classes[length // 2 :, 1] = 2
    classes[5:, 2] = IGNORED
    loss = field(logits, classes, torch.full((3,), length))
    loss.backward()
    assert loss > 1
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert logits.grad.abs().max() > 0
    assert field.weights.grad is not None
    assert field.weights.grad.isfinite().all()
