from __future__ import annotations

import csv
import io

import numpy as np
import pytest
import torch

from grubio.model.architecture import Architecture
from grubio.model.batching import Example
from grubio.model.bundle import Bundle
from grubio.model.labeller import bundle_of, model_of, new_labeller
from grubio.model.networks.registry import NetworkName
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.scheme import SS3
from grubio.sequences.target import Target
from grubio.training.gradient_reach import DISTANCES, gradient_reach


def new_bundle(network: NetworkName, members: int = 1, **changed: object) -> Bundle:
    torch.manual_seed(0)
    settings = {"hidden_size": 6, "layers": 1, "dropout": 0.1} | changed
    model = new_labeller(
        Architecture(network, **settings),  # type: ignore[arg-type]
        [Target("labels", "classes", SS3)],
        PROTEIN.channel_table,
        members,
    )
    return bundle_of(model.eval(), PROTEIN)


def examples(*lengths: int) -> list[Example]:
    generator = np.random.default_rng(1)
    codes = [generator.integers(0, 20, n).astype(np.uint8) for n in lengths]
    return [Example(one, np.zeros(len(one), np.int64)) for one in codes]


def reach(bundle: Bundle, *lengths: int) -> dict[int, dict[str, float]]:
    text = gradient_reach(bundle, examples(*lengths))
    rows = csv.DictReader(io.StringIO(text), delimiter="\t")
    return {int(row.pop("distance")): {k: float(v) for k, v in row.items()} for row in rows}


def test_a_convolution_reaches_as_far_as_its_kernels_and_no_further() -> None:
    # Two layers of width 5 with dilations 1 and 2 see six residues on each side.
    found = reach(new_bundle("conv", layers=2), 40, 60)
    assert [found[d]["gradient"] > 0 for d in (1, 2, 5, 10, 20)] == [True, True, True, False, False]


def test_attention_reaches_everywhere_and_a_recurrent_network_less_and_less() -> None:
    plain = reach(new_bundle("rnn"), 120, 70)
    assert list(plain) == [d for d in DISTANCES if d < 120]
    norms = [row["gradient"] for row in plain.values()]
    assert norms == sorted(norms, reverse=True)
    assert 0 < norms[-1] < 1e-3 * norms[0]
    attending = reach(new_bundle("rnn", attention="dot"), 120, 70)
    assert attending[100]["gradient"] > 100 * plain[100]["gradient"]
    for row in plain.values():
        assert row["low"] <= row["gradient"] <= row["high"]


@pytest.mark.parametrize("members", [1, 2])
def test_the_norm_is_that_of_the_jacobian_matrix(
    members: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, (one,) = new_bundle("lstm", members), examples(30)
    monkeypatch.setattr("grubio.training.gradient_reach._POSITIONS", 30)
    found = reach(bundle, 30)
    model = model_of(bundle).double()
    onehot = torch.from_numpy(PROTEIN.channel_table).double()[torch.from_numpy(one.codes).long()]
    names = [n for n, _ in model.named_buffers() if n.endswith("channel_table")]

    def logits(channels: torch.Tensor) -> torch.Tensor:
        codes, lengths = torch.arange(30).unsqueeze(1), torch.tensor([30])
        tables = dict.fromkeys(names, channels)
        return torch.func.functional_call(model, tables, (codes, lengths))["labels"][:, 0]

    with torch.enable_grad():
        jacobian = torch.autograd.functional.jacobian(logits, onehot)
    squares = jacobian.square().sum(dim=(1, 3))
    for distance in (1, 5, 20):
        both = torch.cat([squares.diagonal(distance), squares.diagonal(-distance)])
        assert found[distance]["pairs"] == len(both)
        # One random sign vector for each position: an estimate.
        assert found[distance]["gradient"] == pytest.approx(both.mean().sqrt().item(), rel=0.35)
