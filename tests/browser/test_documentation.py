"""The documentation site on a phone, a tablet and a desk, from a folder, without the network."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.page_checks import WIDTHS
from conftest import REPOSITORY


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(REPOSITORY / "scripts"))
        from build_docs import build

        folder = tmp_path_factory.mktemp("docs") / "built"
        assert build(folder) == 0
    return folder / "site"


def test_no_page_is_wider_than_the_screen(page: Page, site: Path) -> None:
    for file in sorted(site.glob("*.html")):
        if file.name == "404.html":
            continue
        page.goto(file.as_uri(), wait_until="domcontentloaded", timeout=60_000)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            room = page.evaluate("innerWidth - document.documentElement.scrollWidth")
            assert room >= 0, f"{file.name} at {width}"


def test_search_finds_without_a_server(page: Page, site: Path) -> None:
    page.goto((site / "index.html").as_uri())
    page.keyboard.press("Control+k")
    page.keyboard.type("reset gate", delay=20)
    expect(page.get_by_text("The gated recurrent unit").last).to_be_visible()


def test_equations_are_drawn(page: Page, site: Path) -> None:
    page.goto((site / "how-it-works.html").as_uri())
    boxes = [box.bounding_box() for box in page.locator(".equation math").all()]
    assert len(boxes) > 8
    assert all(box and box["height"] > 15 and box["width"] > 60 for box in boxes)
