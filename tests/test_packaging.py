"""Recipe, environment and images: they say what pyproject.toml says, and run what they should."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from packaging.requirements import Requirement

from conftest import REPOSITORY
from grubio import __version__

PROJECT: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
RECIPE = REPOSITORY / "conda/meta.yaml"
TOOLS = Path(sys.prefix) / "tools/bin/python"


@pytest.fixture(scope="module")
def recipe() -> dict[str, Any]:
    text = jinja2.Template(RECIPE.read_text(), undefined=jinja2.StrictUndefined).render(
        PYTHON="python", pin_subpackage=lambda name, max_pin: f"{name} {max_pin}"
    )
    return dict(yaml.safe_load(text))


def test_the_recipe_says_what_the_project_says(recipe: dict[str, Any]) -> None:
    assert recipe["package"] == {"name": PROJECT["name"], "version": __version__}
    wanted = {one.name: str(one.specifier) for one in map(Requirement, PROJECT["dependencies"])}
    asked = dict(entry.split(" ", 1) for entry in recipe["requirements"]["run"])
    assert asked == wanted | {"python": PROJECT["requires-python"]}
    scripts = [f"{name} = {place}" for name, place in PROJECT["scripts"].items()]
    assert recipe["build"]["entry_points"] == scripts
    assert recipe["about"]["license"] == PROJECT["license"]
    assert (REPOSITORY / recipe["about"]["license_file"]).is_file()
    for part in ("source", "build", "requirements", "test", "about", "extra"):
        assert recipe[part], part
    assert recipe["build"]["noarch"] == "python"
    assert re.fullmatch("[0-9a-f]{64}", recipe["source"]["sha256"])
    assert __version__ in recipe["source"]["url"]


@pytest.mark.skipif(not TOOLS.exists(), reason="make test installs the library of recipes")
def test_a_library_of_recipes_reads_it() -> None:
    code = (
        "import sys; from souschef.recipe import Recipe\n"
        "recipe = Recipe(load_file=sys.argv[1])\n"
        "print(recipe['package']['name'].value, recipe['build']['noarch'].value)\n"
    )
    done = subprocess.run([TOOLS, "-c", code, RECIPE], capture_output=True, text=True, check=False)
    if "No module named 'souschef'" in done.stderr:
        pytest.skip("conda-souschef is not in the environment of tools")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "python"


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"GRUBIO_SOURCE": "/src"}, "--constraint /src/constraints.txt /src[train]"),
        ({"GRUBIO_VERSION": "0.1.0"}, "grubio[train]==0.1.0"),
        ({}, "grubio[train]"),
    ],
)
def test_the_environment_of_conda_installs_this_grubio(
    environment: dict[str, str], wanted: str, tmp_path: Path
) -> None:
    fake = tmp_path / "python"
    fake.write_text('#!/bin/sh\necho "$@"\n')
    fake.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    script = REPOSITORY / "workflow/envs/grubio.post-deploy.sh"
    done = subprocess.run(
        ["bash", script],
        env={"PATH": path, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"-m pip install --quiet {wanted}\n"
    names = yaml.safe_load((REPOSITORY / "workflow/envs/grubio.yaml").read_text())["dependencies"]
    # Nothing of it has to come from pip, whose names Snakemake would look for in its own copy.
    assert all(isinstance(name, str) for name in names)


def test_the_images_install_what_is_locked() -> None:
    for name in ("Containerfile", "grubio.def"):
        text = (REPOSITORY / name).read_text()
        assert text.count("--constraint constraints.txt") == 2, name
        assert "'.[train]'" in text
        for tool in ("dssp", "mmseqs2"):
            assert tool in text


def test_the_distribution_has_a_target() -> None:
    done = subprocess.run(
        ["make", "--dry-run", "dist"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert "SOURCE_DATE_EPOCH" in done.stdout
    assert "sha256sum" in done.stdout
