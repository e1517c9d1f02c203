"""What holds for every network of the registry, untrained; for training see tests/training."""

from __future__ import annotations

import itertools
import json
import random
import zlib
from collections.abc import Iterator
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
import pytest
import torch
from torch import Tensor

from grubio.config import ModelSettings
from grubio.errors import GrubioError
from grubio.inference.predictor import Predictor
from grubio.model.architecture import INPUT_NAMES, Architecture, InputName
from grubio.model.batching import padded_codes, padded_profiles
from grubio.model.bundle import METADATA_FILE, Calibration, load_bundle, save_bundle
from grubio.model.card import promised
from grubio.model.engines.engine import Engine, engine_of
from grubio.model.engines.one_thread import one_thread_each
from grubio.model.labeller import (
    Ensemble,
    Labeller,
    bundle_of,
    members_of,
    model_of,
    new_labeller,
)
from grubio.model.networks.protocol import Network
from grubio.model.networks.registry import (
    ATTENTIONS,
    NETWORKS,
    AttentionName,
    NetworkName,
    described,
    promise_of,
)
from grubio.model.outputs import Outputs
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.profile import Profile
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS3, SS8
from grubio.sequences.target import Target
from training_metadata import TRAINING

TARGETS = (
    Target("labels", "classes", SS8),
    Target("coarse", "classes", SS3, weight=0.5),
    Target("type", "value", low=-20.0, high=60.0, weight=0.3),
)
# Inputs are tried in every test.
SETTINGS = [field.name for field in fields(Architecture) if field.name not in ("network", "inputs")]
READ: list[InputName] = []


class Shape(NamedTuple):
    """A network and the attention over its states."""

    network: NetworkName
    attention: AttentionName


