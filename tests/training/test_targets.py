"""Additional targets: from their files to the loss, and coarse labels beside them."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy.stats import spearmanr
from test_homology import random_chain, relative

from conftest import ACCESSIBILITY, profile_of
from grubio.config import (
    FORMER_TARGETS,
    EvaluationSettings,
    ModelSettings,
    PrepareSettings,
    SplitSettings,
    TargetSettings,
    TrainingSettings,
)
from grubio.datasets.parquet import DatasetHeader, read_records, write_dataset
from grubio.datasets.prepare_sequences import prepare_dataset
from grubio.errors import GrubioError
from grubio.evaluation.evaluate import evaluate_model
from grubio.inference.predictor import Predictor
from grubio.metrics.bootstrap import scores_of
from grubio.metrics.value_scores import ValueScores
from grubio.model.batching import IGNORED, labelled_examples, padded
from grubio.model.bundle import load_bundle, save_bundle
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS3, SS8
from grubio.sequences.target import Target, values_of_tenths
from grubio.splits.split import split_dataset
from grubio.training.ensemble import combine_models
from grubio.training.homolog_augmentation import with_substitutions
from grubio.training.losses import label_loss
from grubio.training.train import train_model

TABLE = "id\tsequence\tss8\none\tMKV*\tHHEC\ntwo\tGG\tCC\n"


def files_of_targets(folder: Path, residues: int = 6) -> tuple[Path, Path, Path]:
    table, digits, profiles = folder / "t.tsv", folder / "rsa.tsv", folder / "p.npz"
    table.write_text(TABLE)
    digits.write_text("id\trsa\none\t012-\n")
    np.savez(profiles, freq=np.arange(residues * 20, dtype=np.uint8).reshape(residues, 20))
    return table, digits, profiles


def settings_of(digits: Path, profiles: Path) -> list[TargetSettings]:
    files = {"accessibility": digits, "profile": profiles}
    return [TargetSettings.model_validate(f"{name}@{path}") for name, path in files.items()]


def profile_in(record: Record) -> npt.NDArray[Any]:
    answer = record.answers["profile"]
    assert isinstance(answer, np.ndarray)
    return answer


def test_targets_reach_the_dataset_and_follow_a_removed_stop(tmp_path: Path) -> None:
    table, digits, profiles = files_of_targets(tmp_path)
    output = tmp_path / "out.parquet"
    settings = PrepareSettings(format="tsv")
    prepare_dataset([table], output, settings, targets=settings_of(digits, profiles))
    one, two = read_records(output, targets=True)
    assert (one.sequence, "accessibility" in two.answers) == ("MKV", False)
    assert one.answers["accessibility"] == pytest.approx([0.05, 0.15, 0.25])
    assert profile_in(one).tobytes() == bytes(range(60))
    assert profile_in(two).tobytes() == bytes(range(80, 120))
    assert [dict(r.answers) for r in read_records(output)] == [{}, {}]


@pytest.mark.parametrize(
    ("residues", "digits", "problem"),
    [
        (5, "012-", "5 residues, but the records have 6"),
        (6, "01x-", "line 2"),
        (6, "01", "2 values of accessibility"),
    ],
)
def test_targets_that_do_not_fit_are_refused(
    residues: int, digits: str, problem: str, tmp_path: Path
) -> None:
    table, accessibility, profiles = files_of_targets(tmp_path, residues)
    accessibility.write_text(f"id\trsa\none\t{digits}\n")
    with pytest.raises(GrubioError, match=problem):
        prepare_dataset(
            [table],
            tmp_path / "out.parquet",
            PrepareSettings(format="tsv"),
            targets=settings_of(accessibility, profiles),
        )


def test_a_file_that_is_no_archive_of_profiles_is_refused(tmp_path: Path) -> None:
    table, digits, profiles = files_of_targets(tmp_path)
    profiles.write_text("no archive")
    with pytest.raises(GrubioError, match="not a NumPy archive"):
        prepare_dataset(
            [table],
            tmp_path / "o.parquet",
            PrepareSettings(format="tsv"),
            targets=settings_of(digits, profiles),
        )


def test_examples_hold_the_middle_of_each_tenth_and_their_piece_of_the_profile() -> None:
    answers = {
        "accessibility": values_of_tenths("09-123", ACCESSIBILITY),
        "profile": profile_of("MKVLAG"),
    }
    record = Record("a", "", "MKVLAG", "HHhCe?", answers=answers)
    first, second = labelled_examples(record, PROTEIN, SS8, 3, FORMER_TARGETS)
    assert first.classes.tolist() == [0, 0, 8]
    assert second.classes.tolist() == [7, 9, IGNORED]
    assert first.answers["accessibility"][:2] == pytest.approx([0.05, 0.95])
    assert math.isnan(first.answers["accessibility"][2])
    assert second.answers["profile"].tobytes() == profile_of("MKVLAG").tobytes()[60:]
    batch = padded([first, second], PROTEIN.pad_code)
    assert batch.answers["profile"].shape == (3, 2, 20)
    plain = padded([replace(first, answers={})], PROTEIN.pad_code)
    assert plain.answers == {}


def test_the_loss_of_a_coarse_label_is_that_of_the_sum_of_its_classes() -> None:
    logits = torch.randn(3, 1, SS8.size)
    p = logits.softmax(dim=2)[:, 0]
    found = label_loss(logits, torch.tensor([[0], [8], [9]]), SS8)
    # H; h = H, G or I; e = E or B
    wanted = -(p[0, 0].log() + p[1, :3].sum().log() + p[2, 3:5].sum().log()) / 3
    assert float(found) == pytest.approx(float(wanted), rel=1e-5)


def test_substitutions_come_from_the_profile_and_padding_stays() -> None:
    torch.manual_seed(0)
    codes = torch.full((2000, 2), 3, dtype=torch.uint8)
    profile = torch.zeros(2000, 2, 20, dtype=torch.uint8)
    profile[:, 0, 5], profile[:, 0, 7] = 60, 20
    mutated = with_substitutions(codes, profile, 1.0)
    assert (mutated[:, 1] == 3).all()
    replaced = mutated[:, 0][mutated[:, 0] != 3]
    assert set(replaced.tolist()) == {5, 7}
    assert (replaced == 5).float().mean() == pytest.approx(0.75, abs=0.06)
    assert (codes == 3).all()


def test_a_model_learns_all_targets_and_predicts_accessibility(rich: Path, tmp_path: Path) -> None:
    model = ModelSettings(hidden_size=12, layers=1, targets=("accessibility",))
    training = TrainingSettings(
        epochs=2,
        batch_residues=3000,
        target_weights={"profile": 0.3},
        homolog_augmentation=0.3,
        weight_averaging=0.5,
    )
    folder = train_model(rich, tmp_path, model, training, device="cpu", threads=1)
    bundle = load_bundle(folder)
    assert 0 <= bundle.metadata["training"]["valid_ece"] < 1
    scores = evaluate_model(
        folder, rich, tmp_path / "scores", EvaluationSettings(bootstrap=20), device="cpu", threads=1
    )
    assert -1 <= scores.as_dict()["targets"]["accessibility"]["pearson"]["value"] <= 1
    names = bundle.weights.keys()
    assert "heads.1.weight" in names
    assert not any("profile" in name or "average" in name for name in names)
    sequences = ["MKTAYIAKQR" * 3, "GG", "MKVLAADE"]
    records = [Record(str(i), "", s) for i, s in enumerate(sequences)]
    together = list(Predictor(bundle, "cpu", 1).predict(records))
    for record, ours in zip(records, together, strict=True):
        (alone,) = Predictor(bundle, "cpu", 1).predict([record])
        ((target, values),) = ours.additional.items()
        assert (target.name, target.heading) == ("accessibility", "rsa")
        assert values.shape == (len(record),)
        assert np.abs(values - alone.additional[target]).max() < 1e-5
        assert ((values >= 0) & (values <= 1)).all()


@pytest.mark.parametrize(
    ("model", "training", "missing"),
    [
        ({"targets": ["accessibility"]}, {}, "has no accessibility"),
        ({}, {"target_weights": {"profile": 0.3}}, "has no profile"),
        ({"accessibility": True}, {}, "has no accessibility"),
        ({}, {"profile_weight": 0.3}, "has no profile"),
        ({}, {"homolog_augmentation": 0.3}, "has no profile"),
    ],
)
def test_a_target_that_is_not_there_is_refused(
    model: dict[str, Any], training: dict[str, Any], missing: str, dataset: Path, tmp_path: Path
) -> None:
    with pytest.raises(GrubioError, match=missing):
        train_model(
            dataset,
            tmp_path,
            ModelSettings.model_validate(model),
            TrainingSettings.model_validate(training),
        )


@pytest.fixture(scope="module")
def members(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three trained models, of which the third is narrower."""
    folder = tmp_path_factory.mktemp("members")
    return [
        train_model(
            dataset,
            folder / str(seed),
            ModelSettings(hidden_size=8 if seed < 3 else 6, layers=1),
            TrainingSettings(epochs=1, seed=seed, batch_residues=4000),
            device="cpu",
            threads=1,
        )
        for seed in (1, 2, 3)
    ]


