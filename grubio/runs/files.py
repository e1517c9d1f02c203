"""The names of the files and folders in the folder of a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

MODEL_FOLDER = "model"
HISTORY_FILE = "history.csv"
"""One row for each validation."""
REACH_FILE = "gradient_reach.tsv"
"""How strongly the answers for a residue depend on another one, by their distance."""
TENSORBOARD_FOLDER = "tensorboard"
CHECKPOINT_FOLDER = "checkpoints"
LOCK_FILE = "training.lock"
"""Locked while a training is at work in the folder."""

METRICS_FILE = "metrics.json"
"""Scores with their intervals, baselines and provenance: :class:`grubio.runs.metrics.Metrics`."""
CHAINS_FILE = "per_chain.tsv"
"""Scores of each test chain, and its nearest training chain."""
CONFUSION_FILE = "confusion.tsv"
"""Counts of observed and predicted classes."""
CALIBRATION_FILE = "calibration.tsv"
"""Confidence against accuracy, before and after calibration."""
CLASS_REPORT_FILE = "classification_report.txt"
CLASS_REPORT_DATA_FILE = "classification_report.json"
"""Precision, recall and F1 of each class, as scikit-learn reports them: for people, and in full."""
CURVES_FILE = "calibration_curves.tsv"
"""Probability of each class against how often it is observed, from scikit-learn."""
DEVIATIONS_FILE = "deviations.tsv"
"""Of values: predicted standard deviations against errors."""
TEST_PREDICTIONS_FILE = "test_predictions.parquet"
"""Every test residue with its probabilities."""
OUT_OF_FOLD_FILE = "out_of_fold.parquet"
"""Of a cross-validation: the test predictions of all folds, with the fold of each residue."""
FOLDS_FILE = "folds.tsv"
"""Of a cross-validation: the scores of each fold, their mean and spread, and those of all."""
SPEED_FILE = "speed.json"
"""How long the test records took to label."""
SITES_FILE = "sites.tsv"
"""Of a genome: the best sites of the scan."""
SITE_CURVE_FILE = "site_curve.tsv"
"""Of a genome: precision and recall of sites."""

MOTIFS_FOLDER = "motifs"
MOTIFS_FILE = "motifs.json"
REPORT_FILE = "report.html"
PAGE_FILE = "predictor.html"
"""The model as a page that labels in the browser."""
CRATE_FILE = "ro-crate-metadata.json"
"""Inputs, checksums, settings, software and scores, as an RO-Crate."""
PREDICTIONS_FOLDER = "predictions"


_OF_A_MODEL = (
    MODEL_FOLDER,
    MOTIFS_FOLDER,
    HISTORY_FILE,
    REACH_FILE,
    SPEED_FILE,
    TEST_PREDICTIONS_FILE,
)
_OF_FOLDS = (OUT_OF_FOLD_FILE, FOLDS_FILE)


def told_weights(digest: str) -> str:
    """Return what :data:`PAGE_FILE` says of the weights in it, as HTML, given their SHA-256."""
    return f"<code>{digest}</code>, of its weights"


def strange_files(*, folds: bool) -> tuple[str, ...]:
    """Return what a run, or a cross-validation, has only from an earlier one of the other kind."""
    return _OF_A_MODEL if folds else _OF_FOLDS


def read_files(run: Path) -> Iterator[Path]:
    """Yield the files and folders of a run that a report or a comparison reads."""
    for name in (
        MODEL_FOLDER,
        MOTIFS_FOLDER,
        HISTORY_FILE,
        REACH_FILE,
        SPEED_FILE,
        METRICS_FILE,
        CHAINS_FILE,
        CONFUSION_FILE,
        CALIBRATION_FILE,
        DEVIATIONS_FILE,
        TEST_PREDICTIONS_FILE,
        OUT_OF_FOLD_FILE,
        FOLDS_FILE,
        SITES_FILE,
        SITE_CURVE_FILE,
    ):
        yield run / name
