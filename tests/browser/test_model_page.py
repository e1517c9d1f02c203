"""Pages of models in Chromium and Firefox: labels, files and errors of ``grubio predict``."""

from __future__ import annotations

import base64
import gzip
import json
import lzma
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Page, expect

from browser.firefox import started
from browser.page_checks import WIDTHS, faint_text, too_wide
from conftest import REPOSITORY
from grubio.config import PredictionSettings
from grubio.config.formats import outputs_of
from grubio.errors import GrubioError
from grubio.inference.predictor import Predictor
from grubio.model.architecture import Architecture
from grubio.model.bundle import Bundle, Calibration, Site, load_bundle, save_bundle
from grubio.model.zoo import find_model
from grubio.page.predictor import write_page
from grubio.prediction.predict_file import predict_file
from grubio.sequences.alphabet import DNA, PROTEIN
from grubio.sequences.grammar import grammar_from_dict
from grubio.sequences.posteriors import Transitions
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS8, LabelScheme, custom_scheme
from grubio.sequences.target import Regions, Target

CHAINS = 500
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
LABEL = """
    element("text").value = given[0];
    await run();
    while (page.running) await new Promise((done) => setTimeout(done, 20));
    if (!element("problem").hidden) throw element("problem").innerText;
"""
PACKED = """
    const packed = (array) => {
      const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
      let text = "";
      for (const byte of bytes) text += String.fromCharCode(byte);
      return btoa(text);
    };
"""
TEXTS = """
    const formats = genome ? GENOME_FORMATS : SEQUENCE_FORMATS, texts = {};
    for (const name of given[1]) {
      const pieces = formats[name].pieces(page.results, model, schemeNow(), settingsNow());
      texts[name] = [...pieces].join("");
    }
    return texts;
"""
Run = Callable[..., Any]


@pytest.fixture(scope="package")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if FIREFOX is None:
        pytest.skip("Firefox is not installed (apt install firefox-esr)")
    with started(FIREFOX, tmp_path_factory.mktemp("firefox")) as running:
        yield running


@pytest.fixture(params=["chromium", "firefox"])
def open_in(request: pytest.FixtureRequest) -> Iterator[Callable[[Path], Run]]:
    """A function that opens a page and gives one that runs a script in it, in each browser."""
    if request.param == "firefox":
        firefox = request.getfixturevalue("firefox")

        def in_firefox(path: Path) -> Run:
            firefox.open(path.as_uri())
            return firefox.run  # type: ignore[no-any-return]

        yield in_firefox
        assert firefox.problems() == []
        return
    page: Page = request.getfixturevalue("page")

    def in_chromium(path: Path) -> Run:
        page.goto(path.as_uri())
        return lambda body, *given: page.evaluate(f"async (given) => {{ {body} }}", list(given))

    yield in_chromium


def fasta(records: dict[str, str]) -> str:
    return "".join(f">{name}\n{sequence}\n" for name, sequence in records.items())


def numbers(text: str) -> npt.NDArray[np.float32]:
    return np.frombuffer(base64.b64decode(text), dtype=np.float32)


@pytest.fixture(scope="session")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / "protein.html"
    write_page(find_model("protein-ss-fast"), path)
    return path


@pytest.fixture(scope="session")
def promoters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / "promoters.html"
    write_page(find_model("ecoli-promoters"), path)
    return path


@pytest.fixture(scope="session")
def embedded() -> dict[str, str]:
    with lzma.open(REPOSITORY / "grubio/data/pdb_demo.tsv.xz", "rt") as lines:
        next(lines)
        rows = [line.split("\t") for _, line in zip(range(CHAINS), lines, strict=False)]
    return {name: sequence for name, sequence, *_ in rows}


@pytest.fixture(scope="session")
def expected(embedded: dict[str, str]) -> list[tuple[str, npt.NDArray[np.float32]]]:
    predictor = Predictor(load_bundle(find_model("protein-ss-fast")), "cpu", 1)
    records = [Record(name, "", sequence) for name, sequence in embedded.items()]
    return [(found.labels(SS8.coarse), found.probabilities) for found in predictor.predict(records)]