def test_a_distilled_model_follows_its_teacher(
    members: list[Path], dataset: Path, tmp_path: Path
) -> None:
    def trained(name: str, share: float) -> tuple[Path, np.ndarray]:
        folder = train_model(
            dataset,
            tmp_path / name,
            ModelSettings(hidden_size=8, layers=1),
            TrainingSettings(epochs=6, batch_residues=2000, seed=5, teacher_weight=share),
            teacher=members[0],
            device="cpu",
            threads=1,
        )
        return folder, probabilities(folder)

    def probabilities(folder: Path) -> np.ndarray:
        records = list(read_records(dataset, "test"))[:20]
        answers = Predictor(load_bundle(folder), "cpu", 1).predict(records)
        return np.concatenate([answer.probabilities for answer in answers])

    teacher = probabilities(members[0])
    folder, alike = trained("all", 1.0)
    _, apart = trained("none", 0.0)
    assert np.abs(alike - teacher).mean() < 0.7 * np.abs(apart - teacher).mean()
    known = load_bundle(folder).metadata["training"]["teacher_sha256"]
    assert known == load_bundle(members[0]).metadata["weights_sha256"]


def test_an_ensemble_answers_with_the_mean_of_its_members(
    members: list[Path], dataset: Path, tmp_path: Path
) -> None:
    folder = combine_models(members[:2], dataset, tmp_path, threads=1)
    bundle = load_bundle(folder)
    record = Record("a", "", "MKTAYIAKQRQISFVKSHFSRQ")
    (ours,) = Predictor(bundle, "cpu", 1, grammar=False).predict([record])
    logs = []
    for path in members[:2]:
        member = replace(load_bundle(path), calibrations={})
        (answer,) = Predictor(member, "cpu", 1, grammar=False).predict([record])
        logs.append(np.log(answer.probabilities))
    mean = np.mean(logs, axis=0) / bundle.calibration().temperature
    expected = np.exp(mean) / np.exp(mean).sum(axis=1, keepdims=True)
    assert np.abs(ours.probabilities - expected).max() < 1e-5
    assert bundle.members == 2
    assert len(bundle.metadata["training"]["members"]) == 2
    assert (tmp_path / "history.csv").read_text().count("\n") == 2


