"""The page of several runs: who is ahead, what differs, links that lead somewhere."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from grubio.metrics.bootstrap import Score
from grubio.report.compare import compare_runs
from grubio.report.comparison_page import settings, standing
from grubio.report.run_differences import certainty
from grubio.runs.folder import read_run
from grubio.runs.seed_groups import PairedTest
from grubio.sequences.scheme import SS8, custom_scheme
from synthetic_run import labelled_chains, make_run


def pair(first: str, second: str, value: float, low: float, high: float) -> PairedTest:
    return PairedTest(first, second, "t", "q3", 6, Score(value, low, high), 0.003, 0.012)


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    chains = labelled_chains(6)
    return [
        make_run(tmp_path / "low", SS8, chains, skill=1.0, seed=1, hidden_size=32),
        make_run(tmp_path / "high", SS8, chains, skill=2.2, seed=2, hidden_size=64),
    ]


def change(run: Path, **values: object) -> None:
    path = run / "metrics.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_says_who_is_ahead_and_whether_by_chance(runs: list[Path], tmp_path: Path) -> None:
    change(runs[0], q3={"value": 0.6, "low": 0.59, "high": 0.61})
    change(runs[1], q3={"value": 0.7, "low": 0.69, "high": 0.71})
    said = standing(compare_runs(runs, tmp_path / "t.tsv")).replace("\N{NO-BREAK SPACE}", " ")
    assert said == (
        "high has the highest Q3, 70.0 %; next is low with 60.0 %. "
        "Their 95 % intervals do not overlap."
    )
    change(runs[0], q3={"value": 0.65, "low": 0.6, "high": 0.7})
    assert "may be chance" in standing(compare_runs(runs, tmp_path / "t.tsv"))


def test_one_run_is_the_best_of_none(runs: list[Path], tmp_path: Path) -> None:
    change(runs[0], q3={"value": 0.6, "low": 0.59, "high": 0.61})
    alone = standing(compare_runs(runs[:1], tmp_path / "t.tsv")).replace("\N{NO-BREAK SPACE}", " ")
    assert alone == (
        "low: Q3, 60.0 % (95 % interval 59.0 to 61.0). There is no other run to compare it with."
    )
    change(runs[1], q3={"value": None, "low": None, "high": None})
    assert (
        standing(compare_runs(runs, tmp_path / "t.tsv")) == "Only low has a score: Q3, 60.0\xa0%."
    )


def test_runs_of_different_tests_have_no_order(runs: list[Path], tmp_path: Path) -> None:
    dna = [(f"s{i}", "ACGT" * 20, "B" * 40 + "P" * 40) for i in range(4)]
    other = make_run(tmp_path / "dna", custom_scheme("own", "BP"), dna, alphabet="dna")
    said = standing(compare_runs([runs[0], other], tmp_path / "t.tsv"))
    assert said.startswith("The runs cannot be put in one order")


def test_shows_what_differs_and_only_that(runs: list[Path]) -> None:
    differing, shared = settings([read_run(run) for run in runs])
    found = {setting.name: setting.values for setting in differing}
    assert found == {"model.hidden_size": ["32", "64"], "training.seed": ["1", "2"]}
    assert shared > 5
    assert settings([read_run(runs[0])] * 2)[0] == []


def test_links_to_reports_that_are_there(runs: list[Path], tmp_path: Path) -> None:
    (runs[1] / "report.html").touch()
    (tmp_path / "pages").mkdir()
    for page, target in (("c.html", "high/report.html"), ("pages/c.html", "../high/report.html")):
        compare_runs(runs, tmp_path / "t.tsv", page=tmp_path / page)
        text = (tmp_path / page).read_text()
        assert f'<a href="{target}">high</a>' in text
        assert text.count("<a href") == 1


def test_curves_and_scores_are_those_of_the_runs(runs: list[Path], tmp_path: Path) -> None:
    (runs[0] / "history.csv").unlink()
    compare_runs(runs, tmp_path / "t.tsv", page=tmp_path / "c.html")
    text = (tmp_path / "c.html").read_text()
    last = (runs[1] / "history.csv").read_text().splitlines()[-1].split(",")
    assert f"validation loss over epochs. high ends at {float(last[4]):.3f}" in text
    q3 = json.loads((runs[1] / "metrics.json").read_text())["q3"]
    assert f"{100 * q3['value']:.1f}\N{NO-BREAK SPACE}%<span" in text
    (runs[1] / "history.csv").unlink()
    compare_runs(runs, tmp_path / "t.tsv", page=tmp_path / "c.html")
    assert "How the runs learned is left out" in (tmp_path / "c.html").read_text()


def test_says_whether_pairs_can_be_told_apart() -> None:
    for one, other in (("a", "b"), ("b", "a")):
        said = certainty("a", "b", [pair(one, other, 0.02, -0.01, 0.05)])
        assert "a and b cannot be told apart" in (said or "")
    assert "ahead by 1.1 to 3.0 points" in (
        certainty("a", "b", [pair("a", "b", 0.02, 0.011, 0.03)]) or ""
    )
    assert "ahead by 1.1 to 3.0 points" in (
        certainty("a", "b", [pair("b", "a", -0.02, -0.03, -0.011)]) or ""
    )
    assert "b is ahead" in (certainty("a", "b", [pair("b", "a", 0.02, 0.011, 0.03)]) or "")
    assert certainty("a", "c", [pair("a", "b", 0.02, 0.011, 0.03)]) is None


def test_shows_groups_and_paired_differences(runs: list[Path], tmp_path: Path) -> None:
    chains = labelled_chains(6)
    again = make_run(tmp_path / "high-again", SS8, chains, skill=2.2, seed=3, hidden_size=64)
    compare_runs(
        [*runs, again], tmp_path / "t.tsv", page=tmp_path / "c.html", tests=tmp_path / "tests.tsv"
    )
    page = (tmp_path / "c.html").read_text()
    assert re.search(r'<th scope="row">high</th><td class="n">2</td>', page)
    assert "<td>2, 3</td>" in page
    with open(tmp_path / "tests.tsv", encoding="utf-8", newline="") as handle:
        (row,) = csv.DictReader(handle, delimiter="\t")
    value, low, high = (f"{100 * float(row[key]):+.1f}" for key in ("difference", "low", "high"))
    assert (row["first"], row["second"]) == ("low", "high")
    assert f'{value}<span class="range">{low} to {high}</span>' in page
    assert f"low less high: {value}" in page
    assert "They differ in their seed alone." in page
