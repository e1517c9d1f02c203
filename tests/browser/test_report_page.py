"""The report of a run, used: sorted, filtered, opened, pointed at, by mouse and by keyboard."""

from __future__ import annotations

import base64
import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser, Page, expect

from browser.page_checks import WIDTHS, faint_text, too_wide
from grubio.report.page import write_report
from grubio.sequences.scheme import SS8, custom_scheme
from synthetic_run import HOSTILE, labelled_chains, make_run

CHAINS = labelled_chains(30)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_run(tmp_path_factory.mktemp("runs") / "small", SS8, CHAINS, homologs=2)
    write_report(folder, folder / "report.html")
    return folder


@pytest.fixture
def report(page: Page, run: Path) -> Page:
    page.goto((run / "report.html").as_uri())
    return page


def scores(run: Path) -> dict[str, float]:
    with open(run / "per_chain.tsv", encoding="utf-8", newline="") as handle:
        rows = csv.DictReader(handle, delimiter="\t")
        return {row["id"]: round(100 * float(row["q3"]), 1) for row in rows}


def shown_ids(page: Page) -> list[str]:
    return page.locator("#chain-table tbody tr:visible th").all_inner_texts()


def test_headline_is_on_the_first_screen(report: Page) -> None:
    sentence = report.locator(".lead").inner_text()
    assert "of the residues in 30 test chains that it was not trained on" in sentence
    for words in ("Q3 on the test set", "What was trained", "Against what", "Can it be trusted?"):
        expect(report.get_by_text(words, exact=True)).to_be_in_viewport()


def test_sorts_a_table_and_back(report: Page, run: Path) -> None:
    given = shown_ids(report)
    header = report.locator("#chain-table th", has_text="Q3")
    of = scores(run)
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    assert [of[name] for name in shown_ids(report)] == sorted(of.values())
    arrows = header.locator(".sort").evaluate(
        "e => ['::before', '::after'].map((part) => getComputedStyle(e, part).content)"
    )
    assert arrows == ['"\u2191"', "none"]
    header.get_by_role("button").press("Enter")
    assert header.get_attribute("aria-sort") == "descending"
    assert [of[name] for name in shown_ids(report)] == sorted(of.values(), reverse=True)
    header.get_by_role("button").press("Space")
    assert header.get_attribute("aria-sort") is None
    assert shown_ids(report) == given
    by_name = report.locator("#chain-table th", has_text="Chain").get_by_role("button")
    by_name.click()
    assert shown_ids(report)[:2] == ["1A0C_D_1", "1A1X_A_3"]  # as numbers, 1 comes before 12
    rising = shown_ids(report)
    by_name.click()
    assert shown_ids(report) == rising[::-1] != given[::-1]


def test_rows_without_a_value_come_last(report: Page) -> None:
    button = report.get_by_role("button", name="Identity (%)")
    for _ in range(2):
        button.click()
        cells = report.locator("#chain-table tbody td:last-child").all_inner_texts()
        assert "" in cells
        assert all(cells[: len(cells) - cells.count("")])


def test_filters_chains(report: Page, run: Path) -> None:
    of = scores(run)
    some = CHAINS[4][0]
    report.get_by_label("Id contains").fill(some.lower())
    assert shown_ids(report) == [some]
    assert report.locator(".filters output").inner_text() == "1 of 30 shown"
    report.get_by_label("Id contains").fill("")
    report.locator("[name=lowest]").fill("50")
    report.locator("[name=highest]").fill("60")
    assert shown_ids(report) == [name for name in of if 50 <= of[name] <= 60]
    report.locator("[name=longest]").fill("120")
    short = {name for name, sequence, _ in CHAINS if len(sequence) <= 120}
    assert shown_ids(report) == [name for name in of if 50 <= of[name] <= 60 and name in short]


def test_opens_a_chain_and_draws_it(report: Page, run: Path) -> None:
    name, sequence, _ = CHAINS[7]
    report.get_by_role("button", name=name).click()
    opened = report.locator("#open-chain")
    assert opened.locator("h4").inner_text().startswith(f"{name}: Q3 {scores(run)[name]}")
    drawing = opened.get_by_role("slider")
    expect(drawing).to_be_focused()
    assert drawing.get_attribute("aria-label") == f"Residues of {name}"
    assert "".join(opened.locator("text.letters").all_text_contents()) == sequence
    assert opened.locator(".ribbons path").count() > 5


