"""What is installed: constraints.txt pins what pyproject.toml asks for, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from conftest import REPOSITORY
from grubio.cli.commands import COMMANDS
from grubio.extras import EXTRAS

PROJECT: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
GROUPS = {
    "dependencies": PROJECT["project"]["dependencies"],
    "build": PROJECT["build-system"]["requires"],
    **PROJECT["project"]["optional-dependencies"],
    **PROJECT["dependency-groups"],
}
ASKED = [
    wanted
    for group in GROUPS.values()
    for wanted in (Requirement(entry) for entry in group if isinstance(entry, str))
    if wanted.name != PROJECT["project"]["name"]  # one extra may hold another
]


def pins() -> dict[str, str]:
    """The version of each name in constraints.txt."""
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    entries = [re.split(r"\s*(?:#|$)", line)[0] for line in lines]
    pairs = [entry.split("==") for entry in entries if entry]
    assert all(len(pair) == 2 for pair in pairs)
    return {canonicalize_name(name): version for name, version in pairs}


def needed_by(wanted: Requirement, seen: set[tuple[str, frozenset[str]]]) -> Iterator[str]:
    """The names of a requirement and of all that it requires, on any system and Python."""
    key = canonicalize_name(wanted.name), frozenset(wanted.extras)
    if key in seen:
        return
    seen.add(key)
    yield key[0]
    try:
        found = metadata.requires(wanted.name) or []
    except metadata.PackageNotFoundError:
        return
    for entry in map(Requirement, found):
        extras = set(re.findall("extra == ['\"]([^'\"]+)", str(entry.marker)))
        if not extras or extras & wanted.extras:
            yield from needed_by(entry, seen)


@pytest.mark.parametrize("wanted", ASKED, ids=str)
def test_what_is_asked_for_is_pinned_within_its_range(wanted: Requirement) -> None:
    assert wanted.specifier.contains(pins()[canonicalize_name(wanted.name)])


def libraries_of(extra: str) -> set[str]:
    """The distributions of an extra, those of the extras that it holds included."""
    found = set()
    for wanted in map(Requirement, PROJECT["project"]["optional-dependencies"][extra]):
        if wanted.name == PROJECT["project"]["name"]:
            found |= {name for inner in wanted.extras for name in libraries_of(inner)}
        else:
            found.add(canonicalize_name(wanted.name))
    return found


def test_the_table_of_extras_is_that_of_the_project() -> None:
    owners = metadata.packages_distributions()
    assert set(EXTRAS) == set(PROJECT["project"]["optional-dependencies"])
    for name, extra in EXTRAS.items():
        known = {canonicalize_name(owner) for lib in extra.libraries for owner in owners[lib]}
        wanted = libraries_of(name) - (libraries_of("train") if name == "cluster" else set())
        assert known == wanted, name


def test_every_command_that_needs_an_extra_exists() -> None:
    named = [command for extra in EXTRAS.values() for command in extra.commands]
    assert set(named) <= {entry.name for entry in COMMANDS}
    assert len(set(named)) == len(named)


def test_nothing_is_pinned_that_nobody_needs() -> None:
    seen: set[tuple[str, frozenset[str]]] = set()
    needed = {name for wanted in ASKED for name in needed_by(wanted, seen)}
    assert not set(pins()) - needed


def test_what_is_installed_fits_together() -> None:
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_every_python_that_is_promised_is_tested() -> None:
    text = (REPOSITORY / ".github/workflows/test.yml").read_text()
    jobs = yaml.safe_load(text)["jobs"]
    tested = jobs["linux"]["strategy"]["matrix"]["python"]
    promised = [
        line.rpartition(" ")[2]
        for line in PROJECT["project"]["classifiers"]
        if line.startswith("Programming Language")
    ]
    assert tested == promised
    assert PROJECT["project"]["requires-python"] == f">={tested[0]}"
