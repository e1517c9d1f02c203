"""A scheme of one's own with a background: what is chosen, scored and written of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import matthews_corrcoef

from grubio.config import EvaluationSettings, ModelSettings, TrainingSettings
from grubio.datasets.parquet import DatasetHeader, write_dataset
from grubio.evaluation.evaluate import evaluate_model
from grubio.model.bundle import CARD_FILE, load_metadata
from grubio.report.summary import summary_lines
from grubio.runs.folder import read_run
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.record import Record
from grubio.sequences.scheme import custom_scheme
from grubio.training.train import train_model

SCHEME = custom_scheme("binding", "B.", ("binding", "other"), background=".")
SPLITS = ("train",) * 60 + ("valid",) * 12 + ("test",) * 12


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Chains in which tryptophan, and it alone, binds: about one residue in twenty."""
    generator = np.random.default_rng(3)
    records = []
    for number, split in enumerate(SPLITS):
        sequence = "".join(generator.choice(list("ACDEFGHIKLMNPQRSTVYW"), 120))
        labels = "".join("B" if residue == "W" else "." for residue in sequence)
        records.append(Record(f"p{number}", "", sequence, labels, None, None, split))
    path = tmp_path_factory.mktemp("binding") / "split.parquet"
    write_dataset(path, DatasetHeader(PROTEIN, SCHEME), records)
    return path


def trained(dataset: Path, folder: Path, **settings: Any) -> Path:
    return train_model(
        dataset,
        folder,
        ModelSettings(hidden_size=16, layers=1, stem_channels=0),
        TrainingSettings(epochs=8, batch_residues=600, learning_rate=0.03, **settings),
        device="cpu",
        threads=1,
    )


def test_mcc_chooses_the_model_and_comes_first(
    dataset: Path, tmp_path: Path, grubio: Callable[..., Any]
) -> None:
    model = trained(dataset, tmp_path / "run")
    assert load_metadata(model)["training"]["score"] == "mcc"
    assert "correlation of observed and predicted classes" in (model / CARD_FILE).read_text()
    quick = EvaluationSettings(bootstrap=20, baseline_window=3)
    metrics = evaluate_model(model, dataset, tmp_path / "run", quick, threads=1)
    stored = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert stored["headline"] == {"key": "mcc"}
    import pyarrow.parquet as pq

    table = pq.read_table(tmp_path / "run" / "test_predictions.parquet").to_pydict()
    expected = matthews_corrcoef(table["observed"], table["label"])
    assert expected > 0.5
    assert metrics.score("mcc").value == pytest.approx(expected, abs=1e-9)
    # Never naming the rare class has no correlation, and counts as none.
    gain = stored["gain_over_majority"]["value"]
    assert gain == pytest.approx(expected, abs=1e-6)
    assert {key for band in stored["by_length"] for key in band} >= {"mcc"}
    run = read_run(tmp_path / "run")
    assert (run.score_key, run.chain_key) == ("mcc", "accuracy")
    assert run.chains is not None
    right = sum(chain.score * chain.scored for chain in run.chains if chain.score is not None)
    assert right / 1440 == pytest.approx(metrics.score("accuracy").value, abs=1e-4)
    assert summary_lines(tmp_path / "run")[1].strip().startswith("MCC ")
    (tmp_path / "p.fasta").write_text(">a\nACDWWACD\n")
    done = grubio("predict", tmp_path / "p.fasta", "-m", model, "-o", tmp_path / "p.gff3")
    assert done.returncode == 0, done.stderr
    lines = [line.split("\t") for line in (tmp_path / "p.gff3").read_text().splitlines()]
    assert all("other" not in line[2] for line in lines if len(line) > 2)


@pytest.mark.parametrize("chosen", ["accuracy", "macro_f1", "average_precision"])
def test_the_settings_choose_another_headline(dataset: Path, tmp_path: Path, chosen: str) -> None:
    model = trained(dataset, tmp_path / "run", select_by=chosen)
    quick = EvaluationSettings(bootstrap=20, baseline_window=3)
    metrics = evaluate_model(model, dataset, tmp_path / "run", quick, threads=1)
    run = read_run(tmp_path / "run")
    assert run.score_key == chosen
    score = metrics.score(chosen)
    assert score.value is not None
    assert score.low is not None
    assert score.low <= score.value
    if chosen == "average_precision":
        of_class = metrics.classes["binding"]["B"].score("average_precision")
        assert score == of_class
        share = metrics.baselines["majority"]["average_precision"].value
        assert share == pytest.approx(metrics.classes["binding"]["B"].support / 1440, abs=1e-6)
