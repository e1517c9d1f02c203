from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grubio.model.architecture import Architecture
from grubio.model.batching import padded_codes
from grubio.model.gru_gradient import states_of
from grubio.model.labeller import Labeller
from grubio.model.networks.gru import GRU
from grubio.model.networks.recurrent import reversal_index
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.scheme import SS8
from grubio.sequences.target import Target

sequences_strategy = st.lists(
    st.text(alphabet=PROTEIN.codes, min_size=1, max_size=40), min_size=1, max_size=6
)


def new_model(layers: int = 2, stem: int = 0) -> Labeller:
    torch.manual_seed(0)
    network = GRU(Architecture("gru", 12, layers, 0.1, stem_channels=stem), PROTEIN.channel_table)
    return Labeller(network, [Target("labels", "classes", SS8)]).eval()


def logits_of(model: Labeller, sequences: list[str], extra: int = 0) -> list[np.ndarray]:
    codes, lengths = padded_codes([PROTEIN.encode(s) for s in sequences], PROTEIN.pad_code)
    codes = np.pad(codes, ((0, extra), (0, 0)), constant_values=PROTEIN.pad_code)
    with torch.inference_mode():
        out = model(torch.from_numpy(codes), torch.from_numpy(lengths))["labels"].numpy()
    return [out[:length, i] for i, length in enumerate(lengths)]


@settings(max_examples=40)
@given(sequences_strategy, st.integers(0, 30), st.sampled_from([0, 6]), st.randoms())
def test_an_answer_does_not_depend_on_batch_order_or_padding(
    sequences, extra, stem, random
) -> None:
    model = new_model(stem=stem)
    order = list(range(len(sequences)))
    random.shuffle(order)
    together = logits_of(model, [sequences[i] for i in order], extra)
    for place, i in enumerate(order):
        alone = logits_of(model, [sequences[i]])[0]
        assert np.abs(together[place] - alone).max() < 1e-5


def test_the_gradient_is_that_of_the_function() -> None:
    torch.manual_seed(1)
    gru = torch.nn.GRU(5, 4).double()
    inputs = torch.randn(6, 3, 5, dtype=torch.float64, requires_grad=True)
    found, (wanted, _) = states_of(gru, inputs), gru(inputs)
    assert torch.allclose(found, wanted, atol=1e-12)
    probe = torch.randn_like(wanted)
    parameters = [inputs, *gru.parameters()]
    ours = torch.autograd.grad((found * probe).sum(), parameters)
    theirs = torch.autograd.grad((wanted * probe).sum(), parameters)
    for one, other in zip(ours, theirs, strict=True):
        assert torch.allclose(one, other, atol=1e-12)


def test_training_sees_the_same_function_as_validation() -> None:
    model = new_model(stem=6)
    codes, lengths = padded_codes(
        [PROTEIN.encode(s) for s in ("MKTAYIAKQRW", "GG", "ACDEFGH")], PROTEIN.pad_code
    )
    arguments = torch.from_numpy(codes), torch.from_numpy(lengths)
    with torch.no_grad():
        wanted = model(*arguments)["labels"]
    found = model(*arguments)["labels"]
    found[:2].square().sum().backward()
    assert torch.allclose(found[:2], wanted[:2], atol=1e-5)
    assert all(
        p.grad is not None and p.grad.abs().sum() > 0 for p in model.network.layers.parameters()
    )


def test_it_equals_torch_bidirectional_gru_on_packed_sequences() -> None:
    model = new_model(layers=2)
    reference = torch.nn.GRU(20, 12, num_layers=2, bidirectional=True)
    state = {}
    for depth, layer in enumerate(model.network.layers):
        for ours, suffix in ((layer.forwards, ""), (layer.backwards, "_reverse")):
            for name, value in ours.state_dict().items():
                state[name.replace("_l0", f"_l{depth}{suffix}")] = value
    reference.load_state_dict(state)
    sequences = ["MKTAYIAKQRW", "GG", "ACDEFGHIKLMNPQRSTVWY"]
    codes, lengths = padded_codes([PROTEIN.encode(s) for s in sequences], PROTEIN.pad_code)
    channels = torch.from_numpy(PROTEIN.channel_table)[torch.from_numpy(codes).long()]
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        channels, torch.from_numpy(lengths), enforce_sorted=False
    )
    with torch.inference_mode():
        states, _ = torch.nn.utils.rnn.pad_packed_sequence(reference(packed)[0])
        expected = model.heads[0](states).numpy()
    for i, logits in enumerate(logits_of(model, sequences)):
        assert np.abs(logits - expected[: len(logits), i]).max() < 1e-5


def test_both_ends_reach_every_residue() -> None:
    model = new_model(layers=1)
    base = logits_of(model, ["A" * 10])[0]
    first, last = logits_of(model, ["W" + "A" * 9, "A" * 9 + "W"])
    assert (np.abs(first - base).max(axis=1) > 1e-7).all()
    assert (np.abs(last - base).max(axis=1) > 1e-7).all()


@given(st.lists(st.integers(1, 20), min_size=1, max_size=5), st.integers(0, 5))
def test_reversing_twice_changes_nothing(lengths: list[int], extra: int) -> None:
    index = reversal_index(torch.tensor(lengths), max(lengths) + extra)
    twice = torch.gather(index, 0, index)
    assert (twice == torch.arange(len(index)).unsqueeze(1)).all()
