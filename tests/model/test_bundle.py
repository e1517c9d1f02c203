"""A model that is damaged on the disk, and a device that is not there."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from grubio.errors import GrubioError
from grubio.model.bundle import METADATA_FILE, WEIGHTS_FILE, load_bundle

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
