"""Several targets in one model, from the columns of a table to predictions and their scores."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pyarrow.parquet as pq
import pytest
import sklearn.metrics
import torch

from grubio.config import (
    EvaluationSettings,
    ModelSettings,
    Output,
    PredictionSettings,
    TrainingSettings,
)
from grubio.datasets.parquet import DatasetHeader, read_header, read_records, write_dataset
from grubio.evaluation.evaluate import evaluate_model
from grubio.inference.predictor import Predictor
from grubio.model.batching import IGNORED, is_known
from grubio.model.bundle import load_bundle
from grubio.prediction.read_back import PredictionsTable
from grubio.prediction.shards.files import probabilities_path, records_path
from grubio.prediction.shards.steps import cut_input, gather_shards, label_shard
from grubio.runs.metrics import read_metrics
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS3, custom_scheme
from grubio.sequences.target import Target
from grubio.training.examples import load_training_data
from grubio.training.fitting import new_fitting
from grubio.training.train import train_model

CHARGE = custom_scheme("charge", "PN0", ["positive", "negative", "neutral"])
VOLUME = {letter: 60 + 8 * place for place, letter in enumerate("GASCDPNTEVQHMILKRFYW")}


def charge_of(sequence: str) -> str:
    return "".join("P" if c in "KRH" else "N" if c in "DE" else "0" for c in sequence)


@pytest.fixture(scope="module")
def run(
    chains: list[Record],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A run of the command line with two targets of classes and one of values."""
    from click.testing import CliRunner

    from grubio.cli import command_line

    folder = tmp_path_factory.mktemp("two")
    rows = ["id\tsequence\tss8\tcharge\tvolume\tsplit"]
    for number, record in enumerate(chains):
        volumes = ",".join(str(VOLUME.get(c, "")) for c in record.sequence)
        charge = charge_of(record.sequence)
        # A third of the chains has no charge, another no volumes.
        cells = ["" if number % 3 == 1 else charge, "" if number % 3 == 2 else volumes]
        rows.append(
            "\t".join([record.id, record.sequence, record.labels or "", *cells, record.split or ""])
        )
    (folder / "chains.tsv").write_text("\n".join(rows) + "\n")

    def grubio(*arguments: object) -> None:
        done = CliRunner().invoke(command_line(), [str(a) for a in arguments])
        assert done.exit_code == 0, done.output

    table, split = folder / "chains.tsv", folder / "prepared.parquet"
    targets = ("--target", "charge=P:positive,N:negative,0:neutral", "--target", "volume=50..230")
    grubio("prepare", table, "--format", "tsv", *targets, "--output", split)
    small = ("--hidden-size", 12, "--layers", 1, "--stem-channels", 8, "--device", "cpu")
    long = ("--epochs", 8, "--batch-residues", 3000, "--learning-rate", 0.02, "--patience", 9)
    grubio("train", split, "--output", folder, *small, *long)
    scored = ("--output", folder, "--bootstrap", 20, "--device", "cpu")
    grubio("evaluate", "--model", folder / "model", "--dataset", split, *scored)
    return folder


def test_the_dataset_and_the_bundle_list_all_targets(run: Path) -> None:
    header = read_header(run / "prepared.parquet")
    assert [t.name for t in header.targets] == ["charge", "volume"]
    first = next(read_records(run / "prepared.parquet", targets=True))
    assert first.answers["charge"] == charge_of(first.sequence)
    names = [target.name for target in load_bundle(run / "model").targets]
    assert names == ["labels", "charge", "volume"]
    listed = json.loads((run / "model" / "model.json").read_text())["targets"]
    assert [target["name"] for target in listed] == names


def test_each_target_is_learned_and_scored_under_its_name(run: Path) -> None:
    metrics = read_metrics(run)
    assert metrics.score("q8").value is not None
    charge = metrics.targets["charge"]["accuracy"]
    assert charge.value is not None
    assert charge.value > 0.9
    assert charge.low is not None
    assert charge.high is not None
    assert charge.low <= charge.value <= charge.high
    assert (metrics.targets["volume"]["pearson"].value or 0) > 0.7


def test_scores_of_further_targets_are_those_of_scikit_learn(run: Path) -> None:
    table = pq.read_table(run / "test_predictions.parquet").to_pandas()
    scores = read_metrics(run).targets
    known = table[table["observed_charge"] != "?"]
    found = sklearn.metrics.accuracy_score(known["observed_charge"], known["charge"])
    assert scores["charge"]["accuracy"].value == round(found, 6)
    found = sklearn.metrics.matthews_corrcoef(known["observed_charge"], known["charge"])
    assert scores["charge"]["mcc"].value == round(found, 6)
    known = table[table["observed_volume"].notna()].astype({"volume": float})
    found = sklearn.metrics.mean_absolute_error(
        known["observed_volume"].astype(float), known["volume"]
    )
    assert scores["volume"]["mean_absolute_error"].value == round(found, 6)


def test_the_page_draws_a_second_labelling_and_values(
    run: Path, grubio: Callable[..., CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "in.fasta").write_text(">one\nMKDEAAWWG\n")
    done = grubio("predict", "in.fasta", "--model", run / "model", "--output", "out.html")
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "out.html").read_text().splitlines()
    (line,) = (json.loads(line) for line in lines if line.startswith('{"id":'))
    assert line["charge"][:4] == "0PNN"
    about = next(line for line in lines if 'id="settings"' in line)
    targets = json.loads(about[about.index("{") : about.rindex("}") + 1])["targets"]
    assert [target["name"] for target in targets] == ["charge", "volume"]
    assert [one["letter"] for one in targets[0]["classes"]] == ["P", "N", "0"]
    assert (targets[1]["low"], targets[1]["high"], targets[1]["spread"]) == (50, 230, False)


