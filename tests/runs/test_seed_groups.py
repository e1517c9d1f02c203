"""Groups of runs that differ in their seed alone, and paired tests between them."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import false_discovery_control, ttest_rel, wilcoxon

from grubio.errors import GrubioError
from grubio.report.compare import compare_runs
from grubio.report.group_tables import groups_figure
from grubio.report.page import write_report
from grubio.runs.folder import read_run
from grubio.runs.seed_groups import RunGroup, grouped_runs, paired_tests
from grubio.sequences.scheme import SS8
from synthetic_run import labelled_chains, make_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two good runs, two bad ones, each pair alike but for its seed; one on other test chains."""
    folder, chains = tmp_path_factory.mktemp("runs"), labelled_chains(24)
    made = [
        make_run(
            folder / f"s.hidden_size-{size}.seed-{seed}",
            SS8,
            chains,
            skill=skill,
            seed=seed,
            hidden_size=size,
        )
        for size, skill in ((64, 0.8), (128, 1.8))
        for seed in (10, 11)
    ]
    return [*made, make_run(folder / "other", SS8, chains[:9], seed=3, hidden_size=64)]


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


def headline(run: Path) -> float:
    value = json.loads((run / "metrics.json").read_text())["q3"]["value"]
    assert isinstance(value, float)
    return value


def pooled(run: Path) -> float:
    rows = rows_of(run / "per_chain.tsv")
    scored = [int(row["scored"]) for row in rows]
    right = [round(float(row["q3"]) * n) for row, n in zip(rows, scored, strict=True)]
    return sum(right) / sum(scored)


def chain_scores(run: Path) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([float(row["q3"]) for row in rows_of(run / "per_chain.tsv")])


def test_seeds_are_taken_together_with_mean_and_spread(runs: list[Path], tmp_path: Path) -> None:
    compare_runs(runs, tmp_path / "t.tsv", groups=tmp_path / "g.tsv")
    rows = rows_of(tmp_path / "g.tsv")
    assert [row["group"] for row in rows] == ["s.hidden_size-64", "s.hidden_size-128", "other"]
    assert [row["runs"] for row in rows] == ["2", "2", "1"]
    assert rows[0]["seeds"] == "10,11"
    for row, members in zip(rows, (runs[:2], runs[2:4], runs[4:]), strict=True):
        scores = [headline(run) for run in members]
        assert float(row["mean"]) == pytest.approx(np.mean(scores), abs=1e-5)
        assert (float(row["min"]), float(row["max"])) == pytest.approx(
            (min(scores), max(scores)), abs=1e-5
        )
        if len(scores) > 1:
            assert float(row["sd"]) == pytest.approx(np.std(scores, ddof=1), abs=1e-5)
        else:
            assert row["sd"] == ""


def test_tests_are_paired_by_chain(runs: list[Path], tmp_path: Path) -> None:
    compare_runs(runs, tmp_path / "t.tsv", tests=tmp_path / "p.tsv", data=tmp_path / "c.json")
    (row,) = rows_of(tmp_path / "p.tsv")
    assert (row["first"], row["second"]) == ("s.hidden_size-64", "s.hidden_size-128")
    assert row["chains"] == "24"
    difference = np.mean([pooled(r) for r in runs[:2]]) - np.mean([pooled(r) for r in runs[2:4]])
    assert float(row["difference"]) == pytest.approx(difference, abs=1e-6)
    assert float(row["low"]) < float(row["difference"]) < float(row["high"]) < 0
    first, second = (np.mean([chain_scores(r) for r in m], axis=0) for m in (runs[:2], runs[2:4]))
    assert float(row["p_wilcoxon"]) == pytest.approx(wilcoxon(first, second).pvalue, rel=0.05)
    content = json.loads((tmp_path / "c.json").read_text())
    assert content["adjustment"] == "Benjamini-Yekutieli"
    assert [run["group"] for run in content["runs"]][-1] == "other"
    assert content["tests"][0]["difference"]["value"] == pytest.approx(difference, abs=1e-6)
    assert (tmp_path / "t.tsv").read_text().count("\n") == 6


def test_the_strands_of_a_block_are_one_unit(tmp_path: Path) -> None:
    strands = [f"c:{start}-{start + 9}({strand})" for start in range(12) for strand in "+-"]
    chains = [(name, *rest) for name, (_, *rest) in zip(strands, labelled_chains(24), strict=True)]
    runs = [make_run(tmp_path / str(size), SS8, chains, hidden_size=size) for size in (8, 16)]
    compare_runs(runs, tmp_path / "t.tsv", tests=tmp_path / "p.tsv")
    (row,) = rows_of(tmp_path / "p.tsv")
    assert row["chains"] == "12"


def a_group(name: str, right: list[float], scored: int = 100) -> RunGroup:
    chains = {f"c{i}": (scored, value) for i, value in enumerate(right)}
    mean = sum(right) / scored / len(right)
    scores = np.array([mean])
    return RunGroup(name, (0,), ("1",), "t", "q3", "q3", scores, chains, scores)


def test_p_values_are_corrected_over_all_tests() -> None:
    generator = np.random.default_rng(5)
    base = generator.integers(40, 80, 40)
    groups = [
        a_group(name, (base + generator.integers(low, low + 9, 40)).tolist())
        for name, low in (("a", 0), ("b", 0), ("c", 6))
    ]
    tests = paired_tests(groups)
    assert [(t.first, t.second) for t in tests] == [("a", "b"), ("a", "c"), ("b", "c")]
    expected = false_discovery_control([t.p_value for t in tests], method="by")
    assert [t.adjusted for t in tests] == pytest.approx(list(expected))
    assert tests[0].p_value > 0.01 > tests[1].adjusted > tests[1].p_value


