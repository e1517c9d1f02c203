"""What holds for every network of the registry once it is trained."""

from __future__ import annotations

import csv
import logging
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from safetensors.numpy import load_file
from scipy.special import log_softmax

from grubio.config import ModelSettings, TrainingSettings
from grubio.datasets.parquet import read_header, read_records, write_dataset
from grubio.inference.predictor import Predictor
from grubio.model.bundle import load_bundle
from grubio.model.networks.registry import NETWORKS, AttentionName, NetworkName
from grubio.sequences.record import Record
from grubio.training.ensemble import combine_models
from grubio.training.lightning_module import Fitting
from grubio.training.train import train_model

# The whole suite holds for each network; with attention it holds for one of them, of each kind.
SHAPES = (*((name, "none") for name in NETWORKS), ("rnn", "additive"), ("rnn", "dot"))
every_shape = pytest.mark.parametrize("shape", SHAPES, ids="+".join)
Shape: TypeAlias = tuple[NetworkName, AttentionName]


@pytest.fixture(scope="module")
def few(chains: list[Record], dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shortest chains: sixty to train on, twenty for validation and for the test."""
    path = tmp_path_factory.mktemp("few") / "split.parquet"
    shortest = [sorted(part, key=len) for part in (chains[:200], chains[200:250], chains[250:])]
    kept = [*shortest[0][:60], *shortest[1][:20], *shortest[2][:20]]
    write_dataset(path, read_header(dataset), kept)
    return path


def trained(
    shape: Shape, dataset: Path, folder: Path, teacher: Path | None = None, **changed: Any
) -> Path:
    network, attention = shape
    model = ModelSettings(
        network=network, attention=attention, hidden_size=8, layers=2, stem_channels=8
    )
    settings = TrainingSettings(epochs=2, batch_residues=1000).model_copy(update=changed)
    return train_model(dataset, folder, model, settings, teacher=teacher, device="cpu", threads=1)


@pytest.fixture(scope="module")
def models(few: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[Shape, list[Path]]:
    """Two models of each network, of two seeds."""
    folder = tmp_path_factory.mktemp("models")
    return {
        shape: [
            trained(shape, few, folder / "+".join(shape) / str(seed), seed=seed) for seed in (1, 2)
        ]
        for shape in SHAPES
    }


def probabilities(model: Path, dataset: Path) -> np.ndarray:
    records = list(read_records(dataset, "test"))
    # The probabilities of the network alone: those under the grammar are no mean of two others.
    answers = Predictor(load_bundle(model), "cpu", 1, grammar=False).predict(records)
    return np.concatenate([answer.probabilities for answer in answers])


@every_shape
def test_it_learns_and_its_bundle_names_it(shape: Shape, models: dict[Shape, list[Path]]) -> None:
    folder = models[shape][0]
    bundle = load_bundle(folder)
    network = bundle.metadata["network"]
    assert (network["name"], network["settings"]["attention"]) == shape
    assert bundle.metadata["kind"] == "sequences"
    with open(folder.parent / "history.csv") as lines:
        first, last = csv.DictReader(lines)
    assert float(last["train_loss"]) < float(first["train_loss"])
    assert float(last["valid_loss"]) < float(first["valid_loss"])


@every_shape
def test_a_stopped_run_goes_on_and_ends_with_the_same_weights(
    shape: Shape,
    models: dict[Shape, list[Path]],
    few: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Stopped(Exception):
        pass

    def stop(fitting: Fitting) -> None:
        if fitting.current_epoch == 1:
            raise Stopped

    with monkeypatch.context() as patched, pytest.raises(Stopped):
        patched.setattr(Fitting, "on_train_epoch_start", stop)
        trained(shape, few, tmp_path, seed=1)
    assert (tmp_path / "checkpoints" / "last.ckpt").exists()
    with caplog.at_level(logging.INFO):
        again = trained(shape, few, tmp_path, seed=1)
    assert "resuming from the checkpoint" in caplog.text
    ours = load_file(again / "weights.safetensors")
    theirs = load_file(models[shape][0] / "weights.safetensors")
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(value, theirs[key]) for key, value in ours.items())


@every_shape
def test_models_of_two_seeds_are_an_ensemble(
    shape: Shape, models: dict[Shape, list[Path]], few: Path, tmp_path: Path
) -> None:
    combined = combine_models(models[shape], few, tmp_path, threads=1)
    bundle = load_bundle(combined)
    assert bundle.members == bundle.metadata["members"] == 2
    # Logarithms of probabilities times the temperature are logits but for a constant.
    logits = [
        log_softmax(
            np.log(probabilities(path, few)) * load_bundle(path).calibration().temperature, axis=1
        )
        for path in (*models[shape], combined)
    ]
    mean = log_softmax((logits[0] + logits[1]) / 2, axis=1)
    assert np.abs(logits[2] - mean).max() < 1e-3


def test_different_networks_are_an_ensemble(
    models: dict[Shape, list[Path]], few: Path, tmp_path: Path
) -> None:
    own = [models[shape][0] for shape in (("gru", "none"), ("rnn", "dot"))]
    bundle = load_bundle(combine_models(own, few, tmp_path, threads=1))
    assert [a.network for a in bundle.architectures] == ["gru", "rnn"]
    singles = [load_bundle(path).weights for path in own]
    for member, weights in zip(bundle.single_models, singles, strict=True):
        assert all(np.array_equal(member.weights[name], w) for name, w in weights.items())


@every_shape
def test_it_learns_from_a_teacher_and_teaches(
    shape: Shape, models: dict[Shape, list[Path]], few: Path, tmp_path: Path
) -> None:
    teacher = models[shape][0]
    wanted = probabilities(teacher, few)
    settings = {"epochs": 4, "batch_residues": 500, "seed": 5, "learning_rate": 0.01}
    near = trained(shape, few, tmp_path / "all", teacher, teacher_weight=1.0, **settings)
    far = trained(shape, few, tmp_path / "none", teacher, teacher_weight=0.0, **settings)
    distances = [np.abs(probabilities(path, few) - wanted).mean() for path in (near, far)]
    assert distances[0] < 0.8 * distances[1]
    assert (
        load_bundle(near).metadata["training"]["teacher_sha256"]
        == load_bundle(teacher).metadata["weights_sha256"]
    )
