from __future__ import annotations

import doctest
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.calibration import calibration_curve

from conftest import REPOSITORY
from grubio.config import EvaluationSettings
from grubio.datasets.parquet import DatasetHeader, write_dataset
from grubio.evaluation.evaluate import evaluate_model
from grubio.evaluation.overall import tables_of_no_classes
from grubio.evaluation.scoring import SchemeScores
from grubio.evaluation.sklearn_report import calibration_points, report_tables
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS8


@pytest.fixture(scope="module")
def run(run_folder: Path, chains: list[Record], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run scored on chains with masked residues and with labels that are not known."""
    folder = tmp_path_factory.mktemp("page")
    records = [
        replace(
            record,
            mask="0" * 7 + "1" * (len(record) - 7),
            labels=f"{(record.labels or '')[:-5]}?????",
        )
        for record in chains[250:]
    ]
    write_dataset(folder / "test.parquet", DatasetHeader(PROTEIN, SS8), records)
    run = folder / "results/a"
    settings = EvaluationSettings(bootstrap=10)
    evaluate_model(
        run_folder / "model", folder / "test.parquet", run, settings, split="all", threads=1
    )
    return run


def test_the_page_on_scikit_learn_finds_the_digits_of_a_run(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run.parents[1])
    page = REPOSITORY / "docs/scikit-learn.md"
    failed, tried = doctest.testfile(str(page), module_relative=False)
    assert tried > 30
    assert failed == 0


def test_masked_residues_and_unknown_labels_are_left_out(run: Path) -> None:
    report = json.loads((run / "classification_report.json").read_text())
    table = pq.read_table(run / "test_predictions.parquet").to_pydict()
    kept = Counter(
        label
        for label, mask in zip(table["observed"], table["mask"], strict=True)
        if mask == "1" and label != "?"
    )
    assert len(table["mask"]) > kept.total() == report["ss8"]["weighted avg"]["support"]
    assert {name: report["ss8"][name]["support"] for name in kept} == dict(kept)


def test_the_calibration_of_a_run_is_the_curve_of_scikit_learn(run: Path) -> None:
    table = pq.read_table(run / "test_predictions.parquet").to_pydict()
    counted = (np.array(table["mask"]) == "1") & (np.array(table["observed"]) != "?")
    fine = np.stack([table[f"p_{letter}"] for letter in SS8.letters], axis=1)[counted]
    right = np.array(table["observed"])[counted] == np.array(table["label"])[counted]
    frequency, confidence = calibration_curve(right, fine.max(axis=1), n_bins=15)
    rows = [line.split("\t") for line in (run / "calibration.tsv").read_text().splitlines()]
    after = [(float(row[3]), float(row[4])) for row in rows if row[0] == "after"]
    assert np.allclose(after, np.stack([confidence, frequency], axis=1), atol=6e-5)


def test_a_class_that_is_never_seen_has_no_row_but_a_curve() -> None:
    rows = np.eye(8, dtype=np.float32)[[0, 0, 1]]
    scores = SchemeScores(SS8, [np.array([0, 255, 1], dtype=np.uint8)], [rows])
    tables = report_tables([scores])
    content = json.loads(tables["classification_report.json"])["ss8"]
    assert set(content) == {*SS8.letters[:2], "accuracy", "macro avg", "weighted avg"}
    assert content["accuracy"] == 1.0
    last = SS8.letters[-1]
    assert f"ss8\t{last}\t0.000000\t0.000000\n" in tables["calibration_curves.tsv"]


def test_sums_of_probabilities_may_be_a_last_bit_above_one() -> None:
    assert calibration_points(np.array([True]), np.array([1.0000001])) == [("1.000000", "1.000000")]
    assert calibration_points(np.array([], dtype=bool), np.array([])) == []


def test_a_model_without_classes_has_empty_reports() -> None:
    tables = tables_of_no_classes()
    assert tables["classification_report.json"] == "{}\n"
    assert tables["classification_report.txt"] == "the model has no classes\n"
    assert tables["calibration_curves.tsv"].count("\n") == 1
