from __future__ import annotations

import dataclasses
import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from grubio.config import EvaluationSettings, ModelSettings, TrainingSettings
from grubio.datasets.parquet import read_header, read_records, write_dataset
from grubio.errors import GrubioError
from grubio.evaluation.evaluate import evaluate_model
from grubio.model.architecture import Architecture, WeightPrecision
from grubio.model.bundle import WEIGHTS_FILE, load_bundle, save_bundle
from grubio.model.labeller import Labeller, new_labeller
from grubio.model.networks.registry import NETWORKS
from grubio.model.training_sketch import SKETCH_FILE, read_sketches, sketch_of
from grubio.sequences.alphabet import DNA, PROTEIN
from grubio.sequences.scheme import SS3
from grubio.sequences.target import Target
from grubio.training.ensemble import combine_models
from grubio.training.examples import load_training_data
from grubio.training.fitting import new_fitting
from grubio.training.parent import Parent, by_learning_rate, freeze_weights, load_parent
from grubio.training.train import train_model

SMALL = ModelSettings(hidden_size=12, layers=2)
SHORT = TrainingSettings(epochs=1, batch_residues=4000)


@pytest.fixture(scope="module")
def parent(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "parent"
    return train_model(dataset, folder, SMALL, SHORT, device="cpu", threads=1)


@pytest.fixture(scope="module")
def ss3_dataset(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ss3") / "ss3.parquet"
    header = read_header(dataset)
    records = [
        dataclasses.replace(r, labels=r.labels and "".join("HEC"[ord(x) % 3] for x in r.labels))
        for r in read_records(dataset)
    ]
    write_dataset(path, dataclasses.replace(header, scheme=SS3, targets=()), records)
    return path


def weights_of(folder: Path) -> dict[str, np.ndarray]:
    return dict(load_bundle(folder).weights)


def test_the_network_and_heads_that_fit_start_with_the_weights_of_the_parent(
    dataset: Path, ss3_dataset: Path, parent: Path
) -> None:
    start = load_parent(parent, 1)
    assert start is not None
    settings = start.model_settings(ModelSettings(dropout=0.4))
    assert (settings.hidden_size, settings.layers, settings.dropout) == (12, 2, 0.4)
    own = weights_of(parent)
    for path, fresh in ((dataset, set()), (ss3_dataset, {"heads.0.weight", "heads.0.bias"})):
        data = load_training_data(path, settings, SHORT)
        weights = new_fitting(data, settings, SHORT, parent=start).model.state_dict()
        differing = {
            name
            for name, value in weights.items()
            if value.shape != own[name].shape or not np.array_equal(value.numpy(), own[name])
        }
        assert differing == fresh


@pytest.mark.parametrize(
    ("freeze", "changed"),
    [
        ("stem", {"network.layers.0", "network.layers.1", "heads.0"}),
        ("1", {"network.layers.1", "heads.0"}),
        ("all", {"heads.0"}),
    ],
)
def test_frozen_weights_stay(
    ss3_dataset: Path, parent: Path, tmp_path: Path, freeze: str, changed: set[str]
) -> None:
    settings = SHORT.model_copy(update={"freeze": freeze})
    child = train_model(
        ss3_dataset, tmp_path / "child", ModelSettings(), settings, parent=parent, device="cpu"
    )
    own, theirs = weights_of(child), weights_of(parent)
    different = {
        name
        for name, value in own.items()
        if value.shape != theirs[name].shape or not np.array_equal(value, theirs[name])
    }
    assert {".".join(name.split(".")[: 3 if "layers" in name else 2]) for name in different} == (
        changed
    )


def test_a_child_says_where_it_came_from_and_remembers_all_training_sequences(
    dataset: Path, ss3_dataset: Path, parent: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    known = list(read_records(ss3_dataset))
    left_out = next(record for record in known if record.split == "train")
    fewer = tmp_path / "fewer.parquet"
    write_dataset(fewer, read_header(ss3_dataset), [r for r in known if r is not left_out])
    with caplog.at_level(logging.INFO, logger="grubio"):
        child = train_model(
            fewer, tmp_path / "child", ModelSettings(), SHORT, parent=parent, device="cpu"
        )
    assert "starting from parent; fresh heads: labels" in caplog.text
    origin = json.loads((child / "model.json").read_text("utf-8"))["training"]["from"]
    assert origin["name"] == "parent"
    assert origin["weights_sha256"] == load_bundle(parent).metadata["weights_sha256"]
    assert origin["heads"] == []
    assert origin["held_out"][0]["seen"] == 0
    assert "Started from `parent`" in (child / "CARD.md").read_text("utf-8")
    metadata = load_bundle(child).metadata
    assert [s.model for s in read_sketches(child, metadata, "child")] == ["child", "parent"]
    assert (child / SKETCH_FILE).stat().st_size < 200_000
    # The training records of the parent, as a test set, are found.
    records = [
        dataclasses.replace(r, split={"train": "test", "test": "train"}.get(str(r.split), r.split))
        for r in known
    ]
    swapped = tmp_path / "swapped.parquet"
    write_dataset(swapped, read_header(ss3_dataset), records)
    metrics = evaluate_model(
        child, swapped, tmp_path / "scores", EvaluationSettings(bootstrap=10), device="cpu"
    )
    tested = sum(record.split == "test" for record in records)
    assert [(one.model, one.records, one.seen) for one in metrics.training_overlap] == [
        ("child", tested, tested - 1),
        ("parent", tested, tested),
    ]
    assert f"{tested} were in the training data of parent" in caplog.text


def test_an_ensemble_remembers_models_of_one_name_and_the_same_sequences_once(
    dataset: Path, parent: Path, tmp_path: Path
) -> None:
    bundle = load_bundle(parent)
    own = read_sketches(parent, bundle.metadata, "parent")[0]
    one, other = (
        sketch_of("first", [sequence], PROTEIN) for sequence in ("MKTAYIAKQRQISF", "GLSDGEWQLVLNVW")
    )
    behind = ([one], [other, dataclasses.replace(one, model="same as first")])
    members = [tmp_path / "a", tmp_path / "b"]
    for folder, sketches in zip(members, behind, strict=True):
        save_bundle(folder, bundle, bundle.metadata["training"], [own, *sketches])
    both = combine_models(members, dataset, tmp_path / "both", threads=1)
    found = read_sketches(both, load_bundle(both).metadata, "both")
    assert [sketch.model for sketch in found] == ["both", "first", "first"]
    assert [s.sequences.tolist() for s in found[1:] if s.sequences is not None] == [
        s.sequences.tolist() for s in (one, other) if s.sequences is not None
    ]


def test_a_run_is_resumed_only_from_the_same_parent(
    ss3_dataset: Path,
    parent: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(start: Path) -> str:
        caplog.clear()
        with caplog.at_level(logging.INFO, logger="grubio"), pytest.raises(GrubioError):
            train_model(
                ss3_dataset, tmp_path / "a", ModelSettings(), SHORT, parent=start, device="cpu"
            )
        return caplog.text

    def fail(*_: object) -> None:
        raise GrubioError("stopped before the model was saved")

    other = shutil.copytree(parent, tmp_path / "other")
    monkeypatch.setattr("grubio.training.train._save_best", fail)
    assert "resuming" not in run(parent)
    assert "resuming from the checkpoint" in run(parent)
    assert "resuming" not in run(other)


def test_members_of_an_ensemble_start_from_one_parent_with_different_heads(
    ss3_dataset: Path, parent: Path, tmp_path: Path
) -> None:
    members = [
        train_model(
            ss3_dataset,
            tmp_path / f"member{seed}",
            ModelSettings(),
            SHORT.model_copy(update={"seed": seed, "freeze": "all"}),
            parent=parent,
            device="cpu",
        )
        for seed in (1, 2)
    ]
    one, other = map(weights_of, members)
    assert not np.array_equal(one["heads.0.weight"], other["heads.0.weight"])
    both = combine_models(members, ss3_dataset, tmp_path / "both")
    sketches = read_sketches(both, load_bundle(both).metadata, "both")
    # The parent has learned from the same sequences.
    assert [sketch.model for sketch in sketches] == ["both"]
    # An ensemble is a parent too: the seed chooses the member.
    for seed, member in ((1, one), (2, other), (3, one)):
        start = load_parent(both, seed)
        assert start is not None
        weights = start.labeller.state_dict()
        assert np.array_equal(weights["heads.0.weight"].numpy(), member["heads.0.weight"])


def test_weights_are_averaged_of_models_with_one_start_and_a_warning_tells_of_others(
    dataset: Path, parent: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def trained(seed: int, start: Path | None, hidden_size: int = 12) -> Path:
        settings = SMALL.model_copy(update={"hidden_size": hidden_size})
        return train_model(
            dataset,
            tmp_path / f"{seed}-{hidden_size}-{start is None}",
            ModelSettings() if start else settings,
            SHORT.model_copy(update={"seed": seed}),
            parent=start,
            device="cpu",
            threads=1,
        )

    children = [trained(seed, parent) for seed in (1, 2)]
    folder = combine_models(children, dataset, tmp_path / "mean", average_weights=True, threads=1)
    mean, one, other = load_bundle(folder), *map(load_bundle, children)
    assert mean.architectures == one.architectures
    for name, weight in mean.weights.items():
        np.testing.assert_allclose(weight, (one.weights[name] + other.weights[name]) / 2, rtol=1e-6)
    training = mean.metadata["training"]
    assert training["members"] == [b.metadata["weights_sha256"] for b in (one, other)]
    assert training["valid_score"] >= min(
        bundle.metadata["training"]["valid_score"] for bundle in (one, other)
    )
    assert "the mean of the weights" not in caplog.text
    strangers = [trained(seed, None) for seed in (3, 4)]
    combine_models(strangers, dataset, tmp_path / "others", average_weights=True, threads=1)
    assert "the mean of the weights has a validation score of 0." in caplog.text
    wider = [children[0], trained(5, None, 16)]
    output = tmp_path / "refused"
    with pytest.raises(GrubioError, match="networks of one shape"):
        combine_models(wider, dataset, output, average_weights=True, threads=1)
    assert not output.exists()


def test_the_mean_of_weights_stored_as_float16_can_be_stored_as_float32(
    dataset: Path, parent: Path, tmp_path: Path
) -> None:
    children = [
        train_model(
            dataset,
            tmp_path / str(seed),
            ModelSettings(),
            SHORT.model_copy(update={"seed": seed, "weight_precision": "16"}),
            parent=parent,
            device="cpu",
            threads=1,
        )
        for seed in (1, 2)
    ]
    as_asked: list[tuple[WeightPrecision | None, type]] = [(None, np.float16), ("32", np.float32)]
    for given, stored in as_asked:
        folder = combine_models(
            children,
            dataset,
            tmp_path / stored.__name__,
            average_weights=True,
            weight_precision=given,
            threads=1,
        )
        one, other, mean = map(weights_of, (*children, folder))
        for name, weight in mean.items():
            exact = (one[name] + other[name]) / 2
            np.testing.assert_array_equal(weight, exact.astype(stored))
        kept = load_file(folder / WEIGHTS_FILE)
        assert {weight.dtype for weight in kept.values()} == {np.dtype(stored)}


def test_what_does_not_fit_is_named(dataset: Path, parent: Path, tmp_path: Path) -> None:
    asked = ModelSettings(hidden_size=16, layers=2, network="conv")
    with pytest.raises(GrubioError) as caught:
        train_model(dataset, tmp_path / "a", asked, SHORT, parent=parent, device="cpu")
    assert "hidden_size is 12, and 16 was asked for" in str(caught.value)
    assert "network is gru, and conv was asked for" in str(caught.value)
    assert "layers" not in str(caught.value)
    dna = tmp_path / "dna.parquet"
    records = [dataclasses.replace(r, sequence="A" * len(r)) for r in read_records(dataset)]
    write_dataset(dna, dataclasses.replace(read_header(dataset), alphabet=DNA), records)
    with pytest.raises(GrubioError, match=r"reads protein, and .* holds DNA sequences"):
        train_model(dna, tmp_path / "b", ModelSettings(), SHORT, parent=parent, device="cpu")
    frozen = SHORT.model_copy(update={"freeze": "3"})
    with pytest.raises(GrubioError, match="the network has 2 layers, 3 were asked for"):
        train_model(dataset, tmp_path / "c", ModelSettings(), frozen, parent=parent, device="cpu")
    with pytest.raises(GrubioError, match="fresh weights would stay as they were drawn"):
        train_model(dataset, tmp_path / "d", SMALL, frozen, device="cpu")
    assert not list(tmp_path.glob("[a-d]/model"))


@pytest.mark.parametrize("network", NETWORKS)
def test_rates_fall_with_depth_and_every_weight_has_one(network: str) -> None:
    architecture = Architecture(network, 8, 2, 0.1, 4, 3)  # type: ignore[arg-type]
    targets = [Target("labels", "classes", SS3)]
    labeller = new_labeller(architecture, targets, PROTEIN.channel_table)
    assert isinstance(labeller, Labeller)
    settings = TrainingSettings(learning_rate=0.8, layer_decay=0.5)
    groups = by_learning_rate(labeller, torch.nn.ModuleDict(), settings)
    rate_of = {id(p): group["lr"] for group in groups for p in group["params"]}
    assert rate_of.keys() == {id(parameter) for parameter in labeller.parameters()}
    assert {rate_of[id(p)] for p in labeller.network.stem.parameters()} == {0.1}
    assert {rate_of[id(p)] for p in labeller.network.layers[0].parameters()} == {0.2}  # type: ignore[index, union-attr]
    assert {rate_of[id(p)] for p in labeller.heads.parameters()} == {0.8}
    freeze_weights(labeller, TrainingSettings(freeze="1"))
    assert {p.requires_grad for p in labeller.network.layers[0].parameters()} == {False}  # type: ignore[index, union-attr]
    assert {p.requires_grad for p in labeller.network.layers[1].parameters()} == {True}  # type: ignore[index, union-attr]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("stem_channels", [0, 4])
def test_profiles_are_read_in_addition_and_begin_with_the_answers_of_the_parent(
    network: str, stem_channels: int
) -> None:
    targets = [Target("labels", "classes", SS3)]
    plain = Architecture(network, 8, 2, 0.0, stem_channels, 3, "dot")  # type: ignore[arg-type]
    both = dataclasses.replace(plain, inputs=("onehot", "profile"))
    table = PROTEIN.channel_table
    own, wide = (new_labeller(shape, targets, table) for shape in (plain, both))
    assert isinstance(own, Labeller)
    assert isinstance(wide, Labeller)
    start = Parent(Path(), "parent", own, PROTEIN, {})
    asked = ModelSettings(inputs=("onehot", "profile"))
    assert start.model_settings(asked).inputs == ("onehot", "profile")
    start.give_weights(wide)
    generator = torch.Generator().manual_seed(1)
    codes, lengths = torch.randint(20, (30, 2), generator=generator), torch.tensor([30, 25])
    profiles = torch.rand((30, 2, 20), generator=generator)
    found, expected = wide(codes, lengths, profiles), own(codes, lengths)
    inside = torch.arange(30)[:, None] < lengths
    assert torch.allclose(found["labels"][inside], expected["labels"][inside], atol=1e-6)
    # The new weights learn.
    found["labels"][inside].square().mean().backward()
    before = [wide.state_dict()[name].shape for name in own.state_dict()]
    assert before != [weight.shape for weight in own.state_dict().values()]
    optimiser = torch.optim.SGD(wide.parameters(), lr=0.1)
    optimiser.step()
    moved = wide(codes, lengths, profiles)["labels"] - wide(codes, lengths, 0 * profiles)["labels"]
    assert moved[inside].abs().max() > 0
