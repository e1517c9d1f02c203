"""Several runs side by side: the table, the figure, the page, and what cannot be compared."""

from __future__ import annotations

import csv
import json
import logging
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from grubio.errors import GrubioError
from grubio.report.compare import compare_runs
from grubio.sequences.scheme import SS3, SS8, custom_scheme
from synthetic_run import labelled_chains, make_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder, chains = tmp_path_factory.mktemp("runs"), labelled_chains(6)
    return [
        make_run(folder / "zeta", SS8, chains, seed=3, hidden_size=32),
        make_run(folder / "alpha", SS3, _three(chains), seed=4, dataset="e" * 64),
    ]


def _three(chains: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    return [(n, s, "".join(SS8.reduction[label] for label in labels)) for n, s, labels in chains]


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


def test_table_holds_the_values_of_the_runs(runs: list[Path], tmp_path: Path) -> None:
    compare_runs(runs, tmp_path / "table.tsv")
    rows = rows_of(tmp_path / "table.tsv")
    assert [row["run"] for row in rows] == ["zeta", "alpha"]
    for row, run in zip(rows, runs, strict=True):
        metrics = json.loads((run / "metrics.json").read_text())
        model = json.loads((run / "model" / "model.json").read_text())
        for column, end in (("q3", "value"), ("q3_low", "low"), ("q3_high", "high")):
            assert float(row[column]) == pytest.approx(metrics["q3"][end], abs=5e-5)
        for key in ("q8", "sov", "mcc", "ece"):
            assert float(row[key]) == pytest.approx(metrics[key]["value"], abs=5e-5)
        assert int(row["hidden_size"]) == model["network"]["settings"]["hidden_size"]
        assert int(row["layers"]) == model["network"]["settings"]["layers"]
        assert int(row["parameters"]) == model["parameters"]
        assert int(row["seed"]) == model["training"]["settings"]["seed"]
        assert int(row["chains"]) == model["training"]["chains"]
        assert float(row["seconds"]) == model["training"]["seconds"]
        assert row["dataset"] == model["training"]["dataset_sha256"][:8]


def test_same_test_chains_are_comparable_whatever_the_training_data(
    runs: list[Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    comparison = compare_runs(runs, tmp_path / "t.tsv", page=tmp_path / "t.html")
    assert comparison.notice is None
    assert not caplog.records
    assert "Not comparable" not in (tmp_path / "t.html").read_text()


def test_different_test_sets_are_told_apart(
    runs: list[Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = make_run(tmp_path / "other", SS8, labelled_chains(5))
    dna = [(f"s{i}", "ACGT" * 20, "B" * 40 + "P" * 40) for i in range(4)]
    mine = make_run(tmp_path / "dna", custom_scheme("own", "BP"), dna, alphabet="dna")
    with caplog.at_level(logging.WARNING, logger="grubio"):
        logging.getLogger("grubio").propagate = True
        comparison = compare_runs(
            [runs[0], other, mine, runs[1]],
            tmp_path / "t.tsv",
            figure=tmp_path / "t.svg",
            page=tmp_path / "t.html",
        )
    assert "3 different test sets" in caplog.text
    assert comparison.test_sets[0] == comparison.test_sets[3]
    assert len(set(comparison.test_sets)) == 3
    rows = rows_of(tmp_path / "t.tsv")
    assert [bool(row["q3"]) for row in rows] == [True, True, False, True]
    assert [bool(row["accuracy"]) for row in rows] == [False, False, True, False]
    assert rows[2]["sov"] == ""
    words = [e.text for e in ET.parse(tmp_path / "t.svg").iter() if e.tag.endswith("text")]
    assert [w for w in words if w and "test set" in w and "(" in w and "%" not in w] == [
        "zeta (test set A)",
        "other (test set B)",
        "dna (test set C)",
        "alpha (test set A)",
    ]
    assert "Not comparable as a whole" in (tmp_path / "t.html").read_text()


def test_figure_places_dots_by_score(runs: list[Path], tmp_path: Path) -> None:
    from grubio.report.compare import comparison_figure

    comparison = compare_runs(runs, tmp_path / "t.tsv", figure=tmp_path / "t.svg")
    axes = comparison_figure(comparison).axes[0]
    drawn = [float(line.get_xdata()[0]) for line in axes.lines if len(line.get_xdata()) == 1]
    expected = []
    for run in runs:
        metrics = json.loads((run / "metrics.json").read_text())
        expected += [metrics["q3"]["value"], metrics["baselines"]["window_logistic"]["q3"]["value"]]
    assert drawn == pytest.approx(expected)
    assert ET.parse(tmp_path / "t.svg").getroot().tag.endswith("svg")
    assert "window logistic regression" in (tmp_path / "t.svg").read_text()


def test_same_bytes_again_and_loads_nothing(runs: list[Path], tmp_path: Path) -> None:
    for name in ("one", "two"):
        page, figure = tmp_path / f"{name}.html", tmp_path / f"{name}.svg"
        compare_runs(runs, tmp_path / f"{name}.tsv", figure=figure, page=page)
    for end in ("tsv", "svg", "html"):
        assert (tmp_path / f"one.{end}").read_bytes() == (tmp_path / f"two.{end}").read_bytes()
    assert not re.search(r"https?://", (tmp_path / "one.html").read_text())


def test_runs_of_one_name_are_told_apart(runs: list[Path], tmp_path: Path) -> None:
    twin = make_run(tmp_path / "again" / "zeta", SS8, labelled_chains(6))
    names = compare_runs([runs[0], twin, runs[1]], tmp_path / "t.tsv").names
    assert len(set(names)) == 3
    assert names[1] == "again/zeta"


def test_hostile_names_are_escaped(tmp_path: Path) -> None:
    run = make_run(tmp_path / "<b>$x$&", SS3, _three(labelled_chains(4)))
    compare_runs([run], tmp_path / "t.tsv", figure=tmp_path / "t.svg", page=tmp_path / "t.html")
    page = (tmp_path / "t.html").read_text()
    assert "<b>$x$" not in page
    assert page.count("&lt;b&gt;$x$&amp;") >= 2
    ET.parse(tmp_path / "t.svg")


def test_nothing_and_missing(tmp_path: Path) -> None:
    with pytest.raises(GrubioError, match="no runs"):
        compare_runs([], tmp_path / "t.tsv")
    with pytest.raises(GrubioError, match="no such folder"):
        compare_runs([tmp_path / "nowhere"], tmp_path / "t.tsv")
    run = make_run(tmp_path / "a", SS3, _three(labelled_chains(4)))
    (tmp_path / "link").symlink_to(run)
    with pytest.raises(GrubioError, match="link: is given twice"):
        compare_runs([run, tmp_path / "link"], tmp_path / "t.tsv")
    assert not (tmp_path / "t.tsv").exists()
