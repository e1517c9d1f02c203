"""The precision of a training: chosen for the device, kept in the model, resumed exactly."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from grubio.config import ModelSettings, TrainingSettings
from grubio.errors import GrubioError
from grubio.model.bundle import load_bundle
from grubio.training import precision
from grubio.training.ensemble import combine_models
from grubio.training.lightning_module import Fitting
from grubio.training.train import train_model

SMALL = ModelSettings(hidden_size=16, layers=2)
no_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")


def trained(dataset: Path, folder: Path, wanted: str, device: str = "cpu") -> dict[str, np.ndarray]:
    settings = TrainingSettings(epochs=2, batch_residues=4000, precision=wanted)
    return load_file(
        train_model(dataset, folder, SMALL, settings, device=device, threads=1)
        / "weights.safetensors"
    )


def kept(folder: Path) -> dict[str, object]:
    return json.loads((folder / "model" / "model.json").read_text())["training"]


@pytest.mark.parametrize(
    ("wanted", "device", "instructions", "expected"),
    [
        ("auto", "cpu", True, "bf16"),
        ("auto", "cpu", False, "32"),
        ("auto", "cuda", True, "bf16"),
        ("auto", "cuda", False, "16"),
        ("auto", "mps", True, "32"),
        ("32", "cpu", True, "32"),
        ("bf16", "cpu", False, "bf16"),
        ("16", "cuda", True, "16"),
    ],
)
def test_auto_is_the_fastest_that_a_device_has(
    wanted: str, device: str, instructions: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "multiplies_bfloat16", lambda: instructions)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: instructions)
    assert precision.precision_for(wanted, device) == expected


def test_a_processor_is_asked_and_an_older_pytorch_knows_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    for has in names:
        for name in names:
            monkeypatch.setattr(torch.cpu, name, lambda found=name == has: found, raising=False)
        assert precision.multiplies_bfloat16()
    for name in names:
        monkeypatch.delattr(torch.cpu, name)
    assert not precision.multiplies_bfloat16()


def test_float16_is_not_for_cpus(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(GrubioError, match="a CPU has no precision 16"):
        trained(dataset, tmp_path / "run", "16")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("given", [32, "32", "bf16", "bf16-mixed", "16", "16-mixed"])
def test_numbers_and_former_words_are_read(given: str | int) -> None:
    settings = TrainingSettings.model_validate({"precision": given})
    assert settings.precision == str(given).removesuffix("-mixed")


@pytest.mark.parametrize("wanted", ["32", "bf16"])
def test_a_stopped_run_ends_with_the_same_weights(
    wanted: str, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(Exception):
        pass

    def stop(fitting: Fitting) -> None:
        if fitting.current_epoch == 1:
            raise Stopped

    whole = trained(dataset, tmp_path / "whole", wanted)
    with monkeypatch.context() as patched, pytest.raises(Stopped):
        patched.setattr(Fitting, "on_train_epoch_start", stop)
        trained(dataset, tmp_path / "stopped", wanted)
    assert (tmp_path / "stopped" / "checkpoints" / "last.ckpt").exists()
    resumed = trained(dataset, tmp_path / "stopped", wanted)
    assert all(np.array_equal(value, whole[name]) for name, value in resumed.items())
    assert all(value.dtype == np.float32 for value in whole.values())
    training = kept(tmp_path / "whole")
    assert training["precision"] == wanted
    assert training["settings"]["precision"] == wanted


def test_bfloat16_learns_as_much_as_float32(dataset: Path, tmp_path: Path) -> None:
    weights = {wanted: trained(dataset, tmp_path / wanted, wanted) for wanted in ("32", "bf16")}
    assert any(
        not np.array_equal(value, weights["bf16"][name]) for name, value in weights["32"].items()
    )
    scores = [kept(tmp_path / wanted)["valid_score"] for wanted in weights]
    # Seeds differ by more.
    assert scores[0] == pytest.approx(scores[1], abs=0.02)


@no_gpu
@pytest.mark.parametrize("wanted", ["auto", "bf16", "16", "32"])
def test_a_gpu_learns_as_much_in_every_precision(
    wanted: str, dataset: Path, tmp_path: Path
) -> None:
    trained(dataset, tmp_path / "gpu", wanted, "cuda")
    trained(dataset, tmp_path / "cpu", "32")
    there, here = kept(tmp_path / "gpu"), kept(tmp_path / "cpu")
    assert there["precision"] == (wanted if wanted != "auto" else there["precision"])
    assert there["device"] == "cuda"
    assert there["valid_score"] == pytest.approx(here["valid_score"], abs=0.03)


def test_a_model_trained_or_combined_in_half_precision_has_rounded_weights(
    dataset: Path, tmp_path: Path
) -> None:
    shape = ModelSettings(hidden_size=4, layers=1, stem_channels=0)
    settings = TrainingSettings(epochs=1, batch_residues=4000, weight_precision=16)
    one = train_model(dataset, tmp_path / "one", shape, settings, device="cpu", threads=1)
    again = shutil.copytree(one, tmp_path / "again")
    two = combine_models([one, again], dataset, tmp_path / "two", threads=1)
    full = combine_models(
        [one, again], dataset, tmp_path / "full", weight_precision="32", threads=1
    )
    kept = {"one": one, "two": two, "full": full}
    for name, model in kept.items():
        bundle, stored = load_bundle(model), load_file(model / "weights.safetensors")
        own = np.float32 if name == "full" else np.float16
        assert {array.dtype for array in stored.values()} == {np.dtype(own)}
        assert bundle.weight_precision == ("32" if name == "full" else "16")
        assert all(np.array_equal(array, stored[key]) for key, array in bundle.weights.items())
