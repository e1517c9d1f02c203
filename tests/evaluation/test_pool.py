from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from test_homology import random_chain

from grubio.config import EvaluationSettings, ModelSettings, SplitSettings, TrainingSettings
from grubio.datasets.parquet import DatasetHeader, read_records, write_dataset
from grubio.errors import GrubioError
from grubio.evaluation.evaluate import evaluate_model
from grubio.evaluation.pool import pool_folds
from grubio.report.compare import compare_runs
from grubio.report.page import write_report
from grubio.runs.metrics import TrainingOverlap, read_metrics
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS3
from grubio.splits.folds import fold_path
from grubio.splits.split import split_into_folds
from grubio.training.train import train_model

FOLDS = (1, 2)
QUICK = EvaluationSettings(bootstrap=20, baseline_window=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folds of forty chains, trained and evaluated."""
    folder = tmp_path_factory.mktemp("folds")
    records = []
    for seed in range(40):
        sequence = random_chain(60, seed)
        labels = "".join("HEC"[ord(letter) % 3] for letter in sequence)
        records.append(Record(f"chain{seed}", "", sequence, labels))
    source = folder / "in.parquet"
    write_dataset(source, DatasetHeader(PROTEIN, SS3), records)
    settings = SplitSettings(method="kmer", folds=2, valid_fraction=0.2)
    split_into_folds(
        source, folder / "split.parquet", settings, audit=folder / "audit.tsv", threads=1
    )
    shape = ModelSettings(hidden_size=6, layers=1, stem_channels=0)
    for fold in FOLDS:
        dataset, run = fold_path(folder / "split.parquet", fold), folder / f"cv-fold{fold}"
        short = TrainingSettings(epochs=1, batch_residues=600)
        model = train_model(dataset, run, shape, short, device="cpu", threads=1)
        audit = fold_path(folder / "audit.tsv", fold)
        evaluate_model(model, dataset, run, QUICK, audit=audit, device="cpu", threads=1)
    pool_folds(
        [folder / f"cv-fold{fold}" for fold in FOLDS],
        [fold_path(folder / "split.parquet", fold) for fold in reversed(FOLDS)],
        folder / "cv",
        QUICK,
        audits=[fold_path(folder / "audit.tsv", fold) for fold in FOLDS],
        device="cpu",
        threads=1,
    )
    return folder


def test_scores_are_those_of_all_records_labelled_out_of_fold(folder: Path) -> None:
    metrics = read_metrics(folder / "cv")
    table = pq.read_table(folder / "cv/out_of_fold.parquet").to_pandas()
    names = {record.id for record in read_records(folder / "in.parquet")}
    assert set(table["id"]) == names
    assert metrics.counts.chains == len(names) == 40
    right = (table["label"] == table["observed"]).mean()
    assert metrics.score("q3").value == pytest.approx(right, abs=1e-6)
    for fold in FOLDS:
        dataset = fold_path(folder / "split.parquet", fold)
        tested = {record.id for record in read_records(dataset, "test")}
        assert set(table["id"][table["fold"] == fold]) == tested
    # The baselines are fitted in each fold, and pooled in the same way.
    runs = [folder / f"cv-fold{fold}" for fold in FOLDS]
    single = [read_metrics(run) for run in runs]
    residues = [one.counts.scored_residues or 0 for one in single]
    for name in ("majority", "window_logistic"):
        of_folds = [one.baselines[name]["q3"].value for one in single]
        expected = np.average(np.array(of_folds, dtype=float), weights=residues)
        assert metrics.baselines[name]["q3"].value == pytest.approx(expected, abs=1e-5)
    assert metrics.score("gain_over_window_logistic").known
    # What calibration gained is that of each fold's own.
    tables = [pd.read_table(run / "calibration.tsv") for run in (folder / "cv", *runs)]
    before, *of_folds = (one[one["set"] == "before"].set_index("low") for one in tables)
    counts = sum(one["count"].reindex(before.index, fill_value=0) for one in of_folds)
    assert (before["count"] == counts).all()
    assert metrics.score("ece_uncalibrated") != metrics.score("ece")
    low, high = metrics.score("q3").low, metrics.score("q3").high
    assert low is not None
    assert high is not None
    assert low < right < high


def test_the_table_of_folds_has_each_the_spread_and_all(folder: Path) -> None:
    with open(folder / "cv/folds.tsv", encoding="utf-8") as lines:
        rows = {row["fold"]: row for row in csv.DictReader(lines, delimiter="\t")}
    assert list(rows) == ["cv-fold1", "cv-fold2", "mean", "sd", "all", "all_low", "all_high"]
    values = [float(rows[f"cv-fold{fold}"]["q3"]) for fold in FOLDS]
    assert float(rows["mean"]["q3"]) == pytest.approx(np.mean(values), abs=1e-4)
    assert float(rows["sd"]["q3"]) == pytest.approx(np.std(values, ddof=1), abs=1e-4)
    assert rows["all"]["records"] == "40"


def test_report_and_comparison_show_a_cross_validation(folder: Path, tmp_path: Path) -> None:
    write_report(folder / "cv", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert 'href="../cv-fold2/report.html"' in page
    assert "standard deviation" in page
    runs = [folder / "cv", folder / "cv-fold1"]
    compare_runs(runs, tmp_path / "runs.tsv", data=tmp_path / "runs.json")
    assert "cv-fold1" in (tmp_path / "runs.tsv").read_text("utf-8")
    assert json.loads((tmp_path / "runs.json").read_text("utf-8"))


def test_the_report_says_what_is_known_of_the_training_data_behind_a_model(
    folder: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(folder / "cv-fold1", tmp_path / "run")
    metrics = read_metrics(run)
    own = metrics.training_overlap[0]
    assert (own.model, own.seen) == ("cv-fold1", 0)
    for seen, similar, told in (
        (0, 0, "none was in that of base"),
        (3, 1, "3 were in that of base"),
        (None, None, "were in that of base is unknown"),
    ):
        behind = TrainingOverlap(model="base", records=own.records, seen=seen, similar=similar)
        metrics.training_overlap = [own, behind]
        metrics.write(run)
        write_report(run, run / "report.html")
        page = " ".join((run / "report.html").read_text("utf-8").split())
        assert "Training data behind the model" in page
        assert told in page


def test_runs_and_datasets_that_do_not_belong_together_are_named(
    folder: Path, tmp_path: Path
) -> None:
    runs = [folder / "cv-fold1", folder / "cv-fold2"]
    datasets = [fold_path(folder / "split.parquet", fold) for fold in FOLDS]
    with pytest.raises(GrubioError, match="none of the datasets is the one"):
        pool_folds(runs, datasets[:1], tmp_path / "a", QUICK, device="cpu")
    with pytest.raises(GrubioError, match=r"was tested in .*cv-fold1 already"):
        pool_folds([runs[0], runs[0]], datasets, tmp_path / "a", QUICK, device="cpu")
    with pytest.raises(GrubioError, match="two folds or more"):
        pool_folds(runs[:1], datasets, tmp_path / "a", QUICK, device="cpu")
    with pytest.raises(GrubioError, match="in none of the audits"):
        audits = [folder / "audit-fold1.tsv"]
        pool_folds(runs, datasets, tmp_path / "a", QUICK, audits=audits, device="cpu")
    assert not (tmp_path / "a").exists()
