"""Pages that are made of measured numbers say what the numbers say."""

from __future__ import annotations

import json
from typing import Any

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
    assert all(one["significant"] <= 0.01 * one["queries"] for one in results["leak"])


def test_the_experiment_log_is_made_of_its_results() -> None:
    from experiments import BUDGET
    from experiments_page import page
    from ideas import IDEAS

    text = page(BENCHMARKS / "experiment_results", IDEAS, BUDGET)
    assert (REPOSITORY / "docs/experiments.md").read_text() == text


def test_the_page_of_cells_is_made_of_its_results() -> None:
    from cells_page import NAMES, page

    results = json.loads((BENCHMARKS / "cells.json").read_text())
    assert (REPOSITORY / "docs/cells.md").read_text() == page(results)
    assert [group["name"] for group in results["groups"]] == list(NAMES)
    sizes = [group["parameters"] for group in results["groups"]]
    assert max(sizes) <= 1.02 * min(sizes)


def test_benchmarks_are_of_the_models_that_are_shipped() -> None:
    from grubio.model.bundle import load_metadata
    from grubio.model.zoo import bundled_models

    results = json.loads((BENCHMARKS / "accuracy.json").read_text())
    measured = {row["weights_sha256"] for row in results["rows"] if "weights_sha256" in row}
    by_depth = json.loads((BENCHMARKS / "profile_depth.json").read_text())
    measured |= {one["models"]["protein-ss-profile"] for one in by_depth.values()}
    for name, folder in bundled_models().items():
        if name.startswith("protein-ss"):
            assert load_metadata(folder)["weights_sha256"] in measured, name


def test_the_readme_tells_the_measured_figures() -> None:
    results = json.loads((BENCHMARKS / "accuracy.json").read_text())
    speed = json.loads((BENCHMARKS / "throughput.json").read_text())[0]
    lines = (REPOSITORY / "README.md").read_text().splitlines()
    rates = speed["residues_per_second"]
    for name, way in (
        ("protein-ss", "predictor"),
        ("protein-ss-fast", "predictor, protein-ss-fast"),
    ):
        (line,) = (line for line in lines if line.startswith(f"| `{name}`"))
        cells = [cell.strip() for cell in line.strip("|").split("|")][1:]
        rows = {row["set"]: row for row in results["rows"] if row["predictor"] == name}
        wanted = [rows["cb513"]["q3"], rows["cb513"]["q8"], rows["ts115"]["q3"]]
        assert cells[:3] == [f"{100 * one['value']:.1f}" for one in wanted]
        assert cells[3] == f"{rows['cb513']['parameters']:,}"
        # Two digits are all that one run is worth.
        assert cells[4] == f"{int(float(f'{rates[way]:.1e}')):,}"


def dna_results() -> tuple[dict[str, Any], dict[str, Any]]:
    """What was measured of promoters and of genes."""
    promoters, genes = (
        json.loads((BENCHMARKS / f"ecoli_{name}.json").read_text())
        for name in ("promoters", "genes")
    )
    return promoters, genes


def test_the_page_of_dna_benchmarks_is_made_of_its_results() -> None:
    from dna_page import page

    assert (REPOSITORY / "docs/dna_benchmarks.md").read_text() == page(*dna_results())


def test_cards_and_readme_tell_the_figures_of_the_dna_models() -> None:
    from grubio.model.bundle import CARD_FILE, load_metadata
    from grubio.model.zoo import find_model

    promoters, genes = dna_results()
    readme = " ".join((REPOSITORY / "README.md").read_text().split())
    folder = find_model("ecoli-genes")
    assert genes["dataset_sha256"] == load_metadata(folder)["training"]["dataset_sha256"]
    mcc = genes["methods"]["model"]["mcc"]
    told = f"{mcc['value']:.3f} ({mcc['low']:.3f}-{mcc['high']:.3f})"
    assert f"| {told} |" in (folder / CARD_FILE).read_text()
    assert told in readme
    folder = find_model("ecoli-promoters")
    assert promoters["weights_sha256"] == load_metadata(folder)["weights_sha256"]
    card = (folder / CARD_FILE).read_text()
    for one in promoters["classes"]:
        (line,) = (r for r in card.splitlines() if r.startswith(f"| {one['name']} | this model |"))
        score = one["methods"]["model"]["genome"]["tolerance_3"]["average_precision"]
        value, low, high = (100 * score[end] for end in ("value", "low", "high"))
        assert line.split("|")[3].strip() == f"{value:.1f} % ({low:.1f}-{high:.1f})"


def test_the_dna_page_tells_what_windows_change() -> None:
    results = json.loads((BENCHMARKS / "genome_windows.json").read_text())
    text = (REPOSITORY / "docs/dna.md").read_text()
    for row in results["overlaps"]:
        cells = f"| {row['overlap']} | {row['largest_difference']:.3f} |"
        assert cells in text


def test_the_dna_page_tells_what_few_sites_give() -> None:
    from few_sites import rows

    results = json.loads((BENCHMARKS / "few_sites.json").read_text())
    assert "\n".join(rows(results)) in (REPOSITORY / "docs/dna.md").read_text()


def test_the_tables_of_fine_tuning_are_made_of_their_results() -> None:
    from fine_tuning_page import FIGURE, NAMES, drawn, page

    results = json.loads((BENCHMARKS / "fine_tuning.json").read_text())
    text = (REPOSITORY / "docs/fine-tuning.md").read_text()
    assert text == page(text, results)
    assert all(NAMES[arm].replace("`", "") in FIGURE.read_text() for arm in drawn(results))


def test_the_readme_tells_the_scores_of_the_dna_model() -> None:
    card = (REPOSITORY / "grubio/zoo/ecoli-promoters/CARD.md").read_text()
    readme = " ".join((REPOSITORY / "README.md").read_text().split())
    for method in ("this model", "position weight matrix"):
        (line,) = (r for r in card.splitlines() if r.startswith(f"| minus10 | {method} |"))
        assert line.split("|")[3].strip() in readme


def test_the_pages_on_speed_are_made_of_their_results() -> None:
    from performance_page import performance_page, results
    from scaling_page import scaling_page

    found = results()
    assert (REPOSITORY / "docs/performance.md").read_text() == performance_page(found)
    assert (REPOSITORY / "docs/scaling.md").read_text() == scaling_page(found)