def test_further_targets_of_classes_are_calibrated(run: Path) -> None:
    calibrations = load_bundle(run / "model").calibrations
    assert calibrations.keys() == {"labels", "charge"}
    assert calibrations["charge"].temperature != 1


@pytest.mark.parametrize("ending", ["tsv", "parquet", "json"])
def test_predictions_have_the_columns_of_all_targets(
    run: Path, ending: str, grubio: Callable[..., CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "in.fasta").write_text(">one\nMKDEAAWWG\n>two\nGG\n")
    output = f"out.{ending}"
    done = grubio("predict", "in.fasta", "--model", run / "model", "--output", output)
    assert done.returncode == 0, done.stderr
    text = tmp_path / output
    additional = ["charge", "charge_p_P", "charge_p_N", "charge_p_0", "volume"]
    if ending == "tsv":
        header, *rows = [line.split("\t") for line in text.read_text().splitlines()]
        assert header[-5:] == additional
        assert "".join(row[header.index("charge")] for row in rows[:4]) == "0PNN"
        assert all(50 <= float(row[-1]) <= 230 for row in rows)
    elif ending == "parquet":
        table = pq.read_table(text)
        assert table.column_names[-5:] == additional
        shares = [np.asarray(table.column(name)) for name in additional[1:4]]
        assert np.sum(shares, axis=0) == pytest.approx(1, abs=1e-5)
        back = next(iter(PredictionsTable(text)))
        assert [target.name for target in back.additional] == ["charge", "volume"]
        assert back.additional_columns()["charge"][:4] == list("0PNN")
    else:
        one = json.loads(text.read_text())["sequences"][0]
        assert one["charge"]["labels"][:4] == "0PNN"
        assert set(one["charge"]["probabilities"]) == set("PN0")
        assert len(one["volume"]) == 9


def test_shards_have_the_answers_of_one_go(
    run: Path, grubio: Callable[..., CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "in.fasta").write_text(">one\nMKDEAAWWG\n>two\nGG\n>three\nWWKK\n")
    model, settings = run / "model", PredictionSettings(device="cpu")
    done = grubio("predict", "in.fasta", "-m", model, "-o", "whole.tsv", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    cut_input(tmp_path / "in.fasta", tmp_path, 2, model, settings)
    labelled = [probabilities_path(tmp_path, number, 2) for number in (1, 2)]
    for number, path in enumerate(labelled, start=1):
        label_shard(records_path(tmp_path, number, 2), path, model, settings)
    gather_shards(labelled, [Output(str(tmp_path / "s.tsv"), "tsv")], model, settings)
    assert (tmp_path / "whole.tsv").read_text() == (tmp_path / "s.tsv").read_text()


def test_a_missing_answer_is_missing_for_its_target_alone(tmp_path: Path) -> None:
    target = Target("charge", "classes", CHARGE)
    records = [
        Record("a", "", "MKDE", "HHHH", "0000", split="train", answers={"charge": "0PN?"}),
        Record("b", "", "MKDE", "HEC?", None, split="train"),
        Record("c", "", "MKDE", "????", "0000", split="train", answers={"charge": "????"}),
        Record("d", "", "MKDE", "HEC?", None, split="valid"),
    ]
    path = tmp_path / "d.parquet"
    write_dataset(path, DatasetHeader(PROTEIN, SS3, targets=[target]), records)
    settings = TrainingSettings(batch_residues=8)
    data = load_training_data(path, ModelSettings(), settings)
    # The labels of the first are masked and its charges count; of the third nothing is known.
    first, second = data.train
    assert (first.classes == IGNORED).all()
    assert first.answers["charge"].tolist() == [2, 0, 1, IGNORED]
    assert is_known(second.classes).tolist() == [True, True, True, False]
    assert "charge" not in second.answers
    fitting = new_fitting(data, ModelSettings(hidden_size=4, layers=1), settings)
    (batch,) = fitting.train_dataloader()
    loss = fitting.training_step(batch, 0)
    loss.backward()
    heads = dict(zip(fitting.model.targets, fitting.model.heads, strict=True))
    for head in heads.values():
        gradient = head.weight.grad
        assert isinstance(gradient, torch.Tensor)
        assert float(gradient.abs().sum()) > 0


def test_targets_and_weights_are_chosen_by_the_settings(rich: Path, tmp_path: Path) -> None:
    def learned(model: ModelSettings, **settings: object) -> dict[str, float]:
        training = TrainingSettings.model_validate(settings)
        return {t.name: t.weight for t in load_training_data(rich, model, training).targets}

    assert learned(ModelSettings()) == {"accessibility": 0.3}
    assert learned(ModelSettings(targets=())) == {}
    both = {"profile": 0.2, "accessibility": 1.0}
    assert learned(ModelSettings(), target_weights=both) == both
    assert learned(ModelSettings(), target_weights={"accessibility": 0}) == {}
    small = ModelSettings(hidden_size=4, layers=1, targets=())
    folder = train_model(rich, tmp_path, small, TrainingSettings(epochs=1), device="cpu")
    (only,) = load_bundle(folder).targets
    assert only.name == "labels"
    (one,) = Predictor(load_bundle(folder), "cpu", 1).predict([Record("a", "", "MKV")])
    assert dict(one.additional) == {}
    scores = evaluate_model(
        folder, rich, tmp_path / "s", EvaluationSettings(bootstrap=10), device="cpu"
    )
    assert scores.targets == {}