def test_labels_are_those_of_the_command_line(
    open_in: Callable[[Path], Run],
    fast: Path,
    embedded: dict[str, str],
    expected: list[tuple[str, npt.NDArray[np.float32]]],
) -> None:
    found = open_in(fast)(
        LABEL
        + PACKED
        + "return page.results.map((one) => [one.labels, packed(one.answer.labels)])",
        fasta(embedded),
    )
    labels = "".join(label for label, _ in found)
    known = "".join(label for label, _ in expected)
    same = np.mean([a == b for a, b in zip(labels, known, strict=True)])
    assert len(labels) > 50_000
    assert same >= 0.999
    probabilities = np.concatenate([numbers(text) for _, text in found])
    wanted = np.concatenate([one.ravel() for _, one in expected])
    assert np.abs(probabilities - wanted).max() < 0.005


# ---- models of every kind -------------------------------------------------------------------

TRAINING = {
    **{"dataset_sources": {}, "settings": {}, "chains": 1, "residues": 1, "dataset_sha256": ""},
    **{"valid_score": 0.5, "score_scheme": "own", "valid_chains": 1, "best_epoch": 1},
}
TOPOLOGY = custom_scheme(
    "topology", "SIMO", ("signal peptide", "inside", "membrane helix", "outside"), "O"
).with_grammar(
    grammar_from_dict(
        {
            "next": {"S": ["I", "O"], "I": "M", "O": "M", "M": "IO"},
            "least": {"M": 4},
            "first": ["S", "I"],
            "last": ["I", "O"],
            "present": {"S": 0.3, "M": 0.6},
        },
        "SIMO",
    )
)
ORDER = custom_scheme("order", "XY", ("disorder", "order"))
GENES = custom_scheme("genes", "TCE.", ("tss", "coding", "end", "none"), ".")
CODONS = GENES.with_grammar(
    grammar_from_dict(
        {
            "states": {"a": "C", "b": "C", "c": "C", "t": "T", "e": "E", "n": "."},
            "next": {"n": "nt", "t": "a", "a": "b", "b": "c", "c": "ae", "e": "n"},
        },
        GENES.letters,
    )
)
WHOLE_GENES = GENES.with_grammar(grammar_from_dict({"genes": {"label": "C"}}, GENES.letters))
HELPERS = (
    Target("order", "classes", ORDER),
    Target("depth", "value", None, -2.0, 5.0, regions=Regions("disordered", 1.0, least=2)),
    Target("score", "value", None, -np.inf, np.inf, mean=3.0, deviation=2.0, spread=True),
)


def transitions(size: int, *, learned: bool) -> Transitions:
    scores = np.random.default_rng(size).normal(size=(size, size)) + 2 * np.eye(size)
    return Transitions(tuple(map(tuple, scores.tolist())), 0.8, learned)


def random_weights(
    architecture: Architecture, targets: tuple[Target, ...], channels: int, seed: int
) -> dict[str, npt.NDArray[np.float32]]:
    """Weights as half precision has them, so that a page has the same."""
    generator = np.random.default_rng(seed)
    shapes: dict[str, tuple[int, ...]] = {}
    hidden, inputs, filters = architecture.hidden_size, channels, architecture.stem_channels
    if filters:
        shapes["network.stem.convolution.weight"] = (filters, channels, architecture.stem_width)
        shapes["network.stem.convolution.bias"] = (filters,)
        inputs += filters
    for depth in range(architecture.layers):
        for way in ("forwards", "backwards"):
            name = f"network.layers.{depth}.{way}"
            shapes[f"{name}.weight_ih_l0"] = (3 * hidden, inputs)
            shapes[f"{name}.weight_hh_l0"] = (3 * hidden, hidden)
            shapes[f"{name}.bias_ih_l0"] = shapes[f"{name}.bias_hh_l0"] = (3 * hidden,)
        inputs = 2 * hidden
    for number, target in enumerate(targets):
        shapes[f"heads.{number}.weight"] = (target.size, inputs)
        shapes[f"heads.{number}.bias"] = (target.size,)
    return {
        name: generator.normal(0, 0.5, shape).astype(np.float16).astype(np.float32)
        for name, shape in shapes.items()
    }


