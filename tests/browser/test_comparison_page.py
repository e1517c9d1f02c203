"""The comparison of runs, used."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.page_checks import WIDTHS, faint_text, too_wide
from grubio.report.compare import compare_runs
from grubio.report.page import write_report
from grubio.sequences.scheme import SS8
from synthetic_run import labelled_chains, make_run


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, chains = tmp_path_factory.mktemp("runs"), labelled_chains(5)
    sizes = {"middle": 64, "widest": 128, "narrow": 32}
    runs = [
        make_run(folder / name, SS8, chains, skill=size / 60, seed=size, hidden_size=size)
        for name, size in sizes.items()
    ]
    write_report(runs[0], runs[0] / "report.html")
    compare_runs(runs, folder / "comparison.tsv", page=folder / "comparison.html")
    return folder / "comparison.html"


def test_sorts_runs_and_leads_to_their_reports(page: Page, comparison: Path) -> None:
    page.goto(comparison.as_uri())
    table = page.get_by_role("region", name="Runs")
    names = table.locator("tbody th")
    assert names.all_inner_texts() == ["middle", "widest", "narrow"]
    table.get_by_role("button", name="Q3").click()
    assert names.all_inner_texts() == ["narrow", "middle", "widest"]
    table.get_by_role("button", name="Parameters").click()
    table.get_by_role("button", name="Parameters").click()
    assert names.all_inner_texts() == ["widest", "middle", "narrow"]
    assert page.locator("h1").inner_text() == "3 runs"
    assert page.locator(".lead").inner_text().startswith("widest has the highest Q3")
    page.get_by_role("link", name="middle").click()
    expect(page.locator("h1")).to_have_text("middle")


@pytest.mark.parametrize("look", ["light", "dark"])
def test_can_be_read_at_every_width(page: Page, comparison: Path, look: str) -> None:
    page.emulate_media(color_scheme=look)  # type: ignore[arg-type]
    page.goto(comparison.as_uri())
    assert faint_text(page) == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        assert too_wide(page) == []
