"""The shape of the code: imports run one way, nothing goes in circles, and starting is cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from conftest import REPOSITORY

PACKAGE = REPOSITORY / "grubio"
HEAVY = {"torch", "sklearn", "scipy", "matplotlib", "pytorch_lightning", "pyarrow", "Bio", "pooch"}
HEAVY |= {"polars", "pybigtools", "lightmotif", "gffutils", "logomaker", "pandas"}
# What a prediction has no use for, and takes long to import.
SLOW = {"asyncio", "http.client", "jinja2", "multiprocessing", "numpy.random"}
SLOW |= {"requests", "rich.markdown", "rich.status", "ssl", "urllib.request", "xml.etree", "yaml"}
# From the ground floor up; a module imports from its own package and from those above it here.
ORDER = [
    "errors",
    "extras",
    "overwriting",
    "files",
    "text",
    "progress",
    "sequences",
    "model",
    "config",
    "fetching",
    "readers",
    "profiles",
    "datasets",
    "splits.homology",
    "splits",
    "metrics",
    "runs",
    "view",
    "inference",
    "writers",
    "page",
    "training",
    "prediction",
    "prediction.shards",
    "evaluation.genome",
    "evaluation",
    "motifs",
    "report",
    "study",
    "study_folder",
    "api",
    "cli",
    "__main__",
]
DATA = {"data", "zoo"}


def module_name(path: Path, package: Path) -> str:
    """``sequences.alphabet`` for its file, ``sequences`` for the package's own ``__init__.py``."""
    parts = path.relative_to(package).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(package: Path) -> dict[str, set[str]]:
    """What each module of a package imports of the same package, however it is written."""
    files = {module_name(path, package): path for path in sorted(package.rglob("*.py"))}
    return {
        name: {target for target in _imported(path, name, files, package.name) if target != name}
        for name, path in files.items()
    }


def _imported(path: Path, name: str, files: Mapping[str, Path], package: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            wanted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                whole = [package, *filter(None, name.split("."))]
                here = whole if path.name == "__init__.py" else whole[:-1]
                module = ".".join([*here[: len(here) - node.level + 1], *filter(None, [module])])
            # What is imported from a package may be a module of it.
            wanted = [f"{module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # Tables name modules that are imported when they are needed.
            wanted = [node.value] if node.value.removeprefix(f"{package}.") in files else []
            wanted = [text for text in wanted if text.startswith(f"{package}.")]
        else:
            continue
        for full in wanted:
            inside = full.removeprefix(f"{package}.")
            if full == package or inside == full:
                continue
            while inside not in files and "." in inside:
                inside = inside.rpartition(".")[0]
            yield inside if inside in files else ""


def floor_of(module: str) -> int:
    """Where the package of a module stands in the order."""
    found = [name for name in ORDER if module == name or module.startswith(f"{name}.")]
    assert found, f"{module} has no place in the order of packages"
    return ORDER.index(max(found, key=len))


def uphill(imports: Mapping[str, set[str]]) -> list[str]:
    """The imports that run from a package to one that stands above it."""
    return [
        f"{module} imports {target}"
        for module, targets in imports.items()
        for target in targets
        if module and target and target.partition(".")[0] not in DATA
        if module.partition(".")[0] not in DATA and floor_of(target) > floor_of(module)
    ]


def circles(imports: Mapping[str, set[str]]) -> list[list[str]]:
    """The groups of modules that import one another, directly or through others (Tarjan, 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for target in sorted(imports.get(module, ())):
            if target not in index:
                visit(target)
                low[module] = min(low[module], low[target])
            elif target in stack:
                low[module] = min(low[module], index[target])
        if low[module] == index[module]:
            at = stack.index(module)
            group = stack[at:]
            del stack[at:]
            if len(group) > 1:
                found.append(sorted(group))

    for module in imports:
        if module not in index:
            visit(module)
    return found


def test_imports_run_downhill() -> None:
    assert not uphill(imports_of(PACKAGE))


def test_nothing_goes_in_circles() -> None:
    # The door of the package imports the API when it is asked for, and all may ask for its version.
    inside = {name: targets - {""} for name, targets in imports_of(PACKAGE).items() if name}
    assert not circles(inside)


def test_the_top_of_the_package_has_few_modules() -> None:
    assert len(list(PACKAGE.glob("*.py"))) <= 10


def test_packages_say_what_they_hold_and_hold_no_code() -> None:
    for path in sorted(PACKAGE.rglob("__init__.py")):
        body = ast.parse(path.read_text()).body
        if path.parent == PACKAGE:
            continue
        assert isinstance(body[0], ast.Expr), path
        assert path.read_text().startswith('"""'), path
        assert all(isinstance(node, ast.ImportFrom | ast.Assign) for node in body[1:]), path
        if any(isinstance(node, ast.Assign) for node in body[1:]):
            assert [node.targets[0].id for node in body if isinstance(node, ast.Assign)] == [  # type: ignore[attr-defined]
                "__all__"
            ]


@pytest.mark.parametrize(
    ("line", "target"),
    [
        ("from grubio.cli.predict import predict", "cli.predict"),
        ("from grubio.cli import predict", "cli.predict"),
        ("from grubio import cli", "cli"),
        ("import grubio.cli.predict", "cli.predict"),
        ("def later():\n    from grubio.cli import predict as p", "cli.predict"),
        ("from ..cli import predict", "cli.predict"),
        ("from .. import cli", "cli"),
        ("MODULE = 'grubio.cli.predict'", "cli.predict"),
    ],
)
def test_every_way_of_writing_an_import_is_seen(tmp_path: Path, line: str, target: str) -> None:
    package = tmp_path / "grubio"
    for folder in ("cli", "sequences"):
        (package / folder).mkdir(parents=True)
        (package / folder / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    (package / "cli" / "predict.py").write_text("from grubio.sequences import alphabet\n")
    (package / "sequences" / "alphabet.py").write_text(line + "\n")
    imports = imports_of(package)
    assert target in imports["sequences.alphabet"]
    assert uphill(imports) == [f"sequences.alphabet imports {target}"]
    if target == "cli.predict":
        assert circles(imports) == [["cli.predict", "sequences.alphabet"]]


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\nsys.argv = ['grubio', '--help']\nfrom grubio.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('HEAVY', sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "HEAVY []"
    assert "predict" in done.stdout


@pytest.mark.parametrize("output", ["-", "out.tsv"])
def test_a_prediction_imports_nothing_heavy(tmp_path: Path, output: str) -> None:
    (tmp_path / "in.fasta").write_text(">a\nMKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ\n")
    program = (
        f"import sys\nsys.argv = ['grubio', 'predict', 'in.fasta', '--output', {output!r}]\n"
        "from grubio.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('HEAVY', sorted({HEAVY | SLOW!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.splitlines()[-1] == "HEAVY []"
    assert output == "-" or (tmp_path / output).exists()


def test_training_does_not_import_scikit_learn() -> None:
    modules = "sys, grubio.training.train, grubio.training.ensemble"
    program = f"import {modules}; print('sklearn' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False"]