def test_scores_of_accessibility_are_those_of_numpy() -> None:
    generator = np.random.default_rng(0)
    digits = ["0123456789" * 3, "97531-", None]
    observed = [values_of_tenths(d or "----", ACCESSIBILITY) for d in digits]
    predicted = [generator.random(len(d or "....")).astype(np.float32) for d in digits]
    weights = np.array([[1.0, 1, 1], [2, 1, 0]])
    scores = scores_of(ValueScores(observed, predicted).overall(weights))
    middles = [[(int(c) + 0.5) / 10 for c in d if c != "-"] for d in digits if d]
    first, second = predicted[0], predicted[1][:5]
    x, y = np.concatenate(middles), np.concatenate([first, second])
    assert scores["pearson"].value == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert scores["mean_absolute_error"].value == pytest.approx(np.abs(x - y).mean())
    ranks = [float(scores["spearman"].value or 0)]
    assert ranks == pytest.approx([spearmanr(x, y).statistic])
    x, y = np.concatenate([middles[0], x]), np.concatenate([first, y])
    # A sample has ranks of its own.
    ranks = sorted([*ranks, spearmanr(x, y).statistic])
    assert ranks[0] - 1e-9 <= (scores["spearman"].low or 0) <= (scores["spearman"].high or 0)
    assert (scores["spearman"].high or 0) <= ranks[1] + 1e-9
    drawn = sorted([np.corrcoef(x, y)[0, 1], float(scores["pearson"].value or 0)])
    assert drawn[0] - 1e-9 <= (scores["pearson"].low or 0) <= (scores["pearson"].high or 0)
    assert (scores["pearson"].high or 0) <= drawn[1] + 1e-9


