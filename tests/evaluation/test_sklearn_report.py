from __future__ import annotations

import doctest
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from sklearn.calibration import calibration_curve

from conftest import REPOSITORY
from grubio.config import EvaluationSettings, ModelSettings
from grubio.datasets.parquet import DatasetHeader, write_dataset
from grubio.datasets.validation import checked_records
from grubio.evaluation.evaluate import evaluate_model
from grubio.evaluation.overall import tables_of_no_classes
from grubio.evaluation.scoring import SchemeScores
from grubio.evaluation.sklearn_report import calibration_points, report_tables
from grubio.model.architecture import Architecture
from grubio.model.bundle import save_bundle
from grubio.model.labeller import bundle_of, new_labeller
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.record import Record
from grubio.sequences.scheme import NO_CLASSES, SS8
from grubio.sequences.target import Target
from training_metadata import TRAINING


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


@pytest.fixture(scope="module")
def run_of_values(run: Path) -> Path:
    """A run of a fresh model of a value, in the folder of the other, with masked residues."""
    target = Target("depth", "value", low=-np.inf, high=np.inf, mean=6, deviation=4)
    torch.manual_seed(4)
    shape = ModelSettings(hidden_size=6, layers=1, stem_channels=4).model_dump(exclude={"targets"})
    model = new_labeller(Architecture(**shape), [target], PROTEIN.channel_table, 1)
    for weight in model.heads[0].parameters():
        torch.nn.init.normal_(weight, std=2)
    folder = run.parent / "depth"
    save_bundle(folder / "model", bundle_of(model.eval(), PROTEIN), TRAINING)
    rng = np.random.default_rng(5)
    records = []
    for number in range(9):
        values = rng.normal(6, 4, 40 + number).astype(np.float32)
        values[rng.random(len(values)) < 0.2] = np.nan
        sequence = "".join(rng.choice(list("ACDEFGHIKLMNPQRSTVWY"), len(values)))
        mask = "0" * number + "1" * (len(values) - number)
        records.append(Record(f"c{number}", "", sequence, None, mask, answers={"depth": values}))
    header = DatasetHeader(PROTEIN, NO_CLASSES, targets=(target,))
    checked = checked_records(records, PROTEIN, "error", scheme=NO_CLASSES, targets=[target])
    write_dataset(folder / "test.parquet", header, checked)
    settings = EvaluationSettings(bootstrap=10)
    evaluate_model(
        folder / "model", folder / "test.parquet", folder, settings, split="all", threads=1
    )
    return folder


def test_the_page_on_scikit_learn_finds_the_digits_of_a_run(
    run: Path, run_of_values: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run_of_values.parents[1])
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
