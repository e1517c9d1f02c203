"""The page of predictions in a browser: what it draws, how it is used, what it saves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from browser.page_checks import WIDTHS, faint_text, too_wide
from grubio.inference.called_features import CalledRegion
from grubio.inference.labelled_region import LabelledRegion
from grubio.inference.predictor import Prediction
from grubio.sequences.called_feature import CalledFeature
from grubio.sequences.locus import Locus
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS3, SS8, LabelScheme, custom_scheme
from grubio.view.shapes import UNLABELLED, place, templates_of
from grubio.writers.html import GenomeHtmlFormat
from grubio.writers.text import Content
from prediction_output import open_for_predictions

GENOME = custom_scheme("sites", "MT.", ("minus10", "tss", "background"), background=".")


def prediction(name: str, length: int, scheme: LabelScheme = SS3) -> Prediction:
    generator = np.random.default_rng(length)
    favourite = np.repeat(generator.integers(scheme.size, size=length), 7)[:length]
    scores = generator.gamma(0.3, size=(length, scheme.size)) + 1e-3
    scores[np.arange(length), favourite] += 2
    sequence = "".join(generator.choice(list("ACDEFGHIKLMNPQRSTVWY"), length))
    shares = (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)
    return Prediction(Record(name, "", sequence), shares, scheme)


def write_page(path: Path, made: list[Prediction], scheme: LabelScheme = SS3) -> Path:
    with open_for_predictions(str(path), "html", scheme, min_confidence=0.5) as write:
        for one in made:
            write(one)
    return path


@pytest.fixture(scope="module")
def proteins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = [prediction(f"chain_{i}", 40 + i % 300) for i in range(2000)]
    made[3] = prediction("<i>odd</i>&", 1234)
    made[7] = prediction("titin", 34_350)
    return write_page(tmp_path_factory.mktemp("pages") / "proteins.html", made)


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    style = GenomeHtmlFormat(Content("genome", GENOME))
    parts = [style.header()]
    generator = np.random.default_rng(1)
    for contig, length in (("chr", 1_000_000), ("plasmid", 5_000), ("bare", 300)):
        starts = sorted(
            generator.integers(0, length - 10, 0 if contig == "bare" else length // 200)
        )
        features = [
            CalledFeature(
                Locus(contig, int(at), int(at) + 6, "+-"[i % 2]), "MT"[i % 3 // 2], i % 100 / 100
            )
            for i, at in enumerate(starts)
        ]
        region = LabelledRegion(contig, length, 0, length, "A" * length, {}, GENOME)
        parts.append(style.text(CalledRegion(region, features)))
    path = tmp_path_factory.mktemp("pages") / "genome.html"
    path.write_text("".join([*parts, style.footer()]), encoding="utf-8")
    return path


@pytest.fixture
def opened(page: Page, proteins: Path) -> Iterator[Page]:
    page.goto(proteins.as_uri())
    return page


def test_only_what_is_in_sight_is_in_the_document(opened: Page) -> None:
    expect(opened.locator("#found")).to_have_text("2,000 sequences")
    assert opened.locator(".item").count() < 40
    opened.locator("#search").fill("titin")
    opened.keyboard.press("Enter")
    expect(opened.locator("h2")).to_have_text("titin")
    assert 2 <= opened.locator("#rows > svg").count() < 12
    opened.locator("#jump input").fill("34000")
    opened.keyboard.press("Enter")
    expect(opened.locator("#status")).to_contain_text("34000")
    expect(opened.locator(".cursor")).to_be_in_viewport()
    assert opened.locator("#rows > svg").count() < 12


def test_it_is_searched_and_sorted_and_names_stay_text(opened: Page) -> None:
    opened.locator("#search").fill("ODD")
    expect(opened.locator("#found")).to_have_text("1 of 2,000 sequences")
    opened.locator(".item").click()
    expect(opened.locator("h2")).to_have_text("<i>odd</i>&")
    opened.locator("#search").fill("nothing")
    expect(opened.locator("#found")).to_have_text("No id contains this text.")
    opened.locator("#search").fill("")
    opened.locator("#order").select_option(label="longest first")
    expect(opened.locator(".item b").first).to_have_text("titin")


def test_the_keyboard_reaches_everything(opened: Page) -> None:
    opened.locator("#list").focus()
    opened.keyboard.press("ArrowDown")
    expect(opened.locator("h2")).to_have_text("chain_1")
    opened.keyboard.press("End")
    expect(opened.locator("h2")).to_have_text("chain_1999")
    opened.locator("#rows").focus()
    opened.keyboard.press("End")
    expect(opened.locator("#status b")).to_contain_text("239")
    opened.keyboard.press("ArrowLeft")
    expect(opened.locator("#status b")).to_contain_text("238")
    for name in ("#search", "#order", "#jump input", "#tracks", "#copy", "#svg", "#png"):
        opened.locator(name).focus()
        expect(opened.locator(name)).to_be_focused()


def test_what_is_drawn_and_said_is_what_was_predicted(opened: Page) -> None:
    one = prediction("chain_0", 40)
    letters = opened.locator("#rows > svg > text[x*=' ']").all_text_contents()
    assert "".join(letters) == one.record.sequence
    opened.locator("#rows").focus()
    opened.keyboard.press("ArrowRight")
    shares = "  ".join(f"{c} {p:.2f}" for c, p in zip("HEC", one.probabilities[0], strict=True))
    expect(opened.locator("#status")).to_contain_text(one.record.sequence[0] + "1")
    told = opened.locator("#status").text_content() or ""
    numbers = [float(word) for word in told.split() if word.replace(".", "", 1).isdigit()]
    assert np.abs(np.array(numbers[:3]) - one.probabilities[0]).max() < 0.011, shares
    height = opened.locator("#rows").evaluate("box => box.clientHeight")
    opened.locator("#tracks").uncheck()
    assert opened.locator("#rows").evaluate("box => box.clientHeight") < height


@pytest.mark.parametrize("scheme", [SS3, SS8, GENOME])
def test_the_page_and_the_notebook_draw_the_same_shapes(
    page: Page, tmp_path: Path, scheme: LabelScheme
) -> None:
    page.goto(write_page(tmp_path / "p.html", [prediction("a", 30, scheme)], scheme).as_uri())
    for letter, own in [*templates_of(scheme).items(), ("?", UNLABELLED)]:
        for start, length, cell in ((0, 5, 12), (-30, 7, 10.3), (5, 1, 10.5), (0, 30, 11.1)):
            drawn = page.evaluate(
                "([letter, ...where]) => ribbon(classOf(letter).ribbon, ...where)",
                [letter, start, length, cell],
            )
            assert drawn == place(own, start, length, cell)


def test_it_is_copied_and_saved(opened: Page) -> None:
    opened.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.locator("#copy").click()
    expect(opened.locator(".notice")).to_contain_text("Copied")
    copied = opened.evaluate("navigator.clipboard.readText()").splitlines()
    assert copied[0] == ">chain_0"
    assert copied[1].split() == ["1", prediction("chain_0", 40).record.sequence]
    with opened.expect_download() as download:
        opened.locator("#svg").click()
    assert download.value.suggested_filename == "chain_0.svg"
    text = download.value.path().read_text()
    assert "var(" not in text
    assert text.startswith("<svg xmlns")
    with opened.expect_download() as download:
        opened.locator("#png").click()
    assert download.value.path().read_bytes().startswith(b"\x89PNG")
    opened.locator("#search").fill("titin")
    opened.keyboard.press("Enter")
    opened.locator("#png").click()
    expect(opened.locator(".notice")).to_contain_text("too long for one PNG")


def test_a_link_leads_to_a_residue(page: Page, proteins: Path) -> None:
    page.goto(f"{proteins.as_uri()}#titin:1200")
    expect(page.locator("h2")).to_have_text("titin")
    expect(page.locator("#status b")).to_contain_text("1200")


def test_a_link_to_anything_opens_the_page(page: Page, tmp_path: Path) -> None:
    made = [prediction(name, 30) for name in ("first", "100%", "chr:12")]
    uri = write_page(tmp_path / "p.html", made).as_uri()
    for link, name in (("100%", "100%"), ("chr:12", "chr:12"), ("%zz", "first")):
        page.goto("about:blank")
        page.goto(f"{uri}#{link}")
        expect(page.locator("h2")).to_have_text(name)


def test_both_strands_of_a_genome(page: Page, genome: Path) -> None:
    page.goto(genome.as_uri())
    expect(page.locator("#count")).to_have_text("5,000 of 5,000 features")
    assert page.locator("tbody tr").count() < 40
    page.locator("#sort").select_option("score")
    expect(page.locator("tbody tr:not([aria-hidden]) td.n").nth(2)).to_have_text("0.990")
    page.locator("[data-letter=T]").uncheck()
    page.locator("#least").fill("0.9")
    shown = page.locator("tbody button").all_text_contents()
    assert set(shown) == {"minus10"}
    page.locator("tbody button").first.click()
    expect(page.locator("#status")).to_contain_text("strand · score 0.99")
    before = page.locator("#window").text_content()
    page.locator("#map").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#window").text_content() != before
    page.locator("#all").click()
    expect(page.locator("#window")).to_have_text("1 to 1,000,000")
    page.locator(".item", has_text="bare").click()
    expect(page.locator("tbody")).to_have_text("No feature of these classes has this score.")


def test_it_fits_every_width_and_can_be_read(page: Page, proteins: Path, genome: Path) -> None:
    for path in (proteins, genome):
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(path.as_uri())
            assert too_wide(page) == [], f"{path.name} at {width}"
        for colours in ("light", "dark"):
            page.emulate_media(color_scheme=colours)
            assert faint_text(page) == [], f"{path.name}, {colours}"


def test_a_page_without_sequences_says_so(page: Page, tmp_path: Path) -> None:
    page.goto(write_page(tmp_path / "none.html", []).as_uri())
    expect(page.locator("#detail")).to_have_text("This file holds no sequences.")
