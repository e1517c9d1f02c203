"""The report of a run: complete, true to the files, safe, the same every time, offline."""

from __future__ import annotations

import itertools
import json
import math
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from typer.testing import CliRunner

from grubio.cli.compare import compare
from grubio.cli.report import report
from grubio.cli.summary import summary
from grubio.errors import GrubioError
from grubio.metrics.bootstrap import Score
from grubio.report.page import render_report, write_report
from grubio.report.residue_drawing import draw_chains, worst_and_best
from grubio.report.summary import find_runs, summary_lines
from grubio.report.templating import text_colour
from grubio.report.verdict import checks, homologs_in_training, verdict
from grubio.runs.files import told_weights
from grubio.runs.folder import read_run
from grubio.runs.metrics import Metrics
from grubio.runs.numbers import percent, range_text
from grubio.runs.tables import ChainScore
from grubio.sequences.best_path import best_classes
from grubio.sequences.scheme import SS3, SS8, LabelScheme, custom_scheme
from synthetic_run import HOSTILE, labelled_chains, make_run

OPTIONAL = {
    "history.csv": "How the model learned is left out",
    "per_chain.tsv": "The distribution over chains is left out",
    "confusion.tsv": "The confusion matrix is left out",
    "calibration.tsv": "The calibration curve is left out",
    "test_predictions.parquet": "No chain is drawn",
}
SECTIONS = ["scores", "learning", "classes", "confusion", "calibration", "groups", "chains", "made"]
VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """Collects what the tests ask about, and fails on tags that do not match."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, bool]] = []  # each with whether it is in an image
        self.ids: list[str] = []
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.headings: list[str] = []
        self.unlabelled: list[str] = []
        self.captionless = 0
        self.words: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert not self.open
        self.text = " ".join("".join(self.words).replace("\N{NO-BREAK SPACE}", " ").split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given_ = dict(attrs)
        self.tags.append(tag)
        if "id" in given_:
            self.ids.append(given_["id"] or "")
        for name in ("src", "href", "xlink:href", "srcset", "data", "action"):
            if name in given_:
                self.loads.append(given_[name] or "")
        if given_.get("role") == "img" and not given_.get("aria-label"):
            self.unlabelled.append(tag)
        image = given_.get("role") == "img" or bool(self.open and self.open[-1][1])
        if tag == "svg" and not image:
            self.unlabelled.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(tag)
        self.captionless += (tag == "table") - (tag == "caption")
        if tag not in VOID:
            self.open.append((tag, image))
        self.words.append(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag
        self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if not any(tag in ("style", "script") for tag, _ in self.open):
            self.words.append(data)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("runs") / "small", SS8, labelled_chains(8))


@pytest.fixture
def copy(run: Path, tmp_path: Path) -> Path:
    without_page = shutil.ignore_patterns("report.html")
    return Path(shutil.copytree(run, tmp_path / "small", ignore=without_page))


def page_of(folder: Path) -> Page:
    write_report(folder, folder / "report.html")
    return Page(folder / "report.html")


def change_json(path: Path, **values: object) -> None:
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **values}))


def test_has_every_section_and_is_accessible(run: Path) -> None:
    page = page_of(run)
    assert [name for name in SECTIONS if name not in page.ids] == []
    assert len(page.ids) == len(set(page.ids))
    assert page.unlabelled == []
    assert page.captionless == 0
    levels = [int(heading[1]) for heading in page.headings]
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    assert page.text.count("How to read this.") >= 7
    assert "left out" not in page.text


def test_links_the_page_of_its_model(run: Path, copy: Path) -> None:
    link = '<a href="predictor.html">'
    assert link not in render_report(read_run(run))
    for digest, own in (("a" * 64, True), ("b" * 64, False)):
        # As it stands on the page of a model, and as a model says what it was started from.
        facts = f"<dd>{told_weights(digest)}</dd><p>from <code>{'a' * 64}</code></p>"
        (copy / "predictor.html").write_text(facts)
        assert (link in render_report(read_run(copy))) == own


def test_the_metrics_of_an_earlier_model_are_refused(copy: Path) -> None:
    model = json.loads((copy / "model/model.json").read_text())
    change_json(copy / "model/model.json", weights_sha256="b" * 64)
    with pytest.raises(GrubioError, match="has the scores of another model") as refused:
        read_run(copy)
    assert "grubio evaluate" in str(refused.value)
    assert str(copy / "metrics.json") in str(refused.value)
    # Metrics of the first releases do not say whose they are.
    metrics = json.loads((copy / "metrics.json").read_text())
    change_json(copy / "metrics.json", provenance={**metrics["provenance"], "weights_sha256": None})
    assert read_run(copy).model == {**model, "weights_sha256": "b" * 64}


def test_loads_nothing(run: Path) -> None:
    page = page_of(run)
    assert "link" not in page.tags
    assert all(target.startswith("#") for target in page.loads)
    assert {target[1:] for target in page.loads} <= set(page.ids)
    # The name of SVG's elements looks like an address, but nothing is loaded from it.
    raw = (run / "report.html").read_text().replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|@import", raw)
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)", raw))


def test_numbers_are_those_of_the_files(run: Path) -> None:
    text = page_of(run).text
    metrics = json.loads((run / "metrics.json").read_text())
    for key in ("q3", "q8", "sov", "sov_refine", "q3_chain_mean", "ece", "ece_uncalibrated"):
        value, low, high = (100 * metrics[key][end] for end in ("value", "low", "high"))
        assert f"{value:.1f} % {low:.1f} to {high:.1f}" in text, key
    for key in ("macro_f1", "mcc"):
        assert "{value:.3f} {low:.3f} to {high:.3f}".format(**metrics[key]) in text
    baseline = metrics["baselines"]["window_logistic"]["q3"]["value"]
    assert f"{100 * baseline:.1f} %" in text
    assert f"{100 * metrics['gain_over_window_logistic']['value']:+.1f} points" in text
    for row in metrics["by_length"]:
        if row["q3"]["value"] is not None:
            assert f"{row['chains']} {row['residues']:,} {100 * row['q3']['value']:.1f} %" in text
    for row in (run / "confusion.tsv").read_text().splitlines()[1:]:
        assert f" {int(row.split()[3]):,} " in text
    model = json.loads((run / "model" / "model.json").read_text())
    assert model["weights_sha256"] in text
    assert model["training"]["dataset_sha256"] in text
    assert "torch 2.4.0" in text


def test_same_bytes_again_and_small(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_report(run, tmp_path / "one.html")
    import matplotlib

    monkeypatch.setitem(matplotlib.rcParams, "font.size", 31)
    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "path")
    write_report(run, tmp_path / "two.html")
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()
    assert (tmp_path / "one.html").stat().st_size < 5_000_000
    assert str(run) not in (tmp_path / "one.html").read_text()


@pytest.mark.parametrize("name", OPTIONAL)
def test_optional_file_missing(copy: Path, name: str) -> None:
    (copy / name).unlink()
    page = page_of(copy)
    assert OPTIONAL[name] in page.text
    assert [section for section in SECTIONS if section not in page.ids] == []


@pytest.mark.parametrize("name", ["metrics.json", "model/model.json"])
def test_required_file_missing(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(GrubioError, match=Path(name).name):
        page_of(copy)
    assert not (copy / "report.html").exists()


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("metrics.json", "{", "cannot be read"),
        ("metrics.json", "[]", "object"),
        ("metrics.json", "{}", "has none of q3"),
        ("metrics.json", '{"q3": "high"}', "a number was expected"),
        ("metrics.json", '{"q3": 0.5, "by_length": [{"from": 1}]}', "by_length"),
        ("metrics.json", '{"q3": 0.5, "classes": {"ss9": {}}}', "no label scheme 'ss9'"),
        ("history.csv", "epoch,step\n1,2\n", "no column 'train_loss'"),
        (
            "per_chain.tsv",
            "id\tresidues\tscored\tq3\tnearest\tidentity\na\tx\t1\t1\t\t\n",
            "line 2",
        ),
        ("per_chain.tsv", "id\tresidues\tscored\tq3\tnearest\tidentity\na\t1\n", "line 2"),
        ("confusion.tsv", "scheme\tobserved\tpredicted\tcount\nss3\tH\tH\tmany\n", "line 2"),
        ("test_predictions.parquet", "no parquet", "cannot be read"),
    ],
)
def test_damaged_file(copy: Path, name: str, text: str, problem: str) -> None:
    (copy / name).write_text(text)
    with pytest.raises(GrubioError, match=problem):
        page_of(copy)


def test_hostile_text_is_escaped(tmp_path: Path) -> None:
    chains = [(f"{HOSTILE}{i}", *rest) for i, (_, *rest) in enumerate(labelled_chains(4))]
    folder = make_run(tmp_path / "run<b>&$x$", SS8, chains)
    model = folder / "model" / "model.json"
    training = json.loads(model.read_text())["training"]
    training["dataset_sources"] = {HOSTILE: "e" * 64}
    change_json(model, training=training)
    change_json(
        folder / "metrics.json",
        reduction=HOSTILE,
        by_identity=[{"band": HOSTILE, "chains": 2, "residues": 9, "q3": 0.5}],
    )
    page = page_of(folder)
    assert "<script>alert" not in (folder / "report.html").read_text()
    assert page.text.count(HOSTILE) >= 6
    assert f"from {HOSTILE}" in page.text


def test_scheme_of_ones_own(tmp_path: Path) -> None:
    scheme = custom_scheme("promoter", "<&", ("background", "a <b>"), "<")
    chains = [(f"chr1:{i}", "ACGT" * 40, "<" * 60 + "&" * 60 + "?" * 40) for i in range(4)]
    text = page_of(make_run(tmp_path / "dna", scheme, chains, alphabet="dna")).text
    assert "Accuracy on the test set" in text
    assert "test sequences" in text
    assert "SOV" not in text
    assert "Q3" not in text
    assert "a <b>" in text


def test_a_rare_class_has_another_headline_than_accuracy(tmp_path: Path) -> None:
    scheme = custom_scheme("binding", "B.", ("binding site", "background"), ".")
    chains = [(f"P{i}", "ACDE" * 40, "." * 150 + "B" * 10) for i in range(4)]
    folder = make_run(tmp_path / "sites", scheme, chains)
    score, gain = (
        {"value": 0.412, "low": 0.38, "high": 0.44},
        {"value": 0.3, "low": 0.2, "high": 0.4},
    )
    change_json(
        folder / "metrics.json",
        mcc=score,
        headline={"key": "mcc"},
        gain_over_window_logistic=gain,
        by_length=[{"from": 1, "to": 160, "chains": 4, "residues": 640, "mcc": score}],
    )
    text = page_of(folder).text
    assert "Labels residues with an MCC of 0.412 in 4 test chains" in text
    assert "MCC on the test set" in text
    assert "0.380 to 0.440" in text
    assert "+0.300 of MCC over a logistic regression" in text
    assert "accuracy of each test chain" in text
    for word in ("Q3", "Q8", "SOV", "helix", "coil", "secondary"):
        assert word not in text
    lines = [line.strip() for line in summary_lines(folder)]
    assert lines[1].startswith("MCC 0.412 (95 % interval 0.380 to 0.440) on 4 test chains")
    change_json(folder / "metrics.json", headline={"key": "sov"})
    with pytest.raises(GrubioError, match="has none of sov"):
        read_run(folder)


def test_scores_without_value(copy: Path) -> None:
    nothing = {"value": None, "low": None, "high": None}
    change_json(copy / "metrics.json", sov=nothing, ece=nothing, gain_over_window_logistic=None)
    change_json(copy / "metrics.json", baselines={}, by_identity=[], by_length=[], classes={})
    page = page_of(copy)
    assert "The calibration error was not measured." in page.text
    assert "There is no baseline to compare with." in page.text
    assert "the split was not audited" in page.text
    assert "Not fully checked" in page.text


def test_history_of_one_row_with_no_training_loss(copy: Path) -> None:
    header = (copy / "history.csv").read_text().splitlines()[0]
    (copy / "history.csv").write_text(f"{header}\n1,10,100,nan,1.5,0.5,0.1,10\n")
    assert "nan" not in page_of(copy).text.split()


def test_homologs_make_the_verdict_cautious(tmp_path: Path, run: Path) -> None:
    leaky = make_run(tmp_path / "leaky", SS8, labelled_chains(8), homologs=3)
    found = read_run(leaky)
    assert found.chains is not None
    assert homologs_in_training(found.chains) == 3
    outcome, answer = verdict(checks(found))
    assert outcome == "caution"
    assert "independence of the test set" in answer
    assert "3 of 8 test chains have a training chain" in page_of(leaky).text
    assert checks(read_run(run))[0].outcome == "good"


@pytest.mark.parametrize(
    ("identity", "coverage", "evalue", "outcome", "sentence"),
    [
        ("0.180", "0.900", "1e-05", "caution", "1 test chain has a training chain of lower"),
        ("1.000", "1.000", "3", "caution", "1 of them is a copy: identical to a training chain"),
        ("0.180", "0.900", "0.5", "good", "None of 8 test chains has"),
    ],
)
def test_the_verdict_sees_remote_homologs_and_copies(
    identity: str, coverage: str, evalue: str, outcome: str, sentence: str, tmp_path: Path
) -> None:
    clean = make_run(tmp_path / "clean", SS8, labelled_chains(8))
    path = clean / "per_chain.tsv"
    first, *rest = path.read_text().splitlines()
    second = [*rest[0].split("\t")[:-4], "1ABC_A", identity, coverage, evalue]
    path.write_text("\n".join([first, "\t".join(second), *rest[1:]]) + "\n")
    found = checks(read_run(clean))[0]
    assert found.outcome == outcome
    assert sentence in found.finding


def test_a_run_without_e_values_is_judged_by_identity(copy: Path) -> None:
    path = copy / "per_chain.tsv"
    rows = [line.rsplit("\t", 2)[0] for line in path.read_text().splitlines()]
    path.write_text("\n".join(rows) + "\n")
    assert checks(read_run(copy))[0].finding.startswith("None of")


def test_a_test_set_unlike_the_training_data_makes_the_verdict_cautious(copy: Path) -> None:
    before = len(checks(read_run(copy)))
    change_json(copy / "metrics.json", unlike_training="its composition differs (60 % Q)")
    found = checks(read_run(copy))
    assert len(found) == before + 1
    assert "likeness to the training data" in verdict(found)[1]
    assert "differs from the training data: its composition differs (60 % Q)" in page_of(copy).text


def test_majority_that_wins_is_told(copy: Path) -> None:
    change_json(copy / "metrics.json", baselines={"majority": {"q3": 0.99}})
    gain = checks(read_run(copy))[1]
    assert gain.outcome == "caution"
    assert "99.0" in gain.finding


def test_drawing_says_what_was_observed_and_predicted(run: Path) -> None:
    import pyarrow.parquet as pq

    chains = read_run(run).chains
    assert chains is not None
    worst, best = worst_and_best(chains)
    table = pq.read_table(run / "test_predictions.parquet").to_pylist()
    for drawing in draw_chains(run / "test_predictions.parquet", SS8, [*worst, *best]):
        rows = [row for row in table if row["id"] == drawing.chain.id]
        observed = "".join(s.letters for block in drawing.blocks for s in block.observed)
        predicted = "".join(s.letters for block in drawing.blocks for s in block.predicted)
        wrong = sum(len(s.letters) for b in drawing.blocks for s in b.predicted if s.wrong)
        assert observed == "".join(SS8.reduction[row["observed"]] for row in rows)
        assert "".join(block.residues for block in drawing.blocks) == "".join(
            row["residue"] for row in rows
        )
        p = np.array([[row[f"p_{letter}"] for letter in SS8.letters] for row in rows])
        assert predicted == SS3.decode(*best_classes([p @ SS8.reduction_matrix(SS3)], SS3))
        assert drawing.chain.score == pytest.approx(1 - wrong / len(rows), abs=1e-4)
        assert [block.start for block in drawing.blocks] == list(range(1, len(rows) + 1, 10))


def test_unknown_residues_are_drawn_as_such(tmp_path: Path) -> None:
    name, sequence, labels = labelled_chains(1)[0]
    chains = [(f"{name}{i}", sequence, "?" * 25 + labels[25:]) for i in range(2)]
    folder = make_run(tmp_path / "masked", SS8, chains)
    found = read_run(folder)
    assert found.chains is not None
    drawing = draw_chains(folder / "test_predictions.parquet", SS8, found.chains)[0]
    head = drawing.blocks[:2]
    assert all(s.letters == "?" * 10 and s.class_index is None for b in head for s in b.observed)
    assert not any(s.wrong for b in head for s in b.predicted)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 60)), max_size=12))
def test_worst_and_best_are_extremes_and_disjoint(scores: list[tuple[float, int]]) -> None:
    chains = [ChainScore(f"c{i}", n, n, s, None, None) for i, (s, n) in enumerate(scores)]
    worst, best = worst_and_best(chains)
    eligible = sorted(c.score for c in chains if c.scored >= 30 and c.score is not None)
    assert not {c.id for c in worst} & {c.id for c in best}
    assert [c.score for c in worst] == eligible[: len(worst)]
    assert [c.score for c in best] == eligible[::-1][: len(best)]
    assert len(worst) == len(best) == min(3, len(eligible) // 2)


@given(st.floats(0, 1), st.floats(0, 0.2))
def test_written_numbers_read_back(value: float, half: float) -> None:
    assert float(percent(value).split("\N{NO-BREAK SPACE}")[0]) == pytest.approx(
        100 * value, abs=0.0501
    )
    low, high = range_text("q3", Score(value, value - half, value + half)).split(" to ")
    assert float(low) <= float(high)


def test_interval_refuses_text() -> None:
    assert not Metrics.model_validate({"q3": math.nan}).score("q3").known
    for wrong in ("high", True, {"value": True}):
        with pytest.raises(ValidationError, match="number"):
            Metrics.model_validate_json(json.dumps({"q3": wrong}))


@pytest.mark.parametrize("scheme", [SS3, SS8, custom_scheme("eight", "abcdefgh")])
def test_letters_are_readable_on_class_colours(scheme: LabelScheme) -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))

    for colour in scheme.colours:
        low, high = sorted((luminance(colour), luminance(text_colour(colour))))
        assert (high + 0.05) / (low + 0.05) >= 4.5


def test_summary(run: Path, copy: Path) -> None:
    (copy / "predictions").mkdir()
    for name in ("a.tsv", "b.ss2"):
        (copy / "predictions" / name).touch()
    (copy / "report.html").touch()
    lines = summary_lines(copy)
    metrics = json.loads((copy / "metrics.json").read_text())
    assert lines[0] == "small"
    assert f"Q3 {100 * metrics['q3']['value']:.1f} %" in lines[1]
    assert "on 8 test chains" in lines[1]
    text = "\n".join(lines)
    for path in ("model", "report.html", "predictions/a.tsv", "predictions/b.ss2"):
        assert str(copy / path) in text
    assert text.isascii()
    assert max(len(line) for line in lines if str(copy) not in line) <= 80


def test_commands(copy: Path) -> None:
    app = typer.Typer()
    for command in (report, compare, summary):
        app.command()(command)
    made = copy / "report.html"
    call = CliRunner().invoke
    result = call(app, ["report", str(copy)])
    assert (result.exit_code, result.stdout) == (0, f"{made}\n")
    table = copy.parent / "table.tsv"
    result = call(app, ["compare", str(copy), "--output", str(table)])
    assert (result.exit_code, result.stdout) == (0, f"{table}\n")
    result = call(app, ["summary", str(copy.parent)])
    assert result.stdout.splitlines() == summary_lines(copy)
    assert isinstance(call(app, ["report", str(copy.parent)]).exception, GrubioError)


def test_find_runs(run: Path, copy: Path, tmp_path: Path) -> None:
    assert find_runs([copy.parent]) == [copy]
    assert find_runs([copy, copy.parent, run]) == [copy, run]
    (tmp_path / "empty").mkdir()
    with pytest.raises(GrubioError, match="no evaluated run"):
        find_runs([tmp_path / "empty"])
    with pytest.raises(GrubioError, match="no such folder"):
        find_runs([tmp_path / "nowhere"])