def test_the_same_twice_differs_in_nothing() -> None:
    (test,) = paired_tests([a_group("a", [50.0, 60.0, 70.0]), a_group("b", [50.0, 60.0, 70.0])])
    assert (test.p_value, test.difference.value) == (1.0, 0.0)


def test_groups_without_a_pair_have_no_test(runs: list[Path], tmp_path: Path) -> None:
    compare_runs(runs[:1], tmp_path / "t.tsv", tests=tmp_path / "p.tsv", data=tmp_path / "c.json")
    assert (tmp_path / "p.tsv").read_text().count("\n") == 1
    assert json.loads((tmp_path / "c.json").read_text())["tests"] == []


def test_another_setting_makes_another_group(runs: list[Path]) -> None:
    from grubio.runs.folder import read_run

    read = [read_run(run) for run in runs[:3]]
    assert len(grouped_runs(read, ["a", "b", "c"], ["t", "t", "t"])) == 2
    assert len(grouped_runs(read, ["a", "b", "c"], ["t", "u", "t"])) == 3
    names = [group.name for group in grouped_runs(read, ["wide", "wide-again", "w"], ["t"] * 3)]
    assert names == ["wide", "w"]


def test_the_figure_has_a_row_for_each_group() -> None:
    figure = groups_figure([a_group("a", [50.0]), a_group("b", [60.0])])
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["a", "b"]


def test_runs_are_paired_by_their_seed(runs: list[Path], tmp_path: Path) -> None:
    compare_runs(runs, tmp_path / "t.tsv", tests=tmp_path / "p.tsv", data=tmp_path / "c.json")
    (row,) = rows_of(tmp_path / "p.tsv")
    narrow, wide = ([headline(run) for run in two] for two in (runs[:2], runs[2:4]))
    wanted = ttest_rel(narrow, wide)
    interval = wanted.confidence_interval(0.95)
    assert row["seeds"] == "2"
    found = [float(row[f"seed_{key}"]) for key in ("difference", "low", "high")]
    difference = np.mean(np.subtract(narrow, wide))
    assert found == pytest.approx([difference, interval.low, interval.high], rel=1e-4)
    assert float(row["p_seeds"]) == pytest.approx(wanted.pvalue, rel=1e-4)
    (test,) = json.loads((tmp_path / "c.json").read_text())["tests"]
    assert test["over_seeds"]["difference"]["value"] == pytest.approx(difference, abs=1e-5)


def test_groups_without_common_seeds_have_no_test_over_seeds(tmp_path: Path) -> None:
    chains = labelled_chains(12)
    made = [
        make_run(tmp_path / f"{size}-{seed}", SS8, chains, seed=seed, hidden_size=size)
        for size, seeds in ((8, (1, 2)), (16, (2, 3)))
        for seed in seeds
    ]
    compare_runs(made, tmp_path / "t.tsv", tests=tmp_path / "p.tsv", page=tmp_path / "p.html")
    (row,) = rows_of(tmp_path / "p.tsv")
    assert row["seeds"] == row["p_seeds"] == ""
    assert "Over seeds" not in (tmp_path / "p.html").read_text()


def test_a_group_has_its_rates_and_its_reach(runs: list[Path], tmp_path: Path) -> None:
    copies = [Path(shutil.copytree(run, tmp_path / run.name)) for run in runs[:2]]
    header = "distance\tgradient\tlow\thigh\tpairs\n"
    for run, norm, seconds in zip(copies, (3.0, 4.0), (1, 3), strict=True):
        row = f"10\t{norm}\t1\t9\t64\n"
        (run / "gradient_reach.tsv").write_text(header + row + "200\t0\t0\t0\t5\n")
        (run / "speed.json").write_text(json.dumps({"residues": 600, "seconds": seconds}))
    read = [read_run(run) for run in copies]
    (group,) = grouped_runs(read, ["a", "b"], ["x", "x"])
    assert group.reach == {10: pytest.approx(12.5**0.5), 200: 0}
    assert (group.labelling_rate, group.training_rate) == (400, 52000)
    compare_runs(copies, tmp_path / "t.tsv", page=tmp_path / "p.html")
    page = (tmp_path / "p.html").read_text()
    assert "3.5 at 10 residues" in page
    assert "52,000" in page
    write_report(copies[0], tmp_path / "r.html")
    assert "3 at 10 residues" in (tmp_path / "r.html").read_text()
    (copies[0] / "speed.json").write_text("{}")
    with pytest.raises(GrubioError, match=r"speed\.json: is not as expected"):
        read_run(copies[0])


def test_a_setting_that_an_earlier_version_did_not_have_has_its_default(runs: list[Path]) -> None:
    older, newer = read_run(runs[0]), read_run(runs[1])
    for value, groups in (("none", 1), ("sites", 2)):
        settings = {**newer.training.get("settings", {}), "motifs": value}
        training = {**newer.training, "settings": settings}
        other = replace(newer, model={**newer.model, "training": training})
        assert "motifs" not in older.training.get("settings", {})
        assert len(grouped_runs([older, other], ["a", "b"], ["t", "t"])) == groups


def test_a_run_from_scratch_and_those_from_each_parent_are_groups_of_their_own(
    runs: list[Path],
) -> None:
    run = read_run(runs[0])
    digests = [None, "a", "a", "b"]
    parents = [digest and {"name": "base", "weights_sha256": digest} for digest in digests]
    found = [
        replace(run, model={**run.model, "training": {**run.training, "from": parent}})
        for parent in [*parents, run.training.get("from")]
    ]
    groups = grouped_runs(found, ["r", "s", "t", "u", "v"], ["t"] * 5)
    assert [group.runs for group in groups] == [(0, 4), (1, 2), (3,)]
