"""The browser of these tests itself: it sees what is wrong with a page."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from browser.page_checks import faint_text, too_wide

HEAD = "<!DOCTYPE html><html lang='en'><meta charset='utf-8'><title>t</title>"


def write(path: Path, body: str) -> str:
    path.write_text(HEAD + body, encoding="utf-8")
    return path.as_uri()


def test_sees_what_is_too_wide(page: Page, tmp_path: Path) -> None:
    page.goto(write(tmp_path / "wide.html", "<p style='width:2000px'>wide</p>"))
    assert too_wide(page)
    box = "<div style='overflow-x:auto'><p style='width:2000px'>wide</p></div>"
    page.goto(write(tmp_path / "box.html", box))
    assert too_wide(page) == []


def test_sees_what_is_faint(page: Page, tmp_path: Path) -> None:
    # #767676 on white is the lightest grey with a contrast of 4.5, as WCAG's own tools show.
    body = "<p style='color:#777'>faint</p><p style='color:#767676'>clear</p>"
    page.goto(write(tmp_path / "page.html", body))
    assert [text.split()[-1] for text in faint_text(page)] == ["faint"]
    assert faint_text(page, 3.0) == []


@pytest.mark.parametrize(
    "body",
    [
        "<script>console.error('no')</script>",
        "<script>missing()</script>",
        "<img alt='' src='https://example.org/x.png'>",
    ],
)
def test_page_that_complains_fails(browser: Browser, tmp_path: Path, body: str) -> None:
    from browser.conftest import page as fixture

    strict = fixture.__wrapped__(browser)  # type: ignore[attr-defined]
    opened = next(strict)
    opened.goto(write(tmp_path / "bad.html", body))
    with pytest.raises(AssertionError):
        next(strict)
