"""Pages that are made of measured numbers say what the numbers say."""

from __future__ import annotations

import json

import pytest

from conftest import REPOSITORY

BENCHMARKS = REPOSITORY / "benchmarks"


@pytest.fixture(autouse=True)
def _benchmarks_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def test_the_benchmark_page_is_made_of_its_results() -> None:
    from accuracy_page import page

    results = json.loads((BENCHMARKS / "accuracy.json").read_text())
    assert (REPOSITORY / "docs/benchmarks.md").read_text() == page(results)
    assert results["leak"]["significant"] <= 0.01 * results["leak"]["queries"]


def test_the_experiment_log_is_made_of_its_results() -> None:
    from experiments import BUDGET, VARIANTS
    from experiments_page import page

    text = page(BENCHMARKS / "experiment_results", VARIANTS, BUDGET)
    assert (REPOSITORY / "docs/experiments.md").read_text() == text


def test_benchmarks_are_of_the_models_that_are_shipped() -> None:
    from grubio.bundle import bundled_models, load_metadata

    results = json.loads((BENCHMARKS / "accuracy.json").read_text())
    measured = {row["weights_sha256"] for row in results["rows"] if "weights_sha256" in row}
    for name, folder in bundled_models().items():
        if name.startswith("protein-ss"):
            assert load_metadata(folder)["weights_sha256"] in measured, name


def test_the_readme_tells_the_measured_figures() -> None:
    results = json.loads((BENCHMARKS / "accuracy.json").read_text())
    speed = json.loads((BENCHMARKS / "throughput.json").read_text())
    lines = (REPOSITORY / "README.md").read_text().splitlines()
    for name, factor in (("protein-ss", 1.0), ("protein-ss-fast", speed["fast_over_accurate"])):
        (line,) = (line for line in lines if line.startswith(f"| `{name}`"))
        cells = [cell.strip() for cell in line.strip("|").split("|")][1:]
        rows = {row["set"]: row for row in results["rows"] if row["predictor"] == name}
        wanted = [rows["cb513"]["q3"], rows["cb513"]["q8"], rows["ts115"]["q3"]]
        assert cells[:3] == [f"{100 * one['value']:.1f}" for one in wanted]
        assert cells[3] == f"{rows['cb513']['parameters']:,}"
        assert cells[4] == f"{factor:.1f}".removesuffix(".0")


def test_the_dna_page_tells_what_windows_change() -> None:
    results = json.loads((BENCHMARKS / "genome_windows.json").read_text())
    text = (REPOSITORY / "docs/dna.md").read_text()
    for row in results["overlaps"]:
        cells = f"| {row['overlap']} | {row['largest_difference']:.3f} |"
        assert cells in text


def test_the_readme_tells_the_scores_of_the_dna_model() -> None:
    card = (REPOSITORY / "grubio/zoo/ecoli-promoters/CARD.md").read_text()
    readme = " ".join((REPOSITORY / "README.md").read_text().split())
    for method in ("this model", "position weight matrix"):
        (line,) = (r for r in card.splitlines() if r.startswith(f"| minus10 | {method} |"))
        assert line.split("|")[3].strip() in readme


def test_the_pages_on_speed_are_made_of_their_results() -> None:
    from performance_page import performance_page, results, scaling_page

    found = results()
    assert (REPOSITORY / "docs/performance.md").read_text() == performance_page(found)
    assert (REPOSITORY / "docs/scaling.md").read_text() == scaling_page(found)
