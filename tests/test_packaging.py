"""Recipe, environment and images: they say what pyproject.toml says, and run what they should."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
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
    developers = yaml.safe_load((REPOSITORY / "environment.yml").read_text())["dependencies"]
    assert set(names) <= set(developers)


CONDA = """#!/bin/sh
# In place of conda: an environment is one of Python's, which sees the libraries of the tests.
case "$1" in
    --version) echo conda 25.1.0 ;;
    info) echo '{{"conda_prefix": "{base}", "platform": "linux-64"}}' ;;
    config) echo '{{"get": {{"channel_priority": "strict"}}}}' ;;
    env)
        echo "$@" > "{base}/asked"
        for word; do [ "$before" = --prefix ] && prefix=$word; before=$word; done
        "{python}" -m venv --without-pip "$prefix"
        echo "{libraries}" > "$(echo "$prefix"/lib/python*/site-packages)/tests.pth" ;;
esac
"""


@pytest.mark.workflow
def test_rules_run_in_the_environment_that_conda_makes_with_the_wheel_of_the_checkout(
    tmp_path: Path,
) -> None:
    base = tmp_path / "conda"
    (base / "bin").mkdir(parents=True)
    libraries = sysconfig.get_path("purelib")
    text = CONDA.format(base=base, python=sys.executable, libraries=libraries)
    (base / "bin/conda").write_text(text)
    (base / "bin/conda").chmod(0o755)
    activate = f'export PATH="$1/bin:$PATH"; echo "$1" >> "{base}/activated"\n'
    (base / "bin/activate").write_text(activate)
    (tmp_path / "a.tsv").write_text("id\tsequence\tss8\nx\tMKT\tHHH\n")
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text(
        "datasets: {a: {records: a.tsv, prepare: {format: tsv}}}\nruns: {one: {dataset: a}}\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment["PATH"] = f"{base / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    # No network: the wheel is built with the hatchling of the tests. 0 is how pip spells it.
    environment |= {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--cores", "1", "--sdm", "conda"),
            *("--snakefile", str(REPOSITORY / "workflow/Snakefile")),
            "results/datasets/a/prepared.parquet",
        ],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "results/datasets/a/prepared.parquet").stat().st_size > 0
    words = (base / "asked").read_text().split()
    assert words[:2] == ["env", "create"]
    made = Path(words[words.index("--prefix") + 1].strip('"'))
    (installed,) = (tmp_path / made).glob("lib/python*/site-packages/grubio/shipped/workflow")
    assert (installed / "Snakefile").is_file()
    assert (made / "bin/grubio").is_file()
    # For what installs grubio, and for the two jobs.
    assert (base / "activated").read_text().splitlines() == [str(made)] * 3


def test_the_images_install_what_is_locked() -> None:
    for name in ("Containerfile", "grubio.def"):
        text = (REPOSITORY / name).read_text()
        assert text.count("--constraint constraints.txt") == 2, name
        assert "'.[train]'" in text
        for tool in ("dssp", "mmseqs2"):
            assert tool in text


def test_the_distribution_has_a_target(tmp_path: Path) -> None:
    done = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", "dist"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "SOURCE_DATE_EPOCH" in done.stdout
    assert "sha256sum" in done.stdout
    # The recipe gets the checksum of the sdist: its last command, on a sum that is made up.
    command = done.stdout.strip().splitlines()[-1]
    assert command.endswith("conda/meta.yaml > dist/meta.yaml")
    for name in ("conda", "dist"):
        (tmp_path / name).mkdir()
    (tmp_path / "conda/meta.yaml").write_text(RECIPE.read_text())
    digest = "0123456789abcdef" * 4
    sums = f"{digest[::-1]}  grubio-1-py3-none-any.whl\n{digest}  grubio-1.tar.gz\n"
    (tmp_path / "dist/SHA256SUMS").write_text(sums)
    subprocess.run(command, shell=True, cwd=tmp_path, check=True)
    assert f'sha256: "{digest}"' in (tmp_path / "dist/meta.yaml").read_text()
