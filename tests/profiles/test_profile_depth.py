"""The benchmark of depth: alignments are thinned, and the table is put into the page."""

from __future__ import annotations

import argparse
import importlib
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from conftest import REPOSITORY
from grubio.model.architecture import Architecture
from grubio.model.bundle import save_bundle
from grubio.model.labeller import bundle_of, new_labeller
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS8
from grubio.sequences.target import Target
from training_metadata import TRAINING


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    monkeypatch.syspath_prepend(str(REPOSITORY / "benchmarks"))
    module = importlib.import_module("profile_depth")
    monkeypatch.setattr(module, "RESULTS", tmp_path / "profile_depth.json")
    return module


def saved(folder: Path, *inputs: str) -> Path:
    torch.manual_seed(1)
    architecture = Architecture("gru", 4, 1, 0.0, inputs=("onehot", *inputs))  # type: ignore[arg-type]
    model = new_labeller(architecture, [Target("labels", "classes", SS8)], PROTEIN.channel_table)
    for weight in model.parameters():
        # So that its labels depend on what it reads.
        weight.data *= 8
    save_bundle(folder, bundle_of(model, PROTEIN), TRAINING)
    return folder


def test_the_curve_of_a_set_is_measured_once_and_shown(
    benchmark: ModuleType,
    chains: list[Record],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = chains[:3]
    (tmp_path / "cb513.tsv").write_text(
        "".join(f"{r.id}\t{r.sequence}\t{r.labels}\t{'1' * len(r)}\n" for r in few)
    )
    generator = np.random.default_rng(1)
    homologs = "".join(
        f">h{number}\n{''.join(generator.choice(list(PROTEIN.letters), len(few[0])))}\n"
        for number in range(120)
    )
    (tmp_path / "cb513.a3m").write_text(f">{few[0].id}\n{few[0].sequence}\n{homologs}\0")
    arguments = argparse.Namespace(
        sets=tmp_path,
        alone=str(saved(tmp_path / "alone")),
        deep=str(saved(tmp_path / "deep", "profile")),
        database=None,
        alignments=tmp_path,
        train=tmp_path / "split.parquet",
        threads=1,
    )
    related = {"related": [f"cb513|{few[1].id}"]}
    monkeypatch.setattr(benchmark, "leak", lambda sets, train: related)
    results = benchmark.measured(arguments)
    # The other set is not there.
    assert list(results) == ["cb513"]
    curve = results["cb513"]["curve"]
    assert [row["depth"] for row in curve] == [None, 0, 1, 5, 20, 100, benchmark.ALL]
    assert [row["all"]["chains"] for row in curve] == [3] * 7
    assert [row["deep"]["chains"] for row in curve] == [1] * 7
    # One chain of three has homologs.
    assert [row["median_depth"] for row in curve[1:]] == [0] * 6
    assert curve[-1]["deep"]["q3"] != curve[5]["deep"]["q3"]
    assert curve[1]["deep"]["q3"] != curve[5]["deep"]["q3"]
    assert [row["unrelated"]["chains"] for row in curve] == [2] * 7
    page = benchmark.with_table("a\n<!-- depth -->\nold\n<!-- /depth -->\nb\n", results)
    assert page.startswith("a\n<!-- depth -->\n## How much depth matters")
    assert "old" not in page
    assert "| `alone`, none read |" in page
    assert "| at most 100 |" in page
    assert "| all |" in page
    assert "1 chains are aligned to a training chain" in page
    assert page.endswith("<!-- /depth -->\nb\n")
    # What was measured with the same models is not measured again.
    benchmark.RESULTS.write_text(json.dumps(results))
    assert benchmark.measured(arguments) == results


def test_the_page_tells_what_was_measured(benchmark: ModuleType) -> None:
    text = (REPOSITORY / "docs/profiles.md").read_text(encoding="utf-8")
    results = json.loads((REPOSITORY / "benchmarks/profile_depth.json").read_text())
    assert benchmark.with_table(text, results) == text
    alone, *_, most = results["cb513"]["curve"]
    assert most["all"]["q3"]["low"] > alone["all"]["q3"]["high"]
    best = [f"{100 * results[name]['curve'][-1]['all']['q3']['value']:.1f}" for name in results]
    readme = " ".join((REPOSITORY / "README.md").read_text().split())
    assert f"Q3 is {best[0]} on CB513 and {best[1]} on TS115" in readme
