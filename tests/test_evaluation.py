from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import accuracy_score

from grubio.audit import AuditRow, write_audit
from grubio.baselines import WindowLogisticRegression, class_frequencies
from grubio.alphabet import PROTEIN
from grubio.config import EvaluationSettings
from grubio.dataset import DatasetHeader, read_header, read_records, write_dataset
from grubio.errors import GrubioError
from grubio.evaluation import evaluate_model
from grubio.record import Record
from grubio.scheme import SS3, SS8

QUICK = EvaluationSettings(bootstrap=50, baseline_window=5)


@pytest.fixture(scope="module")
def scored(run_folder: Path, dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scored")
    rows = [
        AuditRow(r.id, "test", "some", 0.22 if i % 2 else 0.4, 0.9, 1e-5)
        for i, r in enumerate(read_records(dataset, "test"))
    ]
    write_audit(folder / "audit.tsv", [*rows[:-1], AuditRow(rows[-1].id, "test")])
    evaluate_model(
        run_folder / "model", dataset, folder, QUICK, audit=folder / "audit.tsv", threads=1
    )
    return folder


def test_the_scores_can_be_computed_again_from_the_raw_predictions(scored: Path) -> None:
    metrics = json.loads((scored / "metrics.json").read_text())
    table = pq.read_table(scored / "test_predictions.parquet").to_pydict()
    assert metrics["q8"]["value"] == pytest.approx(
        accuracy_score(table["observed"], table["label"]), abs=1e-6
    )
    fine = np.stack([table[f"p_{letter}"] for letter in SS8.letters], axis=1)
    coarse = SS3.decode((fine @ SS8.reduction_matrix(SS3)).argmax(axis=1))
    observed = [SS8.reduction[label] for label in table["observed"]]
    assert metrics["q3"]["value"] == pytest.approx(accuracy_score(observed, list(coarse)), abs=1e-6)


def test_every_metric_is_an_object_with_an_interval(scored: Path) -> None:
    metrics = json.loads((scored / "metrics.json").read_text())
    for name in ("q3", "q8", "sov", "sov_refine", "mcc", "macro_f1", "ece", "ece_uncalibrated"):
        assert set(metrics[name]) == {"value", "low", "high"}
        assert metrics[name]["low"] <= metrics[name]["value"] <= metrics[name]["high"], name
    assert set(metrics["classes"]) == {"ss3", "ss8"}
    assert set(metrics["classes"]["ss3"]["H"]) == {
        "precision", "recall", "f1", "mcc", "average_precision", "support",
    }  # fmt: skip
    assert set(metrics["baselines"]) == {"majority", "window_logistic"}
    assert "G to H" in metrics["reduction"]


def test_bands_hold_every_chain_once(scored: Path) -> None:
    metrics = json.loads((scored / "metrics.json").read_text())
    for bands in (metrics["by_length"], metrics["by_identity"]):
        assert sum(band["chains"] for band in bands) == metrics["counts"]["chains"] == 50
    assert [band["band"] for band in metrics["by_identity"]] == ["no hit", "20-25 %", "30-50 %"]


def test_tables_agree_with_the_counts(scored: Path) -> None:
    metrics = json.loads((scored / "metrics.json").read_text())
    with open(scored / "per_chain.tsv") as lines:
        chains = list(csv.DictReader(lines, delimiter="\t"))
    assert len(chains) == 50
    right = sum(float(c["q3"]) * int(c["scored"]) for c in chains)
    assert right / metrics["counts"]["scored_residues"] == pytest.approx(
        metrics["q3"]["value"], abs=1e-4
    )
    with open(scored / "confusion.tsv") as lines:
        cells = [row for row in csv.DictReader(lines, delimiter="\t") if row["scheme"] == "ss3"]
    diagonal = sum(int(c["count"]) for c in cells if c["observed"] == c["predicted"])
    total = sum(int(c["count"]) for c in cells)
    assert diagonal / total == pytest.approx(metrics["q3"]["value"], abs=1e-6)


def test_the_same_inputs_give_the_same_bytes(
    scored: Path, run_folder: Path, dataset: Path, tmp_path: Path
) -> None:
    audit = scored / "audit.tsv"
    evaluate_model(run_folder / "model", dataset, tmp_path, QUICK, audit=audit, threads=1)
    for name in ("metrics.json", "per_chain.tsv", "confusion.tsv", "calibration.tsv"):
        assert (tmp_path / name).read_bytes() == (scored / name).read_bytes(), name


def test_masked_residues_are_never_scored(
    run_folder: Path, dataset: Path, chains: list[Record], tmp_path: Path
) -> None:
    results = []
    for letter in "HE":
        hidden = [
            replace(r, labels=letter * 30 + (r.labels or "")[30:], mask="0" * 30 + "1" * (len(r) - 30))
            if r.split == "test"
            else r
            for r in chains
        ]
        path = tmp_path / f"{letter}.parquet"
        write_dataset(path, read_header(dataset), hidden)
        result = evaluate_model(run_folder / "model", path, tmp_path / letter, QUICK, threads=1)
        results.append({k: v for k, v in result.items() if k != "provenance"})
    assert results[0] == results[1]
    counts = results[0]["counts"]
    assert counts["scored_residues"] == counts["residues"] - 30 * counts["chains"]


def test_a_model_of_another_scheme_is_refused(
    run_folder: Path, chains: list[Record], tmp_path: Path
) -> None:
    path = tmp_path / "ss3.parquet"
    matrix = SS8.reduction
    reduced = [replace(r, labels="".join(matrix[c] for c in r.labels or "")) for r in chains]
    write_dataset(path, DatasetHeader(PROTEIN, SS3), reduced)
    with pytest.raises(GrubioError, match="label scheme is ss3, the model's ss8"):
        evaluate_model(run_folder / "model", path, tmp_path / "out", QUICK)


def test_the_window_baseline_learns_and_sees_no_further_than_its_window(
    chains: list[Record],
) -> None:
    model = WindowLogisticRegression(PROTEIN, SS8, 5, 1).fit(chains[:200])
    base = model.probabilities("A" * 20)
    changed = model.probabilities("A" * 10 + "W" + "A" * 9)
    moved = np.flatnonzero(np.abs(base - changed).max(axis=1) > 1e-7)
    assert moved.min() >= 8
    assert moved.max() <= 12
    assert np.allclose(base.sum(axis=1), 1, atol=1e-5)
    right = total = 0
    for record in chains[250:]:
        called = SS8.decode(model.probabilities(record.sequence).argmax(axis=1))
        right += sum(a == b for a, b in zip(called, record.labels or "", strict=True))
        total += len(record)
    assert right / total > class_frequencies(chains[:200], SS8).max() + 0.03
