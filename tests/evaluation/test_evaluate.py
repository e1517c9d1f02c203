from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    matthews_corrcoef,
)

from grubio.config import EvaluationSettings
from grubio.datasets.audit import AuditRow, write_audit
from grubio.datasets.parquet import DatasetHeader, read_header, read_records, write_dataset
from grubio.errors import GrubioError
from grubio.evaluation import evaluate as evaluation
from grubio.evaluation.evaluate import evaluate_model
from grubio.evaluation.overall import score_predictions
from grubio.evaluation.scoring import SchemeScores
from grubio.metrics.bootstrap import bootstrap_weights
from grubio.model.bundle import Calibration
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.best_path import best_classes
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS3, SS8, custom_scheme

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
    chains = np.array(table["id"])
    coarse = [
        SS3.decode(*best_classes([fine[chains == name] @ SS8.reduction_matrix(SS3)], SS3))
        for name in dict.fromkeys(table["id"])
    ]
    observed = [SS8.reduction[label] for label in table["observed"]]
    called = list("".join(coarse))
    for name, score in (
        ("q3", accuracy_score(observed, called)),
        ("mcc", matthews_corrcoef(observed, called)),
        ("macro_f1", f1_score(observed, called, average="macro")),
    ):
        assert metrics[name]["value"] == pytest.approx(score, abs=1e-6), name
    for letter in "HETC":
        score = average_precision_score(np.array(table["observed"]) == letter, table[f"p_{letter}"])
        found = metrics["classes"]["ss8"][letter]["average_precision"]["value"]
        assert found == pytest.approx(score, abs=1e-6), letter


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
            replace(
                r, labels=letter * 30 + (r.labels or "")[30:], mask="0" * 30 + "1" * (len(r) - 30)
            )
            if r.split == "test"
            else r
            for r in chains
        ]
        path = tmp_path / f"{letter}.parquet"
        write_dataset(path, read_header(dataset), hidden)
        metrics = evaluate_model(run_folder / "model", path, tmp_path / letter, QUICK, threads=1)
        results.append({k: v for k, v in metrics.as_dict().items() if k != "provenance"})
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
    with pytest.raises(GrubioError, match=r"label scheme is ss3 \(HEC\), the model's ss8"):
        evaluate_model(run_folder / "model", path, tmp_path / "out", QUICK)


def test_a_scheme_of_the_same_name_with_other_letters_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = SimpleNamespace(alphabet=PROTEIN, scheme=custom_scheme("site", "IO"))
    monkeypatch.setattr(evaluation, "load_bundle", lambda _: model)
    header = DatasetHeader(PROTEIN, custom_scheme("site", "OI"))
    write_dataset(tmp_path / "d.parquet", header, [Record("a", "", "AC", "IO", split="test")])
    with pytest.raises(GrubioError, match=r"site \(OI\), the model's site \(IO\)"):
        evaluate_model(tmp_path, tmp_path / "d.parquet", tmp_path, QUICK)


