"""Training with a grammar: transitions counted or learned, the bundle, and labels that break it."""

from __future__ import annotations

import json
import logging
import re
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from grubio.config import ModelSettings, TrainingSettings
from grubio.config.loading import checked
from grubio.datasets.parquet import DatasetHeader, read_header, read_records, write_dataset
from grubio.errors import GrubioError
from grubio.inference.predictor import Predictor
from grubio.model.bundle import Bundle, load_bundle
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.grammar import grammar_from_dict
from grubio.sequences.posteriors import Transitions
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS3, LabelScheme, custom_scheme
from grubio.sequences.target import LABELS
from grubio.training.ensemble import combine_models
from grubio.training.examples import load_training_data
from grubio.training.train import train_model
from grubio.training.transitions import (
    STRENGTHS,
    counted_transitions,
    label_answers,
    with_transitions,
)
from grubio.training.validation_answers import (
    calibrated,
    validation_answers,
    validation_predictions,
)

SMALL = ModelSettings(hidden_size=8, layers=1, stem_channels=8)
SHORT = TrainingSettings(epochs=3, batch_residues=1500, learning_rate=0.02)
TOPOLOGY = custom_scheme("topology", "IMO").with_grammar(
    grammar_from_dict(
        {"next": {"I": "M", "M": "IO", "O": "M"}, "least": {"M": 5}, "first": "IO", "last": "IO"},
        "IMO",
    )
)
OBEYS = re.compile(r"(I+|O+)(M{5,}(I+|O+))*")


def made_up(folder: Path, scheme: LabelScheme, broken: int = 0) -> Path:
    """Membranes are leucine, inside is lysine, outside aspartate, with a third of noise."""
    random = np.random.default_rng(1)
    records = []
    for number in range(60):
        labels = "I" * random.integers(3, 12)
        for at in range(random.integers(1, 4)):
            labels += "M" * random.integers(5, 12) + "OI"[at % 2] * random.integers(3, 12)
        if number < broken:
            labels = "M" + labels[1:]
        true = np.array(["KLD"["IMO".index(label)] for label in labels])
        noise = random.choice(list("KLDAG"), len(labels))
        sequence = "".join(np.where(random.random(len(labels)) < 0.35, noise, true))
        split = ("train", "train", "train", "valid", "test")[number % 5]
        records.append(Record(f"r{number}", "", sequence, labels, None, f"g{number}", split))
    path = folder / "d.parquet"
    write_dataset(path, DatasetHeader(PROTEIN, scheme, {"a": "1" * 64}), records)
    return path


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up(tmp_path_factory.mktemp("data"), TOPOLOGY)


