"""The report of a genome, at every width and in both looks."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page
from test_genome_evaluate import scored

from browser.page_checks import WIDTHS, faint_text, too_wide
from grubio.report.page import write_report

__all__ = ["scored"]


def test_can_be_read_and_sorted(page: Page, scored: Path) -> None:
    write_report(scored, scored / "report.html")
    page.goto((scored / "report.html").as_uri())
    assert "Finds sites of minus10 with an average precision of" in page.inner_text(".lead")
    for look in ("light", "dark"):
        page.emulate_media(color_scheme=look)  # type: ignore[arg-type]
        assert faint_text(page) == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        assert too_wide(page) == []
    table = page.locator("#sites ~ * table").first
    methods = table.locator("tbody th")
    given = methods.all_inner_texts()
    header = table.locator("thead th").nth(2)
    header.get_by_role("button").click()
    header.get_by_role("button").click()
    values = [float(text.split()[0]) for text in table.locator("td:nth-child(3)").all_inner_texts()]
    assert header.get_attribute("aria-sort") == "descending"
    assert values == sorted(values, reverse=True)
    assert sorted(methods.all_inner_texts()) == sorted(given)
