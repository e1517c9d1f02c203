"""The documentation site is built, every link in it leads somewhere, and nothing is fetched."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt

from conftest import REPOSITORY
from grubio import __version__
from grubio.cli import EXITS

PAGES = [REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "config/README.md")]
FETCHED = re.compile(r"<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=[\"']?([^\"' >]+)")
PAGES += sorted((REPOSITORY / "docs").glob("*.md"))


@pytest.fixture(autouse=True, scope="module")
def _scripts_can_be_imported() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(REPOSITORY / "scripts"))
        yield


def links(page: Path) -> list[str]:
    found = []
    for token in MarkdownIt().enable("table").parse(page.read_text("utf-8")):
        for child in token.children or []:
            address = child.attrs.get("href") or child.attrs.get("src")
            if address:
                found.append(str(address))
    return found


def anchors(page: Path) -> set[str]:
    """The anchors of a page as GitHub and the site's generator make them of headings."""
    tokens = MarkdownIt().enable("table").parse(page.read_text("utf-8"))
    titles = [b.content for a, b in itertools.pairwise(tokens) if a.type == "heading_open"]
    return {re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", title.lower())) for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_in_the_repository_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if re.match(r"https?://|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {link}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built."""
    from build_docs import build

    folder = tmp_path_factory.mktemp("docs") / "built"
    assert build(folder) == 0
    return folder / "site"


def test_the_site_needs_no_network(site: Path) -> None:
    pages = list(site.glob("*.html"))
    assert len(pages) > 12
    for page in pages:
        for address in FETCHED.findall(page.read_text("utf-8")):
            assert not address.startswith(("http", "//")), page.name
            if not address.startswith(("data:", "#")) and page.name != "404.html":
                assert (site / address.split("?")[0]).exists(), f"{page.name}: {address}"


def test_pages_hold_what_is_made_for_them(site: Path) -> None:
    commands = re.sub(r"<[^>]+>", "", (site / "commands.html").read_text("utf-8"))
    assert "--hidden-size" in commands
    assert "grubio workflow init my-study" in commands
    science = (site / "how-it-works.html").read_text("utf-8")
    assert science.count("<math") > 20
    assert "$" not in re.sub(r"<script.*?</script>", "", science, flags=re.DOTALL)
    reference = (site / "api.html").read_text("utf-8")
    assert "split_dataset" in reference
    assert not re.findall(r":(?:func|class|meth|mod):", reference)
    assert "weight_averaging" in (site / "configuration.html").read_text("utf-8")


def test_a_broken_link_stops_the_build(site: Path, tmp_path: Path) -> None:
    shutil.copytree(site.parent, tmp_path / "docs", ignore=shutil.ignore_patterns("site"))
    (tmp_path / "docs/pages/site").mkdir()
    page = tmp_path / "docs/pages/faq.md"
    page.write_text(page.read_text("utf-8") + "\n[there](predict.md#nowhere)\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--clean", "--strict"],
        cwd=tmp_path / "docs",
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{REPOSITORY / 'scripts'}:{REPOSITORY}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "nowhere" in re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)


def test_exit_codes_are_those_of_the_program() -> None:
    rows = re.findall(
        r"^\| (\d+) \|", (REPOSITORY / "docs/exit-codes.md").read_text(), re.MULTILINE
    )
    assert [int(code) for code in rows] == list(EXITS)


def test_the_citation_names_this_version() -> None:
    text = (REPOSITORY / "CITATION.cff").read_text()
    assert f"\nversion: {__version__}\n" in text
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+|\.dev\d+)?", __version__)
    changes = (REPOSITORY / "CHANGELOG.md").read_text()
    assert re.search(rf"^## (\[?Unreleased\]?|{re.escape(__version__)}\b)", changes, re.MULTILINE)


def test_forms_and_settings_of_the_repository_are_read() -> None:
    for form in ("bug", "feature", "question"):
        content = yaml.safe_load((REPOSITORY / f".github/ISSUE_TEMPLATE/{form}.yml").read_text())
        assert {"name", "description", "body"} <= set(content)
        names = [part["id"] for part in content["body"]]
        assert len(set(names)) == len(names)
    (local,) = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())["repos"]
    assert {"ruff-check", "ruff-format", "mypy", "snakefmt"} < {one["id"] for one in local["hooks"]}
    catalog = yaml.safe_load((REPOSITORY / ".snakemake-workflow-catalog.yml").read_text())
    assert set(catalog["usage"]) == {"mandatory-flags", "software-stack-deployment", "report"}