def save_model(folder: Path, targets: tuple[Target, ...], **changed: Any) -> Path:
    alphabet = changed.pop("alphabet", PROTEIN)
    calibrations, sites = changed.pop("calibrations", {}), changed.pop("sites", None)
    members = changed.pop("members", 1)
    architecture = Architecture("gru", **{"hidden_size": 10, "layers": 2, "dropout": 0.0} | changed)
    weights: dict[str, npt.NDArray[np.float32]] = {}
    for member in range(members):
        own = random_weights(architecture, targets, alphabet.channels, member)
        before = f"members.{member}." if members > 1 else ""
        weights |= {before + name: array for name, array in own.items()}
    bundle = Bundle((architecture,) * members, targets, weights, alphabet, calibrations, sites)
    save_bundle(folder, bundle, TRAINING)
    return folder


def ensemble(folder: Path) -> Path:
    """Three networks without a convolution; labels with a grammar, and all kinds of targets."""
    calibration = Calibration(0.7, (0.1, -0.2, 0.1, 0.0), transitions=transitions(4, learned=False))
    return save_model(
        folder,
        (Target("labels", "classes", TOPOLOGY), *HELPERS),
        members=3,
        calibrations={"labels": calibration, "score": Calibration(deviation=1.5)},
    )


def learned(folder: Path) -> Path:
    """Transitions of a conditional random field; an odd number of channels."""
    calibration = Calibration(1.2, transitions=transitions(8, learned=True))
    targets = (Target("labels", "classes", SS8),)
    return save_model(
        folder, targets, stem_channels=5, stem_width=3, calibrations={"labels": calibration}
    )


def values(folder: Path) -> Path:
    """Values alone."""
    return save_model(folder, HELPERS[2:], stem_channels=4, stem_width=5)


PROTEINS = {
    "a": "MKTAYIAKQRXBZUQISFVKSHFSRQ",
    "b": "gsgs",
    "c": "ACDEFGHIKLMNPQRSTVWY" * 6,
    "d|x=1": "W",
}
NUMBER = re.compile(r"-?\d+\.\d+|-?\d+(?=[,\]}])")


def assert_alike(found: str, wanted: str, tolerance: float = 2e-4) -> None:
    """The same text, but for the last digits of numbers."""
    assert NUMBER.sub("#", found) == NUMBER.sub("#", wanted)
    pairs = zip(NUMBER.findall(found), NUMBER.findall(wanted), strict=True)
    assert all(abs(float(a) - float(b)) <= tolerance for a, b in pairs)


def as_json(text: str) -> str:
    return json.dumps(json.loads(text, parse_int=float), indent=0)


