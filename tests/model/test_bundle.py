"""A model that is damaged on the disk, and a device that is not there."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from grubio.errors import GrubioError
from grubio.inference.predictor import Predictor
from grubio.model.bundle import (
    METADATA_FILE,
    WEIGHTS_FILE,
    copy_bundle,
    load_bundle,
    load_metadata,
)
from grubio.model.engines.engine import engine_of
from grubio.model.labeller import members_of, model_of
from grubio.model.training_sketch import read_sketches
from grubio.model.zoo import bundled_models
from grubio.sequences.record import Record

Run = Callable[..., subprocess.CompletedProcess[str]]


def cut_short(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes, at: int) -> bytes:
    changed = bytearray(content)
    changed[at] ^= 0x04
    return bytes(changed)


@pytest.fixture
def model(run_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run_folder / "model", tmp_path / "model"))


@pytest.mark.parametrize("name", [WEIGHTS_FILE, METADATA_FILE])
@pytest.mark.parametrize(
    "damage",
    [cut_short, lambda content: b"", lambda content: flipped(content, len(content) // 2)],
    ids=["cut short", "empty", "byte flipped"],
)
def test_a_damaged_file_is_named(
    model: Path, name: str, damage: Callable[[bytes], bytes], grubio: Run
) -> None:
    path = model / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(GrubioError) as refused:
        load_bundle(model)
    message = str(refused.value)
    assert str(path) in message
    assert len(message.split("\nhint: ")[0].splitlines()) == 1


def test_every_flipped_byte_of_the_metadata_is_noticed(model: Path) -> None:
    path = model / METADATA_FILE
    whole = path.read_bytes()
    expected = dict(load_bundle(model).metadata)
    del expected["sha256"]
    unnoticed = []
    for at in range(0, len(whole), 7):
        path.write_bytes(flipped(whole, at))
        try:
            found = load_bundle(model).metadata
        except GrubioError:
            continue
        # What is left is the name of the checksum, or a space.
        if {key: found.get(key) for key in expected} != expected:
            unnoticed.append(whole[max(at - 20, 0) : at + 20])
    assert not unnoticed


def test_the_command_says_it_in_one_line(model: Path, grubio: Run, tmp_path: Path) -> None:
    (tmp_path / "in.fasta").write_text(">a\nMKTAYIAK\n")
    path = model / WEIGHTS_FILE
    path.write_bytes(cut_short(path.read_bytes()))
    done = grubio("predict", "in.fasta", "-m", "model")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[0].startswith(f"error: model/{WEIGHTS_FILE}: is damaged")
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there(model: Path, grubio: Run, tmp_path: Path) -> None:
    (tmp_path / "in.fasta").write_text(">a\nMKTAYIAK\n")
    done = grubio("predict", "in.fasta", "-m", "model", "--device", "cuda", "-o", "out.tsv")
    assert done.returncode == 2
    assert "error: device 'cuda' was asked for, but this machine has cpu" in done.stderr
    assert "hint: use --device auto" in done.stderr
    assert not (tmp_path / "out.tsv").exists()
    done = grubio("predict", "in.fasta", "-m", "model", "--device", "auto", "-o", "out.tsv")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.tsv").exists()


def test_weights_that_do_not_fit_the_network_are_refused() -> None:
    bundle = load_bundle(bundled_models()["ecoli-genes"])
    missing = {name: array for name, array in bundle.weights.items() if name != "heads.0.bias"}
    narrow = bundle.weights | {"heads.0.weight": bundle.weights["heads.0.weight"][:, 1:]}
    further = bundle.weights | {"heads.1.bias": np.zeros(1, np.float32)}
    assert engine_of(bundle)
    for weights in (missing, narrow, further):
        with pytest.raises(GrubioError, match="the weights of ecoli-genes do not fit its network"):
            engine_of(replace(bundle, weights=weights))


def test_bundles_of_format_1_are_read_as_the_newest() -> None:
    genes = load_bundle(bundled_models()["ecoli-genes"])
    assert (genes.metadata["kind"], genes.sites, len(genes.targets)) == ("genome", {}, 1)
    assert len(members_of(model_of(genes))) == genes.members == genes.metadata["members"] == 1
    assert genes.calibrations.keys() == {target.name for target in genes.targets}
    # What a model of proteins had beside its weights.
    protein = load_metadata(Path(__file__).with_name("format_1"))
    named = [(t["name"], t["kind"], "temperature" in t) for t in protein["targets"]]
    assert named == [("labels", "classes", True), ("accessibility", "value", False)]
    assert protein["targets"][1]["weight"] == 0.3
    assert (protein["members"], protein["kind"]) == (1, "sequences")
    for metadata in (genes.metadata, protein):
        assert metadata["format"] == 1
        assert metadata["network"]["name"] == "gru"
        assert metadata["inputs"] == ["onehot"]


def test_a_bundle_of_format_1_that_lacks_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / METADATA_FILE).write_text('{"format": 1, "alphabet": "dna"}')
    with pytest.raises(GrubioError, match=r"not a model that this grubio .* knows: 'architecture'"):
        load_metadata(tmp_path)


def test_weights_of_half_precision_are_half_the_size_and_label_alike(
    model: Path, chains: list[Record], tmp_path: Path
) -> None:
    half = tmp_path / "half"
    copy_bundle(model, half, "16")
    sizes = [(folder / WEIGHTS_FILE).stat().st_size for folder in (model, half)]
    assert sizes[1] < 0.55 * sizes[0]
    metadata = load_metadata(half)
    assert metadata["weight_precision"] == "16"
    assert (half / "CARD.md").read_text() == (model / "CARD.md").read_text()
    assert len(read_sketches(half, metadata, "half")) == 1
    found = load_bundle(half)
    assert {array.dtype for array in found.weights.values()} == {np.dtype(np.float32)}
    records = chains[:60]
    before, after = (
        "".join(one.labels() for one in Predictor(load_bundle(folder), "cpu", 1).predict(records))
        for folder in (model, half)
    )
    differing = sum(one != other for one, other in zip(before, after, strict=True))
    assert differing <= 0.001 * len(before)
    # Copies of copies, and back to float32, have the same weights, and so the same answers.
    for precision in (None, "32"):
        copy_bundle(half, tmp_path / "again", precision)
        again = load_bundle(tmp_path / "again")
        assert again.weight_precision == (precision or "16")
        assert all(np.array_equal(again.weights[name], w) for name, w in found.weights.items())


def test_a_copy_of_a_bundled_model_labels_as_it_does(tmp_path: Path) -> None:
    # It is of the first format.
    source = bundled_models()["ecoli-genes"]
    record = Record("one", "", "ATGAAACGCATTAGC" * 20)
    copy_bundle(source, tmp_path)
    found, expected = (
        next(Predictor(load_bundle(folder), "cpu", 1).predict([record])).probabilities
        for folder in (tmp_path, source)
    )
    assert np.array_equal(found, expected)


def test_a_damaged_weight_of_half_precision_is_noticed(model: Path, tmp_path: Path) -> None:
    copy_bundle(model, tmp_path / "half", "16")
    path = tmp_path / "half" / WEIGHTS_FILE
    path.write_bytes(flipped(path.read_bytes(), -20))
    with pytest.raises(GrubioError, match="is damaged"):
        load_bundle(tmp_path / "half")


def test_weights_beyond_float16_are_refused(model: Path) -> None:
    bundle = load_bundle(model)
    weights = {name: 1e6 * array for name, array in bundle.weights.items()}
    with pytest.raises(GrubioError, match=r"larger than 65504"):
        replace(bundle, weights=weights).stored_in("16")


def test_no_copy_replaces_its_model(model: Path) -> None:
    with pytest.raises(GrubioError, match="input"):
        copy_bundle(model, model, "16")