@pytest.fixture(scope="module")
def counted(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("counted")
    return load_bundle(train_model(dataset, folder, SMALL, SHORT, device="cpu", threads=1))


@pytest.fixture(scope="module")
def learned(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    settings = SHORT.model_copy(update={"loss": "crf"})
    folder = tmp_path_factory.mktemp("learned")
    return load_bundle(train_model(dataset, folder, SMALL, settings, device="cpu", threads=1))


def accuracy(bundle: Bundle, dataset: Path, *, grammar: bool = True) -> float:
    right = total = 0
    for found in Predictor(bundle, "cpu", 1, grammar=grammar).predict(
        read_records(dataset, "test")
    ):
        labels = found.labels()
        assert bool(OBEYS.fullmatch(labels)) or not grammar
        np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)
        if grammar:
            # A sequence begins and ends outside of the membrane.
            assert found.probabilities[[0, -1], 1].tolist() == [0, 0]
        right += sum(a == b for a, b in zip(labels, found.record.labels or "", strict=True))
        total += len(labels)
    return right / total


@pytest.mark.parametrize("how", ["counted", "learned"])
def test_labels_obey_and_get_better(
    how: str, dataset: Path, request: pytest.FixtureRequest
) -> None:
    bundle: Bundle = request.getfixturevalue(how)
    transitions = bundle.calibration().transitions
    assert transitions is not None
    assert transitions.learned == (how == "learned")
    # A membrane goes on rather than end, and I never meets O.
    scores = np.array(transitions.scores)
    assert scores[1, 1] > scores[1, 0]
    assert scores[0, 0] > scores[0, 2]
    assert bundle.scheme.grammar == TOPOLOGY.grammar
    assert accuracy(bundle, dataset) > accuracy(bundle, dataset, grammar=False)


def test_the_strength_has_the_highest_likelihood(counted: Bundle, dataset: Path) -> None:
    raw = replace(counted, calibrations={})
    predictions = validation_predictions(raw, read_records(dataset, "valid"), 1)
    answers = label_answers(predictions)
    known = validation_answers(raw, predictions)["labels"]
    data = load_training_data(dataset, SMALL, SHORT)
    transitions = counted_transitions(data.train, TOPOLOGY)
    plain, _ = calibrated(*known, offsets=False)
    chosen, _ = with_transitions(plain, answers, TOPOLOGY, transitions)
    assert chosen == counted.calibration()
    assert chosen.transitions is not None
    assert chosen.transitions.strength in STRENGTHS[1:]
    # Of all pairs of neighbours, counted one by one.
    pairs = {(a, b): 1 for a in "IMO" for b in "IMO"}
    for record in read_records(dataset, "train"):
        labels = record.labels or ""
        for pair in pairwise(labels):
            pairs[pair] += 1
    shares = [[pairs[a, b] / sum(pairs.values()) for b in "IMO"] for a in "IMO"]
    np.testing.assert_allclose(np.exp(chosen.transitions.scores), shares, atol=1e-5)


def test_an_ensemble_has_the_mean_of_their_transitions(
    learned: Bundle, dataset: Path, tmp_path: Path
) -> None:
    other = SHORT.model_copy(update={"loss": "crf", "seed": 2})
    paths = [tmp_path / "a", tmp_path / "b"]
    models = [
        train_model(dataset, path, SMALL, settings, device="cpu", threads=1)
        for path, settings in zip(paths, (other, other.model_copy(update={"seed": 3})), strict=True)
    ]
    bundle = load_bundle(combine_models(models, dataset, tmp_path / "both", threads=1))
    found = bundle.calibration().transitions
    assert isinstance(found, Transitions)
    assert found.learned
    own = [load_bundle(model).calibration().transitions for model in models]
    mean = np.mean([one.scores for one in own if one], axis=0)
    np.testing.assert_allclose(found.scores, mean, atol=1e-5)
    assert accuracy(bundle, dataset) > 0.5
    # It is scored under its transitions, as training scores a network.
    copy = shutil.copytree(models[0], tmp_path / "copy")
    twice = combine_models([models[0], copy], dataset, tmp_path / "twice", threads=1)
    scores = [load_bundle(m).metadata["training"]["valid_score"] for m in (twice, models[0])]
    assert scores[0] == pytest.approx(scores[1], abs=1e-3)


def test_a_field_needs_no_grammar(dataset: Path, tmp_path: Path) -> None:
    path = made_up(tmp_path, TOPOLOGY.with_grammar(None))
    settings = SHORT.model_copy(update={"loss": "crf", "epochs": 1})
    bundle = load_bundle(train_model(path, tmp_path / "run", SMALL, settings, device="cpu"))
    assert bundle.scheme.graph is not None
    assert bundle.scheme.graph.size == 3
    plain = SHORT.model_copy(update={"epochs": 1})
    bundle = load_bundle(train_model(path, tmp_path / "plain", SMALL, plain, device="cpu"))
    content = json.dumps(bundle.metadata["targets"])
    assert "grammar" not in content
    assert "transitions" not in content


def test_some_labels_may_break_the_grammar(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = made_up(tmp_path, TOPOLOGY, broken=2)
    with caplog.at_level(logging.WARNING):
        settings = SHORT.model_copy(update={"epochs": 1})
        train_model(path, tmp_path / "run", SMALL, settings, device="cpu")
    assert "2 of 36 records of split 'train' break the grammar of topology" in caplog.text
    assert "the first is record 'r0' at residue 1 (labels ...M)" in caplog.text


def test_soft_labels_are_no_label_sequence(dataset: Path, tmp_path: Path) -> None:
    # A sequence may not begin in the membrane.
    soft = np.tile(np.array([0, 255, 0, 255], dtype=np.uint8), (6, 1))
    others = [
        Record(f"s{i}", "", "L" * 6, "M" * 6, None, None, "train", {LABELS: soft})
        for i in range(60)
    ]
    path = tmp_path / "both.parquet"
    header = replace(read_header(dataset), soft_labels=True)
    write_dataset(path, header, [*read_records(dataset), *others])
    known, both = (load_training_data(one, SMALL, SHORT) for one in (dataset, path))
    assert len(both.train) == len(known.train) + 60
    assert both.grammar_note == ""
    transitions = counted_transitions(known.train, TOPOLOGY)
    assert counted_transitions(both.train, TOPOLOGY) == transitions
    # They count where there are no others.
    alone = counted_transitions(both.train[-60:], TOPOLOGY)
    assert np.argmax(alone.scores) == 4
    assert alone != transitions


def test_labels_that_all_break_the_grammar_are_refused(tmp_path: Path) -> None:
    strict = grammar_from_dict({"least": {"M": 30}, "first": "I"}, "IMO")
    path = made_up(tmp_path, TOPOLOGY.with_grammar(strict))
    first = next(iter(read_records(path, "train")))
    place = re.search("M+", first.labels or "")
    assert place is not None
    with pytest.raises(GrubioError) as error:
        train_model(path, tmp_path / "run", SMALL, SHORT, device="cpu", threads=1)
    assert "no label sequence of split 'train' obeys the grammar of topology" in str(error.value)
    assert f"record 'r0' at residue {place.end() + 1} " in str(error.value)
    assert "--grammar" in str(error.value.hint)
    assert not (tmp_path / "run").exists()


def test_a_dataset_keeps_its_grammar(dataset: Path) -> None:
    assert read_header(dataset).scheme.grammar == TOPOLOGY.grammar


@pytest.mark.parametrize("other", [{"class_weights": "balanced"}, {"focal_gamma": 2}])
def test_a_field_takes_no_weights(other: dict[str, object]) -> None:
    with pytest.raises(GrubioError, match=f"loss 'crf' takes no {next(iter(other))}"):
        checked(TrainingSettings, {"loss": "crf", **other})


def test_labels_of_another_kind_have_no_built_in_grammar(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    random = np.random.default_rng(2)
    texts = ["".join(random.choice(list("HEC"), 40)) for _ in range(20)]
    records = [
        Record(f"r{i}", "", "A" * 40, text, None, f"g{i}", "train" if i % 2 else "valid")
        for i, text in enumerate(texts)
    ]
    path = tmp_path / "d.parquet"
    write_dataset(path, DatasetHeader(PROTEIN, SS3, {"a": "1" * 64}), records)
    with caplog.at_level(logging.WARNING):
        settings = SHORT.model_copy(update={"epochs": 1})
        model = train_model(path, tmp_path / "run", SMALL, settings, device="cpu", threads=1)
    assert "records of split 'train' break the grammar of ss3, so the model has none" in caplog.text
    assert load_bundle(model).scheme.grammar is None