@pytest.mark.parametrize("make", [ensemble, learned, values])
def test_files_hold_what_those_of_the_command_line_hold(
    open_in: Callable[[Path], Run], tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    model = make(tmp_path / "model")
    write_page(model, tmp_path / "page.html")
    (tmp_path / "in.fa").write_text(fasta(PROTEINS))
    names = ["tsv", "json"] if make is values else ["tsv", "fasta", "gff3", "json"]
    calls = {} if make is values else {"min_confidence": 0.4, "min_segment": 2, "max_gap": 1}
    settings = PredictionSettings(calls=calls, device="cpu", threads=1)
    outputs = outputs_of([str(tmp_path / f"out.{name}") for name in names])
    predict_file(str(tmp_path / "in.fa"), outputs, model, settings)
    chosen = "".join(
        f'element("option-{field}").value = "{value}";'
        for field, value in (("minConfidence", 0.4), ("minSegment", 2), ("maxGap", 1))
        if calls
    )
    texts = open_in(tmp_path / "page.html")(chosen + LABEL + TEXTS, fasta(PROTEINS), names)
    for name in names:
        wanted = (tmp_path / f"out.{name}").read_text()
        found = texts[name]
        if name == "json":
            found, wanted = as_json(found), as_json(wanted)
        assert_alike(found, wanted)


@pytest.mark.parametrize("scheme", [GENES, CODONS, WHOLE_GENES], ids=["sites", "grammar", "genes"])
def test_both_strands_of_contigs_window_by_window(
    open_in: Callable[[Path], Run], tmp_path: Path, scheme: LabelScheme
) -> None:
    sites = {"T": Site(1, 0.3), "E": Site(6, 0.2)} if scheme is GENES else {}
    targets = (Target("labels", "classes", scheme),)
    model = save_model(
        tmp_path / "model", targets, alphabet=DNA, sites=sites, stem_channels=6, stem_width=7,
        calibrations={"labels": Calibration(0.6, (0.1, -0.1, 0.2, -0.2))},
    )  # fmt: skip
    write_page(model, tmp_path / "page.html")
    letters = np.random.default_rng(5).choice(list("ACGTacgt"), 9001)
    text = "".join(letters)
    contigs = {"c1": f"{text[:3000]}{'N' * 40}{text[3000:]}", "c;2": "ACGTNRYKACGTUACCA"}
    (tmp_path / "in.fa").write_text(fasta(contigs))
    names = ["tsv", "gff3", "bed"]
    outputs = outputs_of([str(tmp_path / f"out.{name}") for name in names])
    # Whole genes are for the command line.
    grammar = "none" if scheme is WHOLE_GENES else None
    settings = PredictionSettings(device="cpu", threads=1, alphabet="dna", grammar=grammar)
    predict_file(str(tmp_path / "in.fa"), outputs, model, settings)
    run = open_in(tmp_path / "page.html")
    texts = run(LABEL + TEXTS, fasta(contigs), names)
    short = "No sites are called on 1 contig of fewer than 100 bases: c;2."
    assert (short in run("return page.remarks")) == (scheme is GENES)
    assert len((tmp_path / "out.bed").read_text().splitlines()) > 50
    for name in names:
        tolerance = 1.001 if name == "bed" else 1.01e-3
        found, wanted = texts[name], (tmp_path / f"out.{name}").read_text()
        if name == "bed":
            found, wanted = (
                re.sub(r"\t(\d+)\t([+-])\n", r"\t\1.0\t\2\n", one) for one in (found, wanted)
            )
        assert_alike(found, wanted, tolerance)


# ---- its use, in Chromium -------------------------------------------------------------------

BAD = {
    "letter.fa": ">ok\nMKTAYIAKQR\n>bad one\nMKT7YI9KQR\n",
    "gap.fa": ">a\nMKT--AYIAKQR\n",
    "stop.fa": ">a\nMK*TAYIAKQR*\n",
    "twice.fa": ">a\nMKTAYIAKQR\n>b\nMKT\n>a x\nMKTAY\n",
    "noid.fa": ">a\nMKTAYIAKQR\n>\nMKT\n",
    "before.fa": "LOCUS  X1\n>a\nMKT\n",
    "nothing.fa": "\n\n>a\n",
    "dna.fa": f">a\n{'ACGTTGCA' * 20}\n",
    "three.fa": ">a\nMKTAYIAKQRWVLD\nHHHHHHHHHHHHCC\n>b\nMKTAYIAKQRWVLD\nHHHHHHHHHHHHCC\n",
    "ascii.fa": ">\u00e4\nMKT\n",
    "text.fa": "this is, well, no sequence\n",
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told_as_by_the_command_line(
    page: Page, fast: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(BAD[name], encoding="utf-8")
    with pytest.raises(GrubioError) as error:
        predict_file(name, outputs_of(["out.tsv"]), find_model("protein-ss-fast"))
    page.goto(fast.as_uri())
    page.locator("#file").set_input_files(name)
    page.locator("#run").click()
    expect(page.locator("#problem p").first).to_have_text(str(error.value).split("\nhint")[0])
    hint = page.locator("#problem p").nth(1)
    assert bool(hint.text_content()) == bool(error.value.hint)
    expect(page.locator("#results")).to_be_hidden()


def test_bad_records_are_left_out_or_masked(page: Page, fast: Path) -> None:
    page.goto(fast.as_uri())
    page.locator("#text").fill(BAD["letter.fa"])
    page.locator("summary", has_text="Options").click()
    page.locator("#option-onInvalid").select_option("skip")
    page.locator("#run").click()
    expect(page.locator("#remarks")).to_contain_text(
        "bad (position 4: '7' is not a protein residue"
    )
    expect(page.locator("h2", has_text="ok")).to_be_visible()
    page.locator("#option-onInvalid").select_option("mask")
    page.locator("#run").click()
    expect(page.locator("#found")).to_have_text("2 sequences")
    expect(page.locator("#remarks")).not_to_contain_text("Left out")


def test_a_sequence_is_pasted_drawn_and_saved(page: Page, fast: Path) -> None:
    page.goto(fast.as_uri())
    page.locator("#text").fill(
        "mktayiakqrqisfvkshfsrqleerlglievqapilsrvgdgtqdnlsgaekavqvkvkalpdaqfevv"
    )
    page.keyboard.press("Control+Enter")
    expect(page.locator("#detail h2")).to_have_text("sequence")
    expect(page.locator("#about")).to_contain_text("SS3 \u00b7 1 sequence, 70 residues")
    expect(page.locator("#rows > svg").first).to_be_visible()
    for name, start in (
        ("TSV", "id\tposition\tresidue\tlabel\tp_H"),
        ("FASTA", ">sequence\n"),
        ("GFF3", "##gff-version 3\n# grubio model protein-ss-fast"),
        ("JSON", '{"format":"grubio-predictions"'),
    ):
        with page.expect_download() as download:
            page.locator("#downloads button", has_text=name).click()
        assert download.value.suggested_filename == f"sequence.{name.lower()}"
        assert download.value.path().read_text().startswith(start)
    with page.expect_download() as download:
        page.locator("#svg").click()
    assert download.value.path().read_text().startswith("<svg xmlns")
    page.locator("summary", has_text="Options").click()
    page.locator("#option-scheme").select_option("0")
    expect(page.locator("#about")).to_contain_text("SS8 \u00b7 1 sequence")
    expect(page.locator(".keys")).to_contain_text("3-10 helix")


def test_what_looks_like_dna_is_labelled_if_wanted(page: Page, fast: Path) -> None:
    page.goto(fast.as_uri())
    page.locator("#text").fill(BAD["dna.fa"])
    page.locator("#run").click()
    expect(page.locator("#problem")).to_contain_text("looks like DNA, but protein was expected")
    page.locator("#insist").click()
    expect(page.locator("#detail h2")).to_have_text("a")
    expect(page.locator("#problem")).to_be_hidden()


@pytest.mark.parametrize(
    ("which", "texts"),
    [
        ("fast", ["MKTAYIAKQR", "GSAEAAAKEA"]),
        ("fast", ["AEAAAKAAEKKL" * 60]),
        ("fast", ["MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQVKVKALPDAQFEVV"]),
        ("promoters", ["GCGCCGGCNRATGCGCGGCC" * 400]),
        ("promoters", ["ACGT"]),
    ],
)
def test_an_input_unlike_the_training_is_told_as_by_the_command_line(
    page: Page, request: pytest.FixtureRequest, which: str, texts: list[str]
) -> None:
    bundle = load_bundle(
        find_model({"fast": "protein-ss-fast", "promoters": "ecoli-promoters"}[which])
    )
    page.goto(request.getfixturevalue(which).as_uri())
    told = page.evaluate(
        "texts => unlikeTraining(texts.map((sequence) => ({ sequence })), model)", texts
    )
    expected = bundle.unlike_training(texts)
    assert (expected is None) == (told == "")
    if expected is not None:
        assert told.startswith(f"Unlike what {bundle.name} was trained on: {expected};")


def test_a_compressed_file_is_opened(page: Page, fast: Path, tmp_path: Path) -> None:
    (tmp_path / "some.fa.gz").write_bytes(gzip.compress(b">packed\r\nMKTAYIAKQR\r\n"))
    page.goto(fast.as_uri())
    page.locator("#file").set_input_files(tmp_path / "some.fa.gz")
    expect(page.locator("#held")).to_contain_text("some.fa.gz, 1 kB")
    page.locator("#run").click()
    expect(page.locator("#detail h2")).to_have_text("packed")
    page.locator("#release").click()
    expect(page.locator("#text")).to_be_visible()


def test_ten_thousand_records_and_a_cancelled_run(page: Page, fast: Path) -> None:
    page.goto(fast.as_uri())
    # While it labels, the page answers: the longest pause between two ticks is kept.
    page.evaluate(
        "() => { let last = performance.now(); window.pause = 0; setInterval(() => {"
        " const now = performance.now(); window.pause = Math.max(window.pause, now - last);"
        " last = now; }, 20); }"
    )
    page.evaluate(
        "text => { element('text').value = text; }",
        fasta({f"r{number}": "MKTAYI" for number in range(10_000)}),
    )
    page.locator("#run").click()
    expect(page.locator("#done")).to_contain_text("of 10,000 sequences")
    page.locator("#cancel").click()
    expect(page.locator("#progress")).to_be_hidden()
    assert page.evaluate("page.worker === null")
    page.locator("#run").click()
    expect(page.locator("#found")).to_have_text("10,000 sequences", timeout=60_000)
    assert page.locator(".item").count() < 40
    assert page.evaluate("window.pause") < 1500
    page.locator("#list").focus()
    page.keyboard.press("End")
    expect(page.locator("#detail h2")).to_have_text("r9999")


def test_what_was_labelled_before_a_cancel_is_shown(page: Page, fast: Path) -> None:
    page.goto(fast.as_uri())
    records = {"short": "MKTAYIAKQR"} | {f"long{n}": "MKTAYIAKQR" * 600 for n in range(20)}
    page.evaluate("text => { element('text').value = text; }", fasta(records))
    page.locator("#run").click()
    page.wait_for_function("page.results.filter(Boolean).length > 0")
    page.locator("#cancel").click()
    expect(page.locator("#remarks")).to_contain_text("Cancelled: ")
    expect(page.locator("#detail h2")).to_have_text("short")


def test_a_browser_without_what_is_needed_gets_a_sentence(page: Page, fast: Path) -> None:
    page.add_init_script("delete globalThis.WebAssembly")
    page.goto(fast.as_uri())
    expect(page.locator("#unsupported")).to_contain_text("Firefox 89")
    expect(page.locator("#input")).to_be_hidden()


def test_a_genome_is_listed_and_drawn(page: Page, promoters: Path) -> None:
    page.goto(promoters.as_uri())
    page.locator("#example").click()
    page.locator("#run").click()
    expect(page.locator("#about")).to_contain_text("1 contig, ")
    assert page.locator("#lanes rect").count() > 0
    assert page.locator("#features tbody button").count() > 0
    with page.expect_download() as download:
        page.locator("#downloads button", has_text="BED").click()
    assert len(download.value.path().read_text().splitlines()) > 0
    with page.expect_download() as download:
        page.locator("#svg").click()
    text = download.value.path().read_text()
    assert text.startswith("<svg xmlns")
    assert "var(" not in text


@pytest.mark.parametrize("which", ["fast", "promoters"])
def test_it_fits_every_width_and_can_be_read(
    page: Page, request: pytest.FixtureRequest, which: str
) -> None:
    page.goto(request.getfixturevalue(which).as_uri())
    page.locator("#example").click()
    page.locator("#run").click()
    expect(page.locator("#results")).to_be_visible()
    for summary in page.locator("summary").all():
        summary.click()
    page.evaluate("showProblem(new InputError('a problem', { hint: 'a hint' })); busy(true)")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert too_wide(page) == [], f"at {width}"
    for colours in ("light", "dark"):
        page.emulate_media(color_scheme=colours)
        assert faint_text(page) == [], colours