def test_shows_a_residue_under_the_pointer(report: Page, run: Path) -> None:
    name = CHAINS[7][0]
    report.get_by_role("button", name=name).click()
    drawing = report.locator("#open-chain .drawing")
    drawing.scroll_into_view_if_needed()
    place = report.evaluate(
        """() => {
            const drawing = drawings.find((one) => one.article.parentElement.id === "open-chain");
            const frame = drawing.canvas.getBoundingClientRect();
            return [frame.left + LEFT + 12.5 * drawing.cell, frame.top + 30];
        }"""
    )
    report.mouse.move(*place)
    tip = report.locator("#open-chain .tip")
    expect(tip).to_be_visible()
    row = pq.read_table(run / "test_predictions.parquet", filters=[("id", "==", name)])
    residue = row.slice(12, 1).to_pylist()[0]
    helix = sum(residue[f"p_{letter}"] for letter in "HGI")
    strand = residue["p_E"] + residue["p_B"]
    assert tip.locator("b").inner_text() == f"{residue['residue']} 13"
    shares = [int(text.split()[0]) for text in tip.locator(".n").all_inner_texts()]
    assert shares == pytest.approx([100 * helix, 100 * strand, 100 * (1 - helix - strand)], abs=1.3)
    names = {"H": "helix", "E": "strand", "C": "coil"}
    assert f"observed {names[SS8.reduction[residue['observed']]]}" in tip.inner_text()
    report.mouse.move(5, 5)
    expect(tip).to_be_hidden()


def test_moves_along_a_chain_with_the_keys(report: Page) -> None:
    name, sequence, _ = CHAINS[7]
    report.get_by_role("button", name=name).press("Enter")
    drawing = report.locator("#open-chain .drawing")
    for key, position in (
        ("ArrowRight", 2),
        ("ArrowRight", 3),
        ("ArrowLeft", 2),
        ("End", len(sequence)),
        ("ArrowRight", len(sequence)),
        ("Home", 1),
        ("ArrowUp", 1),
    ):
        report.keyboard.press(key)
        assert drawing.get_attribute("aria-valuenow") == str(position), key
        spoken = drawing.get_attribute("aria-valuetext") or ""
        assert spoken.startswith(f"{sequence[position - 1]} {position}: observed ")
    expect(drawing.locator(".tip")).to_be_visible()
    report.keyboard.press("Escape")
    expect(drawing.locator(".tip")).to_be_hidden()


def test_switches_between_coarse_and_fine_classes(report: Page) -> None:
    three = report.get_by_role("region", name="Confusion matrix of SS3")
    eight = report.get_by_role("region", name="Confusion matrix of SS8")
    expect(three).to_be_visible()
    expect(eight).to_be_hidden()
    drawing = report.locator("#open-chain .drawing")
    assert drawing.locator("text.class").count() == 0
    report.get_by_text("SS8", exact=True).click()
    expect(three).to_be_hidden()
    expect(eight).to_be_visible()
    expect(report.get_by_role("region", name="Scores of the classes of SS8")).to_be_visible()
    letters = set(drawing.locator("text.class").all_text_contents())
    assert len(letters) > 3
    assert letters <= set(SS8.letters)
    drawing.focus()
    report.keyboard.press("ArrowRight")
    assert drawing.locator(".tip .key").all_inner_texts() == list(SS8.letters)
    report.get_by_role("radio", name="SS8").press("ArrowLeft")
    expect(three).to_be_visible()


def test_keyboard_reaches_everything_and_focus_is_seen(report: Page) -> None:
    report.keyboard.press("Tab")
    assert report.evaluate("document.activeElement.textContent") == "To the results"
    kinds = ("nav a", "[name=scheme]", ".sort", ".scroll", ".filters input", ".open", ".drawing")
    seen = report.evaluate(
        """(kinds) => kinds.map((kind) => {
            const element = document.querySelector(kind);
            element.focus({ focusVisible: true });
            const marked = kind === "[name=scheme]" ? element.nextElementSibling : element;
            const style = getComputedStyle(marked);
            return document.activeElement === element && element.tabIndex === 0
                && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
        })""",
        kinds,
    )
    assert dict(zip(kinds, seen, strict=True)) == dict.fromkeys(kinds, True)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_scrolling_sideways(report: Page, width: int) -> None:
    report.set_viewport_size({"width": width, "height": 844})
    report.get_by_role("button", name=CHAINS[7][0]).click()
    report.keyboard.press("End")
    assert too_wide(report) == []
    report.get_by_text("SS8", exact=True).click()
    report.keyboard.press("End")
    assert too_wide(report) == []
    assert report.locator("#open-chain .letters").first.evaluate("e => e.getBBox().width") > 250


