"""``pip install grubio`` in a fresh environment labels, and says what else needs which extra."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from conftest import REPOSITORY
from grubio.config.formats import FORMATS, formats_of
from grubio.extras import EXTRAS
from test_dependencies import PROJECT

MOST_BYTES = 250e6
PROTEIN = ">a\nMKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQVKVKALPDAQFEVV\n"
CHROMOSOME = ">c\n" + "TTGACAATTAATCATCGGCTCGTATAATGTGTGGAGCCGGCGATCTGGCG" * 8 + "\n"


def needed_by(wanted: Requirement, seen: set[str]) -> Iterator[metadata.Distribution]:
    """The installed distributions of a requirement and of all that it requires here."""
    found = metadata.distribution(wanted.name)
    if found.name in seen:
        return
    seen.add(found.name)
    yield found
    for entry in map(Requirement, found.requires or []):
        for extra in ("", *wanted.extras):
            if not entry.marker or entry.marker.evaluate({"extra": extra}):
                yield from needed_by(entry, seen)


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and what it requires, copied from the environment here."""
    folder = tmp_path_factory.mktemp("light")
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    seen: set[str] = set()
    for wanted in map(Requirement, PROJECT["project"]["dependencies"]):
        for found in needed_by(wanted, seen):
            for file in found.files or ():
                source = Path(str(file.locate()))
                if ".." not in file.parts and source.is_file() and source.suffix != ".pyc":
                    (site / file).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(source, site / file)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True)
    (wheel,) = folder.glob("grubio-*.whl")
    # Without an index, pip fails if a requirement is not among what was copied.
    pip = [sys.executable, "-m", "pip", "--python", folder, "install", "--no-index", wheel]
    done = subprocess.run(pip, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def run(light: Path, *words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a program of the environment; nothing is imported from the checkout."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [str(light / "bin" / str(words[0])), *map(str, words[1:])]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=light, env=environment, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def test_it_is_small_and_without_the_libraries_of_training(light: Path) -> None:
    (site,) = light.glob("lib/python*/site-packages")
    assert sum(file.stat().st_size for file in site.rglob("*") if file.is_file()) <= MOST_BYTES
    names = {module for extra in EXTRAS.values() for module in extra.libraries}
    assert not [name for name in names if (site / name).exists()]


@pytest.mark.parametrize(("kind", "text"), [("sequences", PROTEIN), ("genome", CHROMOSOME)])
def test_it_writes_every_format_that_needs_no_extra(light: Path, kind: str, text: str) -> None:
    outputs = [
        light / f"{kind}.{FORMATS[name].endings[0]}"
        for name in formats_of(kind)  # type: ignore[arg-type]
        # A model without genes has no proteins, whose file is empty.
        if not FORMATS[name].extra and not FORMATS[name].topology and name != "proteins"
    ]
    (light / f"{kind}.fa").write_text(text)
    options = [word for path in outputs for word in ("--output", path)]
    run(light, "grubio", "predict", light / f"{kind}.fa", *options)
    for path in outputs:
        written = list(light.glob(f"{path.stem}*{path.suffix}"))
        assert written, path
        assert all(file.is_dir() or file.stat().st_size for file in written)


def test_commands_say_which_extra_they_need_before_they_do_anything(light: Path) -> None:
    done = run(light, "grubio", "train", "no-such.parquet", "--output", "run", code=2)
    assert done.stderr.startswith("error: grubio train needs PyTorch, Lightning, ")
    assert done.stderr.endswith(": pip install 'grubio[train]'\n")
    assert done.stderr.count("\n") == 1
    assert not (light / "run").exists()
    assert "Usage: grubio train" in run(light, "grubio", "train", "--help").stdout
    done = run(light, "grubio", "workflow", "init", "study", code=2)
    assert "grubio workflow needs PyTorch, " in done.stderr
    assert not (light / "study").exists()


def test_formats_and_options_say_which_extra_they_need(light: Path) -> None:
    (light / "a.fa").write_text(PROTEIN)
    hint = "PyArrow: pip install 'grubio[parquet]'"
    for options, what in (
        (("--output", "a.parquet"), "format parquet"),
        (("--output", "a.tsv", "--resume-folder", "kept"), "--resume-folder"),
    ):
        done = run(light, "grubio", "predict", "a.fa", *options, code=2)
        assert f"error: {what} needs {hint}" in done.stderr
    assert not (light / "a.tsv").exists()
    assert not (light / "kept").exists()


def test_python_says_the_same(light: Path) -> None:
    script = """
from grubio import load
from grubio.errors import GrubioError

model = load("protein-ss-fast")
assert len(model.predict("MKTAYIAKQRQISFVK").labels) == 16
for call in (
    lambda: model.predict("MKTAYIAKQRQISFVK").to_pandas(),
    lambda: load("protein-ss-fast", device="cuda"),
    lambda: __import__("grubio.training.train"),
    lambda: __import__("grubio.splits.split"),
):
    try:
        call()
    except GrubioError as error:
        print(error)
    else:
        print("no error")
"""
    lines = run(light, "python", "-c", script).stdout.splitlines()
    assert lines[0] == "to_pandas() needs pandas: pip install 'grubio[pandas]'"
    assert lines[1].endswith(" needs PyTorch: pip install 'grubio[torch]'")
    assert lines[2].startswith("training needs PyTorch, ")
    assert lines[3].endswith(": pip install 'grubio[train]'")


def test_doctor_says_what_is_installed(light: Path) -> None:
    text = run(light, "grubio", "doctor").stdout
    assert "grubio predict works" in text
    assert "numpy, float32" in text
    assert "PyTorch float32" not in text
    for name in EXTRAS:
        assert f"missing extra {name} " in text
        assert f"hint: pip install 'grubio[{name}]'" in text
