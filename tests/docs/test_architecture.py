"""The page on the architecture: the packages of the code in their order, and files that exist."""

from __future__ import annotations

import ast
import re

import pytest

from conftest import REPOSITORY
from test_layers import ORDER

PAGE = (REPOSITORY / "docs/architecture.md").read_text()
FILES = sorted(
    {
        name
        for name in re.findall(r"`([\w.-]+(?:/[\w.-]+)*/?)`", PAGE)
        if ("/" in name or (REPOSITORY / name).suffix in (".toml", ".md"))
        and not re.search(r"\bNAME\b", name)
    }
)


def packages() -> str:
    """The table of packages: those of ORDER, each with the first line of its docstring."""
    rows = ["| package | what it holds |", "| --- | --- |"]
    for name in ORDER:
        path = REPOSITORY / "grubio" / name.replace(".", "/")
        module = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        text = (ast.get_docstring(ast.parse(module.read_text())) or "").splitlines()[0]
        place = f"grubio/{path.relative_to(REPOSITORY / 'grubio')}{'/' * path.is_dir()}"
        place += "" if path.is_dir() else ".py"
        plain = re.sub(r":\w+:(?=`)", "", text.replace("``", "`")).rstrip(".")
        rows.append(f"| `{place}` | {plain} |")
    return "\n".join(rows)


def test_the_packages_are_those_of_the_code_in_their_order() -> None:
    found = PAGE.partition("<!-- packages -->\n")[2].partition("\n<!-- /packages -->")[0]
    assert found == packages(), f"the table should be:\n{packages()}"


@pytest.mark.parametrize("name", FILES)
def test_every_file_that_is_named_is_there(name: str) -> None:
    path = REPOSITORY / name
    assert path.is_dir() if name.endswith("/") else path.is_file()


def test_contributors_are_led_here() -> None:
    assert "docs/architecture.md" in (REPOSITORY / "CONTRIBUTING.md").read_text()