def test_an_empty_split_is_refused(run_folder: Path, dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(GrubioError, match="no records in split 'other'"):
        evaluate_model(run_folder / "model", dataset, tmp_path, QUICK, split="other")


def test_an_audit_of_other_records_is_refused(
    run_folder: Path, dataset: Path, tmp_path: Path
) -> None:
    write_audit(tmp_path / "audit.tsv", [AuditRow("someone else's", "test")])
    with pytest.raises(GrubioError, match="not in this audit"):
        evaluate_model(run_folder / "model", dataset, tmp_path, QUICK, audit=tmp_path / "audit.tsv")


def test_a_chain_without_labels_is_counted_and_not_scored(
    run_folder: Path, chains: list[Record], dataset: Path, tmp_path: Path
) -> None:
    records = [*chains, replace(chains[-1], id="bare", labels=None)]
    write_dataset(tmp_path / "d.parquet", read_header(dataset), records)
    result = evaluate_model(
        run_folder / "model", tmp_path / "d.parquet", tmp_path, QUICK, threads=1
    ).as_dict()
    assert (result["counts"]["chains"], result["counts"]["scored_chains"]) == (51, 50)
    last = (tmp_path / "per_chain.tsv").read_text().splitlines()[-1].split("\t")
    assert last == ["bare", str(len(chains[-1])), "0", *[""] * 8]
    table = pq.read_table(tmp_path / "test_predictions.parquet").to_pydict()
    assert {
        o for o, name in zip(table["observed"], table["id"], strict=True) if name == "bare"
    } == {"?"}


def test_the_command_prints_every_score_beside_the_baselines(
    grubio: Callable[..., Any], run_folder: Path, dataset: Path, tmp_path: Path
) -> None:
    done = grubio(
        "evaluate", "--model", run_folder / "model", "--dataset", dataset, "--output", tmp_path,
        "--threads", 1, "--bootstrap", 20, "--baseline-window", 3,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = {line.split("\t")[0]: line.split("\t")[1:] for line in done.stdout.splitlines()}
    assert rows.pop("score") == ["model", "majority", "window_logistic"]
    assert {"q3", "q8", "sov", "ece", "gain_over_window_logistic"} <= set(rows)
    assert rows["ece"][1:] == ["-", "-"]
    value = json.loads((tmp_path / "metrics.json").read_text())["q3"]["value"]
    assert rows["q3"][0].startswith(f"{value:.3f} (")


def spread(labels: str, letters: str, right: float) -> np.ndarray:
    """Return probabilities that give the label ``right`` and share the rest evenly."""
    rest = (1 - right) / (len(letters) - 1)
    rows = [[right if letter == label else rest for letter in letters] for label in labels]
    return np.array(rows, dtype=np.float32)


def test_a_coarse_scheme_has_one_set_of_scores() -> None:
    records = [Record("a", "", "A" * 6, "HHHECC"), Record("b", "", "A" * 4, "HH??", "0000")]
    ours = [spread("HHHECE", "HEC", 0.8), spread("HHHH", "HEC", 0.8)]
    bundle: Any = SimpleNamespace(scheme=SS3, calibration=lambda: Calibration(1.0))
    theirs = [spread("CCCCCC", "HEC", 0.8), spread("CCCC", "HEC", 0.8)]
    metrics, _ = score_predictions(records, ours, {"other": theirs}, bundle, QUICK, {})
    result = metrics.as_dict()
    assert result["q3"]["value"] == pytest.approx(5 / 6, abs=1e-6)
    assert result["gain_over_other"]["value"] == pytest.approx(3 / 6, abs=1e-6)
    assert "q8" not in result
    assert set(result["classes"]) == {"ss3"}
    assert result["by_identity"] == []
    assert result["counts"] == {
        "chains": 2, "scored_chains": 1, "residues": 10, "scored_residues": 6,
    }  # fmt: skip
    assert result["reduction"] == "ss3, not reduced"


def test_a_residue_of_unknown_fine_class_is_in_no_segment() -> None:
    scores = SchemeScores(
        SS8, [SS8.encode("HHHHhhhhCCCC")], [spread("HHHHHHHHCCCC", "HGIEBTSC", 0.6)]
    )
    assert [one.tolist() for one in scores.overlaps.values()] == [[1], [1]]


def test_a_band_of_few_chains_has_no_sample_without_them() -> None:
    observed = [SS3.encode("HHEECC")] * 20
    found = [spread("HHEECC" if number else "HHEEHC", "HEC", 0.8) for number in range(20)]
    scores = SchemeScores(SS3, observed, found)
    weights = bootstrap_weights(20, 200, 1)
    band = scores.estimate("mcc", weights, [0]).score
    assert band.low == band.value == band.high


def test_an_unscored_residue_is_in_no_score_of_a_class() -> None:
    bundle: Any = SimpleNamespace(scheme=SS3, calibration=lambda: Calibration(1.0))
    labels, called = "HHEECC", "HEEECC"
    ours = [spread(called, "HEC", 0.8), spread(called, "HEC", 0.8)]
    records = [
        Record("a", "", "A" * 6, labels),
        Record("b", "", "A" * 6, "HHHHHC", "000001"),
    ]
    result = score_predictions(records, ours, {}, bundle, QUICK, {})[0].as_dict()
    observed = np.array(list(labels + "C"))
    shown = np.concatenate([ours[0], ours[1][-1:]])
    for index, letter in enumerate("HEC"):
        found = result["classes"]["ss3"][letter]
        assert found["support"] == (observed == letter).sum()
        assert found["average_precision"]["value"] == pytest.approx(
            average_precision_score(observed == letter, shown[:, index]), abs=1e-6
        )


def test_every_identity_belongs_to_one_band() -> None:
    bundle: Any = SimpleNamespace(scheme=SS3, calibration=lambda: Calibration(1.0))
    identities = [0.0, 0.2, 0.25, 0.3, 0.5, 1.0, None]
    records = [Record(f"{i}", "", "AC", "HE") for i in range(len(identities))]
    audit = {f"{i}": AuditRow(f"{i}", "test", "x", x) for i, x in enumerate(identities)}
    ours = [spread("HE", "HEC", 0.8)] * len(records)
    metrics, _ = score_predictions(records, ours, {}, bundle, QUICK, audit)
    bands = metrics.as_dict()["by_identity"]
    assert {band["band"]: band["chains"] for band in bands} == {
        "no hit": 1, "0-20 %": 1, "20-25 %": 1, "25-30 %": 1, "30-50 %": 1, "50-100 %": 2,
    }  # fmt: skip


def test_classes_of_ones_own_have_an_accuracy_and_no_segment_overlap() -> None:
    scheme = custom_scheme("site", "IO", background="O")
    records = [Record("a", "", "ACGT", "OOOO"), Record("b", "", "ACGT", "OOOO")]
    ours = [spread("OOOO", "IO", 0.9), spread("OOIO", "IO", 0.9)]
    bundle: Any = SimpleNamespace(scheme=scheme, calibration=lambda: Calibration(2.0))
    result = score_predictions(records, ours, {}, bundle, QUICK, {})[0].as_dict()
    assert result["accuracy"]["value"] == pytest.approx(7 / 8, abs=1e-6)
    assert "q3" not in result
    assert not [key for key in result if key.startswith("sov")]
    absent = result["classes"]["site"]["I"]
    assert absent["support"] == 0
    assert (
        absent["recall"] == absent["average_precision"] == dict.fromkeys(("value", "low", "high"))
    )
    # Before calibration the logits were twice as large.
    sure = 0.9**2 / (0.9**2 + 0.1**2)
    assert result["ece"]["value"] == pytest.approx(abs(0.9 - 7 / 8), abs=1e-5)
    assert result["ece_uncalibrated"]["value"] == pytest.approx(abs(sure - 7 / 8), abs=1e-5)
    json.dumps(result, allow_nan=False)


def test_nothing_to_score_is_an_error_for_the_person() -> None:
    bundle: Any = SimpleNamespace(scheme=SS3, calibration=lambda: Calibration(1.0))
    with pytest.raises(GrubioError, match="no residue of the split has a known label"):
        score_predictions(
            [Record("a", "", "AC", "??")], [spread("HH", "HEC", 0.8)], {}, bundle, QUICK, {}
        )


def test_a_benchmark_without_splits_is_scored_without_baselines(
    run_folder: Path, dataset: Path, chains: list[Record], tmp_path: Path
) -> None:
    path = tmp_path / "benchmark.parquet"
    write_dataset(path, read_header(dataset), [replace(r, split=None) for r in chains[250:]])
    whole = evaluate_model(
        run_folder / "model", path, tmp_path / "out", QUICK, split="all", threads=1
    ).as_dict()
    assert whole["baselines"] == {}
    assert whole["counts"]["chains"] == 50
    with pytest.raises(GrubioError, match="no records in split 'test'"):
        evaluate_model(run_folder / "model", path, tmp_path / "out", QUICK, threads=1)
