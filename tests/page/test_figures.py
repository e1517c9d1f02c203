"""The figures on the page about pages of models are those of the benchmark."""

from __future__ import annotations

import json

import pytest

from conftest import REPOSITORY

RESULTS = json.loads((REPOSITORY / "benchmarks/page.json").read_text())


def test_the_tables_are_those_of_the_benchmark() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(REPOSITORY / "benchmarks"))
        from page import tables

        assert tables(RESULTS) in (REPOSITORY / "docs/page.md").read_text()


def test_pages_agree_with_the_package_and_are_fast_and_small() -> None:
    models = RESULTS["models"]
    assert models["protein-ss-fast"]["megabytes"] < 2.5
    for name, found in models.items():
        for browser in (one for key, one in found.items() if key != "megabytes"):
            assert browser["agreement"]["same"] >= 0.999, name
            assert browser["agreement"]["largest"] <= 0.005, name
    for browser in (one for key, one in models["protein-ss-fast"].items() if key != "megabytes"):
        assert browser["many"]["cpu_seconds"] < 60