@pytest.mark.parametrize("look", ["light", "dark"])
def test_everything_can_be_read(report: Page, look: str) -> None:
    report.emulate_media(color_scheme=look)  # type: ignore[arg-type]
    report.get_by_role("button", name=CHAINS[7][0]).click()
    report.keyboard.press("ArrowRight")
    assert faint_text(report) == []
    report.get_by_text("SS8", exact=True).click()
    assert faint_text(report) == []


def test_prints_decently(report: Page) -> None:
    report.set_viewport_size({"width": 700, "height": 990})
    report.emulate_media(media="print", color_scheme="dark")
    for hidden in (".bar", ".filters", "#chain-table"):
        expect(report.locator(hidden)).to_be_hidden()
    expect(report.locator(".drawing > svg")).to_have_count(7)
    expect(report.locator(".drawing > svg").first).to_be_visible()
    assert (
        report.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    )
    assert too_wide(report) == []


def test_can_be_read_without_javascript(browser: Browser, run: Path) -> None:
    page = browser.new_page(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page.goto((run / "report.html").as_uri())
    for name in ("SS3", "SS8"):
        expect(page.get_by_role("region", name=f"Confusion matrix of {name}")).to_be_visible()
    expect(page.locator("article .chain")).to_have_count(7)
    expect(page.locator("article .chain").first).to_be_visible()
    expect(page.locator("#chain-table tbody tr").last).to_be_visible()
    for useless in (".switch", ".filters", "button"):
        assert page.locator(useless).locator("visible=true").count() == 0
    page.close()


def test_ids_cannot_write_the_page(page: Page, tmp_path: Path) -> None:
    name = f"{HOSTILE}<img src=x onerror=alert(1)></script>"
    chains = [(f"{name}{i}".replace(" ", ""), *rest) for i, (_, *rest) in enumerate(CHAINS[:3])]
    folder = make_run(tmp_path / "run", SS8, chains)
    write_report(folder, folder / "report.html")
    page.goto((folder / "report.html").as_uri())
    page.get_by_role("button", name=chains[2][0]).click()
    assert page.locator("#open-chain h4 code").inner_text() == chains[2][0]
    assert page.locator("img").count() == 0


def test_classes_of_ones_own_are_boxes(page: Page, tmp_path: Path) -> None:
    chains = [(f"p{i}", "MKTAYIAKQR" * 6, "OOOOODDDDD" * 6) for i in range(4)]
    folder = make_run(tmp_path / "run", custom_scheme("disorder", "OD", ("ordered", "<i>")), chains)
    write_report(folder, folder / "report.html")
    page.goto((folder / "report.html").as_uri())
    assert page.locator(".switch").count() == 0
    assert set(page.locator("#open-chain text.class").all_text_contents()) == {"O", "D"}
    page.locator("#open-chain .drawing").press("End")
    assert "observed <i>" in page.locator("#open-chain .tip").inner_text()


def test_chains_without_a_drawing_are_filtered(page: Page, tmp_path: Path) -> None:
    peptides = [(name, text[:20], labels[:20]) for name, text, labels in CHAINS[:5]]
    for name, chains in (("short", peptides), ("without", CHAINS[:5])):
        folder = make_run(tmp_path / name, SS8, chains)
        if name == "without":
            (folder / "test_predictions.parquet").unlink()
        write_report(folder, folder / "report.html")
        page.goto((folder / "report.html").as_uri())
        expect(page.locator("article")).to_have_count(0)
        page.get_by_label("Id contains").fill(chains[3][0])
        assert shown_ids(page) == [chains[3][0]]


def test_works_inside_another_page(page: Page, run: Path, tmp_path: Path) -> None:
    """As in the report of Snakemake, which holds its results as data: addresses."""
    content = base64.b64encode((run / "report.html").read_bytes()).decode()
    outer = tmp_path / "outer.html"
    frame = f'<iframe width="900" height="800" src="data:text/html;base64,{content}"></iframe>'
    outer.write_text(f"<!DOCTYPE html><title>outer</title>{frame}")
    page.goto(outer.as_uri())
    inner = page.frame_locator("iframe")
    inner.get_by_role("button", name=CHAINS[7][0]).click()
    expect(inner.locator("#open-chain h4 code")).to_have_text(CHAINS[7][0])
