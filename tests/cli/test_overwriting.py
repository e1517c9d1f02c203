"""No command overwrites what it reads, however it is spelled; two outputs are two files."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grubio.cli import command_line
from grubio.errors import GrubioError
from grubio.model.zoo import find_model

Runner = Callable[..., subprocess.CompletedProcess[str]]

FASTA = ">a one\nMKTAYIAKQR\n>b\nGSHMGLEDPV\n"

SPELLINGS = {
    "the same": lambda here: "in.fasta",
    "with a dot": lambda here: "./in.fasta",
    "by another folder": lambda here: f"../{here.name}/in.fasta",
    "absolute": lambda here: str(here / "in.fasta"),
    "a link": lambda here: linked(here, "link.fasta"),
    "a link to a link": lambda here: linked(here, linked(here, "link.fasta"), "more.fasta"),
    "in a linked folder": lambda here: f"{linked(here, 'folder', '.')}/in.fasta",
    "a hard link": lambda here: hard_linked(here, "hard.fasta"),
}

# A word with an = is an output; the other X is the input that it must not be.
COMMANDS = [
    "predict X -o=X",
    "predict X -o=out.tsv -o=X",
    "predict X --summary=X",
    "predict X --segments=X",
    "predict X --html=X",
    "predict X -o out.tsv --log=X",
    "plan X --log=X",
    "view X -o=X",
    "prepare X -o=X",
    "prepare X -o out --summary=X",
    "prepare a b X -o=X",
    "prepare a --target depth=0..1@in.fasta -o=X",
    "prepare a --target depth=0..1@in.fasta -o out --log=X",
    "prepare a --labels X -o=X",
    "prepare a --format genome --annotation b --annotation X -o=X",
    "split X -o=X",
    "split X -o out --audit=X",
    "split a --exclude X -o out --removed=X",
    "split a --train-also X -o=X",
    "train X -o out --log=X",
    "combine a b --dataset X -o out --log=X",
    "evaluate -m protein-ss -d X -o out --log=X",
    "motifs -m protein-ss -d X -o out --log=X",
    "report . --log=metrics.json",
    "report . -o=metrics.json",
    "compare a . -o=metrics.json",
    "compare a . -o out --html=model/model.json",
    "fetch X -o=X",
    "shards cut X --shards 2 -m protein-ss -o out --log=X",
    "shards label X -m protein-ss -o=X",
    "shards gather a X -m protein-ss -o=X",
]


def linked(here: Path, name: str, target: str = "in.fasta") -> str:
    if target not in ("in.fasta", "."):
        name, target = target, name
    (here / name).symlink_to(target)
    return name


def hard_linked(here: Path, name: str) -> str:
    os.link(here / "in.fasta", here / name)
    return name


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    for name in ("in.fasta", "metrics.json", "model/model.json"):
        (tmp_path / name).write_text(FASTA)
    return tmp_path


def refused(*arguments: str) -> str:
    with pytest.raises(GrubioError) as error:
        command_line()(arguments, prog_name="grubio")
    return str(error.value)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_overwrites_an_input(here: Path, command: str) -> None:
    before = sorted(here.rglob("*"))
    words = command.replace("=X", "=./in.fasta").replace(" X", " in.fasta")
    message = refused(*re.sub(r"( --?\w+)=", r"\1 ", words).split())
    assert "is read as the input" in message
    assert "hint: give the output another name" in message
    assert sorted(here.rglob("*")) == before
    assert all(path.read_text() == FASTA for path in before if path.is_file())


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_file_is_known_by_every_spelling(here: Path, spelling: str) -> None:
    path = SPELLINGS[spelling](here)
    assert path in refused("predict", "in.fasta", "-o", path)
    assert "in.fasta" in refused("predict", path, "-o", "in.fasta")
    assert (here / "in.fasta").read_text() == FASTA


def test_standard_streams_are_files_as_well(here: Path) -> None:
    program = [sys.executable, "-m", "grubio"]
    for words, stdin, stdout in (
        (["predict", "-", "-o", "in.fasta"], "in.fasta", os.devnull),
        (["predict", "in.fasta"], os.devnull, "in.fasta"),
    ):
        with open(stdin) as given, open(stdout, "a") as taken:
            done = subprocess.run(
                [*program, *words], stdin=given, stdout=taken, stderr=subprocess.PIPE, text=True
            )
        assert done.returncode == 2
        assert "is read as the input" in done.stderr
    assert (here / "in.fasta").read_text() == FASTA


def test_a_model_is_an_input(here: Path) -> None:
    (here / "mine").symlink_to(find_model("protein-ss-fast"))
    message = refused("predict", "in.fasta", "-m", "mine", "-o", "mine/model.json")
    assert "is read as the input" in message
    # Beside the model there is room for other files.
    assert "no such file" in refused("predict", "none.fasta", "-m", "mine", "-o", "model/out.tsv")


@pytest.mark.parametrize(
    "command",
    [
        "predict in.fasta -o out.tsv -o ./out.tsv",
        "predict in.fasta -o out.tsv --summary link.tsv",
        "predict in.fasta -o new/out.tsv --log new/../new/out.tsv",
        "split in.fasta -o out.parquet --audit out.parquet",
        "compare a b -o out --figure out",
    ],
)
def test_two_outputs_are_two_files(here: Path, command: str) -> None:
    (here / "link.tsv").symlink_to("out.tsv")
    assert "the same output is given twice" in refused(*command.split())
    assert not (here / "out.tsv").exists()


def test_an_output_has_a_name(here: Path) -> None:
    assert "the name of an output is empty" in refused("predict", "in.fasta", "-o", "")


def test_a_disk_that_ignores_case_has_one_file_of_two_names(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no such file" in refused("predict", "none.fasta", "-o", "a.tsv", "-o", "A.tsv")
    # As such a disk would answer: the folder is there under its name in the other case.
    other = here.with_name(here.name.swapcase())
    other.symlink_to(here)
    assert "given twice" in refused("predict", "none.fasta", "-o", "a.tsv", "-o", "A.tsv")


def test_a_dry_run_says_so(here: Path) -> None:
    message = refused("predict", "in.fasta", "-o", "in.fasta", "--dry-run")
    assert "is read as the input" in message