def test_models_that_do_not_fit_together_are_refused(
    members: list[Path], dataset: Path, rich: Path, tmp_path: Path
) -> None:
    own = load_bundle(members[0])
    more = replace(own, targets=(*own.targets, Target("more", "value")))
    save_bundle(tmp_path / "more", more, own.metadata["training"])
    with pytest.raises(GrubioError, match="has other targets than"):
        combine_models([members[0], tmp_path / "more"], dataset, tmp_path)
    with pytest.raises(GrubioError, match="was not trained on"):
        combine_models(members[:2], rich, tmp_path)
    with pytest.raises(GrubioError, match="two models or more"):
        combine_models(members[:1], dataset, tmp_path)
    with pytest.raises(GrubioError, match="is given twice"):
        combine_models([*members[:2], members[0]], dataset, tmp_path)
    # Their widths may differ.
    whole = combine_models(members[::2], dataset, tmp_path / "whole", threads=1)
    assert [a.hidden_size for a in load_bundle(whole).architectures] == [8, 6]
    with pytest.raises(GrubioError, match="ensemble already"):
        combine_models([whole, members[0]], dataset, tmp_path)


def test_other_datasets_join_train_but_for_homologs_and_their_own_test(tmp_path: Path) -> None:
    chains = [random_chain(150, 300 + i) for i in range(7)]

    def written(name: str, scheme: object, rows: list[tuple[str, str, str]]) -> Path:
        records = [Record(i, "", s, "H" * len(s), None, None, split) for i, s, split in rows]
        write_dataset(tmp_path / name, DatasetHeader(PROTEIN, scheme, {name: "0" * 64}), records)  # type: ignore[arg-type]
        return tmp_path / name

    own = written(
        "own.parquet",
        SS8,
        [("a", chains[0], "train"), ("b", chains[1], "valid"), ("c", chains[2], "test")],
    )
    also = written(
        "also.parquet",
        SS3,
        [
            ("near-train", relative(chains[0], 0.6, 1), "train"),
            ("near-valid", relative(chains[1], 0.6, 2), "train"),
            ("near-test", relative(chains[2], 0.6, 3), "valid"),
            ("new", chains[3], "valid"),
            ("their-test", chains[4], "test"),
        ],
    )
    output, removed = tmp_path / "out.parquet", tmp_path / "removed.tsv"
    settings = SplitSettings(method="kmer")
    split_dataset(own, output, settings, train_also=[also], removed=removed, threads=1)
    records = {r.id: r for r in read_records(output)}
    assert set(records) == {"a", "b", "c", "near-train", "new"}
    assert records["new"].split == records["near-train"].split == "train"
    assert set(records["new"].labels or "") == {"h"}
    assert {line.split("\t")[0] for line in removed.read_text().splitlines()[1:]} == {
        "near-valid",
        "near-test",
    }
    with pytest.raises(GrubioError, match="the id is in the dataset already"):
        split_dataset(own, output, settings, train_also=[own], threads=1)