SHAPES = (
    *(Shape(name, "none") for name in NETWORKS),
    *(Shape(name, kind) for name in ("gru", "conv") for kind in ATTENTIONS if kind != "none"),
)
every_shape = pytest.mark.parametrize("shape", SHAPES, ids="+".join)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Compute as a predictor does: several threads would cut a product by its shape."""
    with one_thread_each():
        yield


@pytest.fixture(autouse=True, params=[("onehot",), INPUT_NAMES], ids=["residues", "profiles"])
def inputs(request: pytest.FixtureRequest) -> tuple[InputName, ...]:
    """What the networks of a test read."""
    READ[:] = request.param
    return tuple(READ)


def architecture(shape: Shape, **changed: float) -> Architecture:
    whole = Architecture(
        shape.network,
        hidden_size=20,
        layers=3,
        dropout=0.1,
        stem_channels=6,
        stem_width=5,
        attention=shape.attention,
        inputs=tuple(READ),
    )
    return replace(whole, **changed)  # type: ignore[arg-type]


def profiles_of(sequences: list[str]) -> list[np.ndarray] | None:
    """Profiles as arbitrary as their sequences, if the networks read any."""
    if "profile" not in READ:
        return None
    seeds = (zlib.crc32(sequence.encode()) for sequence in sequences)
    made = zip(sequences, map(np.random.default_rng, seeds), strict=True)
    return [
        generator.dirichlet(np.ones(20), len(sequence)).astype(np.float16)
        for sequence, generator in made
    ]


def record_of(number: int, text: str) -> Record:
    (own,) = profiles_of([text]) or [None]
    return Record(str(number), "", text, profile=None if own is None else Profile(text, own))


def new_model(shape: Shape, members: int = 1, seed: int = 0) -> Labeller | Ensemble:
    torch.manual_seed(seed)
    return new_labeller(architecture(shape), TARGETS, PROTEIN.channel_table, members).eval()


def texts(count: int, seed: int, longest: int = 90) -> list[str]:
    generator = np.random.default_rng(seed)
    lengths = [1, 2, *generator.integers(1, longest + 1, count - 2)]
    return ["".join(generator.choice(list(PROTEIN.codes), n)) for n in lengths]


def arguments(sequences: list[str], extra: int = 0) -> tuple[Tensor, Tensor, Tensor | None]:
    codes, lengths = padded_codes([PROTEIN.encode(s) for s in sequences], PROTEIN.pad_code)
    codes = np.pad(codes, ((0, extra), (0, 0)), constant_values=PROTEIN.pad_code)
    found = padded_profiles(profiles_of(sequences) or [])
    profiles = (
        None if found is None else torch.from_numpy(np.pad(found, ((0, extra), (0, 0), (0, 0))))
    )
    return torch.from_numpy(codes), torch.from_numpy(lengths), profiles


def computed(engine: Engine, sequences: list[str]) -> dict[str, Outputs]:
    """Return the outputs of each sequence, by sequence, computed in one batch."""
    whole = engine([PROTEIN.encode(sequence) for sequence in sequences], profiles_of(sequences))
    ends = np.cumsum([len(sequence) for sequence in sequences])
    parts = {name: np.split(found, ends[:-1]) for name, found in whole.items()}
    return {s: {name: parts[name][i] for name in parts} for i, s in enumerate(sequences)}


def assert_as_promised(shape: Shape, ours: np.ndarray, theirs: np.ndarray) -> None:
    if promise_of(*shape) == "to the last bit":
        assert np.array_equal(ours, theirs)
    else:
        assert np.abs(ours - theirs).max() < 1e-5


PLAIN = Shape("gru", "none")


def test_the_names_are_those_of_the_configuration() -> None:
    assert tuple(NETWORKS) == get_args(NetworkName)
    assert ModelSettings().network in NETWORKS
    assert tuple(ATTENTIONS) == get_args(AttentionName)
    assert ModelSettings().attention == "none"
    for setting, kinds in (("network", NETWORKS), ("attention", ATTENTIONS)):
        text = ModelSettings.model_fields[setting].description or ""
        for name, kind in kinds.items():
            assert f"`{name}` ({kind.description})" in text


@every_shape
def test_states_are_as_wide_as_it_says_and_outputs_are_named(shape: Shape) -> None:
    network = NETWORKS[shape.network].network(architecture(shape), PROTEIN.channel_table)
    assert isinstance(network, Network)
    given = arguments(["MKV", "G"])
    assert network(*given).shape == (3, 2, network.features)
    outputs = new_model(shape)(*given)
    assert {key: tuple(found.shape) for key, found in outputs.items()} == {
        "labels": (3, 2, 8),
        "coarse": (3, 2, 3),
        "type": (3, 2),
    }
    assert ((outputs["type"] >= 0) & (outputs["type"] <= 1)).all()


@every_shape
@pytest.mark.parametrize("learning", [False, True])
def test_padding_and_neighbours_reach_no_residue(shape: Shape, learning: bool) -> None:
    torch.manual_seed(0)
    model = new_labeller(architecture(shape, dropout=0.0), TARGETS, PROTEIN.channel_table)
    sequences = texts(8, 1)
    with torch.set_grad_enabled(learning):
        together = model.train(learning)(*arguments(sequences, extra=30))
        for column, sequence in enumerate(sequences):
            alone = model(*arguments([sequence]))
            for target in TARGETS:
                ours = together[target.name][: len(sequence), column]
                assert torch.allclose(ours, alone[target.name][:, 0], atol=1e-5)


@every_shape
@pytest.mark.parametrize("learning", [False, True])
def test_in_bfloat16_it_is_nearly_the_same(shape: Shape, learning: bool) -> None:
    torch.manual_seed(0)
    model = new_labeller(architecture(shape, dropout=0.0), TARGETS, PROTEIN.channel_table)
    parameters, found = list(model.parameters()), {}
    for mixed in (False, True):
        with torch.set_grad_enabled(learning), torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            states = model.train(learning).network(*arguments(texts(8, 1), extra=3))
        # Padding means nothing.
        found[mixed] = [states[:1].detach().float()]
        if learning:
            loss = states[:40].float().tanh().square().sum()
            gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
            found[mixed] += [g for g in gradients if g is not None]
    # The states come first. Gradients of a softmax over all residues are rounded more.
    largest = 0.05 if shape.attention == "none" else 0.3
    for place, (plain, other) in enumerate(zip(found[False], found[True], strict=True)):
        assert not torch.equal(plain, other)
        assert (plain - other).norm() < (largest if place else 0.05) * plain.norm() + 1e-5


@every_shape
def test_every_residue_is_told_from_its_neighbours(shape: Shape) -> None:
    engine = engine_of(bundle_of(new_model(shape), PROTEIN))
    plain, changed = "A" * 9, "AAAAWAAAA"
    outputs = computed(engine, [plain, changed])
    moved = np.abs(outputs[plain]["labels"] - outputs[changed]["labels"]).max(axis=1)
    assert (moved[3:6] > 1e-6).all()


@every_shape
@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_is_used(shape: Shape, setting: str) -> None:
    def trained_outputs(**changed: float | str) -> tuple[list[torch.Size], Tensor]:
        torch.manual_seed(0)
        model = new_labeller(architecture(shape, **changed), TARGETS, PROTEIN.channel_table)
        torch.manual_seed(1)
        outputs = model.train()(*arguments(["MKTAYIAKQR"]))["labels"]
        return [weights.shape for weights in model.parameters()], outputs

    whole = architecture(shape)
    others = {"dropout": 0.5, "attention": "dot" if whole.attention == "additive" else "additive"}
    other = others[setting] if setting in others else getattr(whole, setting) + 2
    shapes, outputs = trained_outputs()
    changed_shapes, changed_outputs = trained_outputs(**{setting: other})
    assert shapes != changed_shapes or not torch.equal(outputs, changed_outputs)


@every_shape
@pytest.mark.parametrize("members", [1, 2])
def test_its_engine_is_the_model_but_for_rounding(shape: Shape, members: int) -> None:
    model, sequences = new_model(shape, members), texts(12, 2)
    with torch.inference_mode():
        wanted = model(*arguments(sequences))
    found = computed(engine_of(bundle_of(model, PROTEIN)), sequences)
    for column, sequence in enumerate(sequences):
        for target in TARGETS:
            ours = found[sequence][target.name]
            assert np.allclose(ours, wanted[target.name][: len(sequence), column], atol=1e-5)


@every_shape
@pytest.mark.parametrize("members", [1, 3])
def test_order_and_batch_change_no_more_than_promised(shape: Shape, members: int) -> None:
    engine = engine_of(bundle_of(new_model(shape, members), PROTEIN))
    sequences = texts(40, 3)
    together = computed(engine, sequences)
    shuffled = random.Random(1).sample(sequences, len(sequences))
    others = [computed(engine, shuffled)]
    others += [computed(engine, shuffled[start : start + 5]) for start in range(0, 40, 5)]
    others += [computed(engine, [sequence]) for sequence in sequences]
    for batch in others:
        for sequence, outputs in batch.items():
            for key, found in outputs.items():
                assert_as_promised(shape, found, together[sequence][key])


@every_shape
@pytest.mark.parametrize("threads", [1, 2])
def test_shards_and_threads_change_no_more_than_promised(shape: Shape, threads: int) -> None:
    bundle = bundle_of(new_model(shape), PROTEIN, {"labels": Calibration(1.3, (0.1,) * 8)})
    records = list(itertools.starmap(record_of, enumerate(texts(60, 4))))
    whole = {p.record.id: p for p in Predictor(bundle, "cpu", 1).predict(records)}
    predictor = Predictor(bundle, "cpu", threads)
    for start in range(0, 60, 7):
        for part in predictor.predict(records[start : start + 7]):
            ours, theirs = part.probabilities, whole[part.record.id].probabilities
            assert np.allclose(ours.sum(axis=1), 1, atol=1e-5)
            assert_as_promised(shape, ours, theirs)


@every_shape
def test_an_ensemble_is_the_mean_of_its_members(shape: Shape) -> None:
    model = new_model(shape, 3)
    assert isinstance(model, Ensemble)
    given = arguments(["MKTAYIAKQR"])
    found = model(*given)
    parts = [member(*given) for member in members_of(model)]
    assert not torch.equal(parts[0]["labels"], parts[1]["labels"])
    logs = torch.stack([part["coarse"].log_softmax(dim=2) for part in parts])
    assert torch.allclose(found["coarse"], logs.mean(dim=0), atol=1e-6)
    values = torch.stack([part["type"] for part in parts])
    assert torch.allclose(found["type"], values.mean(dim=0), atol=1e-6)


@pytest.mark.parametrize(
    ("kinds", "promise"),
    [(("gru", "gru"), "to the last bit"), (("gru", "conv"), "to 1e-5")],
)
def test_members_may_differ_in_network_size_and_inputs(
    kinds: tuple[NetworkName, NetworkName], promise: str, tmp_path: Path
) -> None:
    torch.manual_seed(1)
    shapes = (
        Architecture(kinds[0], 6, 1, 0.1, 4, 3),
        Architecture(kinds[1], 9, 2, 0.1, 0, 7, inputs=("onehot", "profile")),
    )
    table = PROTEIN.channel_table
    labellers = [members_of(new_labeller(shape, TARGETS, table))[0] for shape in shapes]
    model = Ensemble(labellers).eval()
    save_bundle(tmp_path, bundle_of(model, PROTEIN), TRAINING)
    bundle = load_bundle(tmp_path)
    assert (bundle.architectures, bundle.reads_profiles) == (shapes, True)
    assert [one.reads_profiles for one in bundle.single_models] == [False, True]
    assert promise in promised(bundle.metadata)
    assert "- hidden_size: 6, 9\n" in (tmp_path / "CARD.md").read_text()
    sequences = [PROTEIN.encode(text) for text in ("MKTAYIAKQR", "GAVLMFWYQN")]
    profiles = np.random.default_rng(1).random((2, 10, 20), dtype=np.float32)
    given = torch.from_numpy(np.stack(sequences, axis=1)), torch.tensor([10, 10])
    with torch.inference_mode():
        wanted = model(*given, torch.from_numpy(profiles.transpose(1, 0, 2).copy()))
    found = engine_of(bundle)(sequences, list(profiles))
    for name, expected in wanted.items():
        one_by_one = expected.transpose(0, 1).flatten(0, 1).numpy()
        assert np.allclose(found[name], one_by_one, atol=1e-5)


def test_an_ensemble_of_different_targets_is_refused() -> None:
    labeller = members_of(new_model(PLAIN))[0]
    fewer = Labeller(labeller.network, TARGETS[:1])
    with pytest.raises(ValueError, match="same targets"):
        Ensemble([labeller, fewer])


@every_shape
@pytest.mark.parametrize("members", [1, 2])
def test_a_saved_model_is_the_same_after_loading(
    shape: Shape, members: int, tmp_path: Path
) -> None:
    model = new_model(shape, members)
    calibrations = {"labels": Calibration(1.5), "coarse": Calibration(0.7, (1.0, -1.0, 0.0))}
    save_bundle(tmp_path, bundle_of(model, PROTEIN, calibrations), TRAINING)
    bundle = load_bundle(tmp_path)
    assert bundle.targets == TARGETS
    assert bundle.calibrations == calibrations
    assert (bundle.scheme, bundle.calibration().temperature, bundle.sites) == (SS8, 1.5, None)
    assert bundle.architectures == (architecture(shape),) * members
    loaded = model_of(bundle)
    assert not any(t.is_meta for t in (*loaded.parameters(), *loaded.buffers()))
    text = "MKTAYIAKQRQISFVK"
    before = computed(engine_of(bundle_of(model, PROTEIN)), [text])[text]
    after = computed(engine_of(bundle), [text])[text]
    for key, found in before.items():
        assert_as_promised(shape, found, after[key])
    card = (tmp_path / "CARD.md").read_text()
    assert described(*shape).removeprefix("a ") in card
    assert f"the same {promise_of(*shape)}, whatever" in promised(bundle.metadata)
    assert "`coarse`: classes of ss3" in card
    assert "`type`: a value from -20 to 60" in card


def settings_of(**changed: object) -> dict[str, object]:
    settings = asdict(architecture(PLAIN))
    del settings["inputs"]
    return {"network": {"name": settings.pop("network"), "settings": settings | changed}}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"inputs": ["onehot", "smell"]}, "it reads onehot, smell"),
        ({"network": {"name": "perceptron", "settings": {}}}, "no network 'perceptron'"),
        (settings_of(attention="cosine"), "no attention 'cosine', only none, additive, dot"),
        (settings_of(layers=0), "layers is 0, 1 or more was expected"),
        (settings_of(hidden_size=2.5), "hidden_size is 2.5, 1 or more was expected"),
        (settings_of(stem_width=4), "stem_width is 4, an odd number was expected"),
        ({"targets": [{"name": "x", "kind": "smell", "weight": 1}]}, "no kind 'smell'"),
        ({"format": 3}, "model format 2 or an earlier one was expected"),
    ],
)
def test_a_bundle_with_something_unknown_is_refused(
    change: dict[str, object], problem: str, tmp_path: Path
) -> None:
    save_bundle(tmp_path, bundle_of(new_model(PLAIN), PROTEIN), TRAINING)
    path = tmp_path / METADATA_FILE
    metadata = json.loads(path.read_text()) | change
    del metadata["sha256"]
    path.write_text(json.dumps(metadata))
    with pytest.raises(GrubioError, match=problem):
        load_bundle(tmp_path)


@every_shape
def test_no_tensor_stays_behind(shape: Shape) -> None:
    given = arguments(texts(5, 6, longest=8))
    model = new_model(shape, 2)
    plain = model(*given)
    exact = model.double()(*given)
    for key, found in exact.items():
        assert found.dtype == torch.float64
        assert torch.allclose(found.float()[:1], plain[key][:1], atol=1e-5)
    moved = model.to("meta")(*(None if one is None else one.to("meta") for one in given))
    assert all(found.is_meta for found in moved.values())


@every_shape
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_it_computes_the_same_on_a_gpu(shape: Shape) -> None:
    model, sequences = new_model(shape, 2), texts(20, 7)
    here = computed(engine_of(bundle_of(model, PROTEIN)), sequences)
    there = computed(engine_of(bundle_of(model, PROTEIN), "cuda"), sequences)
    for sequence, outputs in here.items():
        for key, found in outputs.items():
            # A GPU may round the factors of a product to ten bits (TF32).
            assert np.allclose(there[sequence][key], found, atol=5e-3)
