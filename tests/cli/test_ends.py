"""How the program ends where its surroundings are not as usual: a message, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from grubio.fetching.embedded import embedded_path
from grubio.readers.fasta import read_fasta

CHAIN = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQVKVKALPDAQFEVV"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.fa").write_text(f">a\n{CHAIN}\n")
    return tmp_path


def shell(command: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which ``grubio`` is this package."""
    program = f'grubio() {{ "{sys.executable}" -m grubio "$@"; }}\n'
    return subprocess.run(
        ["bash", "-c", program + command], capture_output=True, text=True, errors="surrogateescape"
    )


def test_the_package_is_a_program(here: Path) -> None:
    done = shell("grubio --version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("grubio ")


@pytest.mark.parametrize(
    "command", ["predict many.fa -m protein-ss-fast -q", "models list", "summary --help"]
)
def test_a_reader_that_goes_ends_the_program(here: Path, command: str) -> None:
    chains = [record.sequence for record in read_fasta(embedded_path("example-proteins"))]
    many = (f">r{i}\n{chains[i % len(chains)]}\n" for i in range(500))
    (here / "many.fa").write_text("".join(many))
    # Its reader is gone before the first byte is written, and after the first line of many.
    for reader in ("true", "head -1"):
        if reader != "true" and command.startswith(("models", "summary")):
            continue
        done = shell(f"(sleep 0.5; grubio {command}) | {reader}; exit ${{PIPESTATUS[0]}}")
        assert (done.returncode, done.stderr) == (141, "")


def test_closed_streams_are_told_if_they_are_needed(here: Path) -> None:
    done = shell("grubio predict - -o out.tsv <&-")
    assert done.returncode == 2
    assert done.stderr == "error: standard input: cannot be read: Bad file descriptor\n"
    for command in ("predict in.fa -m protein-ss-fast -q", "models list"):
        done = shell(f"grubio {command} >&-")
        assert done.returncode == 2
        assert done.stderr == "error: standard output: Bad file descriptor\n"
    done = shell("grubio predict in.fa -m protein-ss-fast -o out.tsv <&- >&- 2>&-")
    assert done.returncode == 0
    assert len((here / "out.tsv").read_text().splitlines()) == 1 + len(CHAIN)


def test_names_need_not_be_text(here: Path) -> None:
    name = os.fsdecode(b"\xff.fa")
    (here / "in.fa").rename(here / name)
    outputs = " ".join(f"-o $'\\xff.{kind}'" for kind in ("tsv", "parquet"))
    done = shell(f"grubio predict $'\\xff.fa' -m protein-ss-fast {outputs} --log $'\\xff.log'")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "Logging error" not in done.stderr
    assert "\\udcff.tsv" in (here / os.fsdecode(b"\xff.log")).read_text(encoding="utf-8")
    with open(here / os.fsdecode(b"\xff.parquet"), "rb") as written:
        assert pq.read_table(written).num_rows > 0
    # A library that takes UTF-8 alone cannot read it back.
    done = shell("grubio view $'\\xff.parquet' -o page.html")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "\\udcff.parquet" in done.stderr
    assert not (here / "page.html").exists()
    assert shell("grubio fetch $'\\xff.fa'").stdout == f"{name}\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_log_on_a_full_disk_is_told(here: Path) -> None:
    done = shell("grubio predict in.fa -m protein-ss-fast -o out.tsv --log /dev/full")
    assert done.returncode == 2
    assert done.stderr == "error: /dev/full: cannot be written: No space left on device\n"
    assert not (here / "out.tsv").exists()


def test_a_working_folder_that_is_gone_is_told(here: Path) -> None:
    done = shell(f"mkdir gone; cd gone; rmdir ../gone; grubio predict {here}/in.fa")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-2:] == [
        "error: the working folder has been deleted",
        "hint: go to another",
    ]
    assert "Traceback" not in done.stderr
