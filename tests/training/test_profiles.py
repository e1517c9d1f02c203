"""Models that read profiles: trained, combined, distilled, evaluated, and used to label.

The labels follow from the profiles and not from the sequences, so that only a model that reads
profiles can learn them.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from grubio import load
from grubio.config import (
    EvaluationSettings,
    ModelSettings,
    Output,
    PrepareSettings,
    TrainingSettings,
)
from grubio.datasets.parquet import DatasetHeader, read_header, read_records, write_dataset
from grubio.datasets.prepare_sequences import prepare_dataset
from grubio.errors import GrubioError
from grubio.evaluation.evaluate import evaluate_model
from grubio.inference.predictor import Predictor
from grubio.model.bundle import load_bundle, load_metadata
from grubio.model.zoo import find_model
from grubio.prediction.predict_file import predict_file
from grubio.prediction.profiles import ProfileSource
from grubio.prediction.shards.resume import predict_in_shards
from grubio.profiles.archive import open_archive
from grubio.profiles.weighting import own_profile, profile_of_rows
from grubio.sequences.alphabet import PROTEIN
from grubio.sequences.profile import profile_from
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS3
from grubio.sequences.target import Target
from grubio.training import profile_thinning
from grubio.training.ensemble import combine_models
from grubio.training.lightning_module import Fitting
from grubio.training.profile_dropout import own_profile_table, with_own_profiles
from grubio.training.profile_thinning import with_few_homologs
from grubio.training.train import train_model

MODEL = ModelSettings(hidden_size=8, layers=1, stem_channels=0, dropout=0)
BOTH = MODEL.model_copy(update={"inputs": ("onehot", "profile")})
TRAINING = TrainingSettings(
    epochs=4, batch_residues=300, learning_rate=0.03, validations_per_epoch=1
)
OF_LABEL = {"H": "A", "E": "V", "C": "G"}


def made(number: int, split: str) -> Record:
    generator = np.random.default_rng(number)
    length = int(generator.integers(10, 40))
    sequence = "".join(generator.choice(list(PROTEIN.letters), length))
    labels = "".join(generator.choice(list("HEC"), length))
    frequencies = np.full((length, 20), 0.01)
    for place, label in enumerate(labels):
        frequencies[place, PROTEIN.letters.index(OF_LABEL[label])] = 0.8
    profile = profile_from(sequence, frequencies, depth=number + 2, neff=3.0)
    return Record(f"r{number}", "", sequence, labels, None, None, split, profile=profile)


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return [made(n, "train" if n < 60 else "valid" if n < 75 else "test") for n in range(90)]


@pytest.fixture(scope="module")
def dataset(records: list[Record], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "split.parquet"
    header = DatasetHeader(PROTEIN, SS3, {"x.tsv": "0" * 64}, profiles={"database": "made up"})
    write_dataset(path, header, records)
    return path


def train(dataset: Path, output: Path, model: ModelSettings = BOTH, **options: Any) -> Path:
    settings = TRAINING.model_copy(update=options.pop("training", {}))
    return train_model(dataset, output, model, settings, device="cpu", threads=1, **options)


@pytest.fixture(scope="module")
def model(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(dataset, tmp_path_factory.mktemp("run"))


@pytest.fixture
def fasta(records: list[Record], tmp_path: Path) -> Path:
    path = tmp_path / "new.fasta"
    path.write_text("".join(f">{r.id}\n{r.sequence}\n" for r in records[75:]))
    return path


@pytest.fixture
def profiles(records: list[Record], tmp_path: Path) -> Path:
    path = tmp_path / "profiles.npz"
    with open_archive(path, {}) as add:
        for record in records[75:]:
            assert record.profile is not None
            add(record.id, record.profile)
    return path


def test_profiles_pass_through_a_dataset_bit_for_bit(dataset: Path, records: list[Record]) -> None:
    header = read_header(dataset)
    assert header.profiles == {"database": "made up"}
    for before, after in zip(records, read_records(dataset, profiles=True), strict=True):
        assert before.profile is not None
        assert after.profile is not None
        assert np.array_equal(before.profile.stored, after.profile.stored)
        assert (before.profile.depth, before.profile.neff) == (after.profile.depth, 3.0)
    assert next(read_records(dataset)).profile is None


def test_only_a_model_that_reads_profiles_learns_what_they_say(
    dataset: Path, model: Path, tmp_path: Path
) -> None:
    bundle = load_bundle(model)
    assert bundle.reads_profiles
    assert load_metadata(model)["inputs"] == ["onehot", "profile"]
    assert load_metadata(model)["training"]["valid_score"] > 0.95
    card = (model / "CARD.md").read_text()
    assert "Inputs: `onehot`, `profile`" in card
    assert "database made up" in card
    blind = train(dataset, tmp_path, MODEL)
    assert load_metadata(blind)["training"]["valid_score"] < 0.6
    assert "Inputs: `onehot`, the residues alone" in (blind / "CARD.md").read_text()
    settings = EvaluationSettings(bootstrap=10)
    metrics = evaluate_model(model, dataset, tmp_path / "scores", settings, threads=1)
    assert metrics.counts.scored_residues
    with pytest.raises(GrubioError, match="has no profile, which the model"):
        list(Predictor(bundle, "cpu", 1).predict(read_records(dataset, "test")))


def test_a_stopped_run_goes_on_and_ends_with_the_same_weights(
    dataset: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Fitting.on_train_epoch_start

    def stopping(self: Fitting) -> None:
        if self.current_epoch == 2:
            raise RuntimeError("stopped")
        whole(self)

    with monkeypatch.context() as patched:
        patched.setattr(Fitting, "on_train_epoch_start", stopping)
        with pytest.raises(RuntimeError, match="stopped"):
            train(dataset, tmp_path)
    again = train(dataset, tmp_path)
    ours, theirs = load_bundle(again).weights, load_bundle(model).weights
    assert all(np.array_equal(array, theirs[name]) for name, array in ours.items())


def test_ensembles_teachers_and_substitutions_read_profiles(
    dataset: Path, model: Path, tmp_path: Path
) -> None:
    other = train(dataset, tmp_path / "other", training={"seed": 2, "homolog_augmentation": 0.1})
    both = combine_models([model, other], dataset, tmp_path / "both", threads=1)
    assert load_bundle(both).members == 2
    assert load_metadata(both)["training"]["valid_score"] > 0.95
    # The student reads no profiles; its teacher does.
    student = train(dataset, tmp_path / "student", MODEL, teacher=model)
    assert load_metadata(student)["inputs"] == ["onehot"]


def test_a_training_starts_from_a_model_that_reads_profiles(
    dataset: Path, model: Path, tmp_path: Path
) -> None:
    unset, few = ModelSettings(), {"epochs": 1, "learning_rate": 1e-4}
    tuned = train(dataset, tmp_path / "tuned", unset, parent=model, training=few)
    assert load_metadata(tuned)["inputs"] == ["onehot", "profile"]
    assert load_metadata(tuned)["training"]["valid_score"] > 0.95
    plain = ModelSettings(inputs=("onehot",))
    with pytest.raises(GrubioError, match="has another network: inputs is"):
        train(dataset, tmp_path / "other", plain, parent=model)


def test_profile_dropout_trains_on_the_profile_of_the_sequence_alone(
    dataset: Path, tmp_path: Path
) -> None:
    table = torch.from_numpy(own_profile_table())
    sequence = "MKTAYIAKQRXBBZ"
    codes = torch.full((20, 400), PROTEIN.pad_code)
    codes[: len(sequence)] = torch.from_numpy(PROTEIN.encode(sequence))[:, None]
    torch.manual_seed(1)
    found = with_own_profiles(torch.zeros(20, 400, 20), codes, table, 0.25)
    alone = found[0].any(dim=1)
    assert 60 < alone.sum() < 140
    assert not found[:, ~alone].any()
    assert not found[len(sequence) :].any()
    expected = torch.from_numpy(own_profile(sequence).frequencies)
    assert torch.equal(found[: len(sequence), alone], expected[:, None].expand(-1, alone.sum(), -1))
    # A model that never sees an alignment in training learns nothing from them.
    blind = train(dataset, tmp_path, training={"profile_dropout": 1})
    assert load_metadata(blind)["training"]["valid_score"] < 0.6


def test_a_share_of_the_chains_trains_on_alignments_of_random_depth(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = torch.from_numpy(own_profile_table())
    sequence, homolog = "MKTAYIAKQRSLLGEEWDNU", "MRSAYLAKNRALIGDEWENV"
    codes = torch.full((30, 300), PROTEIN.pad_code)
    codes[: len(sequence)] = torch.from_numpy(PROTEIN.encode(sequence))[:, None]
    given = torch.zeros(30, 300, 20)
    places = torch.from_numpy(PROTEIN.encode(homolog)).long()
    given[torch.arange(len(homolog)), :, places] = 1
    given[: len(sequence), :100] = table[codes[: len(sequence), :100]]
    # Alignments with one homolog, which has no residue of the sequence but by descent.
    monkeypatch.setattr(profile_thinning, "DEEPEST", 1)
    monkeypatch.setattr(profile_thinning, "CLOSEST", 0)
    monkeypatch.setattr(profile_thinning, "SHORTEST", 1)
    found = with_few_homologs(given, codes, table, 0.5)
    assert torch.equal(found[:, :100], given[:, :100])  # without homologs before
    changed = (found != given).any(dim=2).any(dim=0)
    assert 60 < changed.sum() < 140
    expected = profile_of_rows([sequence, homolog]).frequencies
    torch.testing.assert_close(
        found[: len(sequence), changed],
        torch.from_numpy(expected)[:, None].expand(-1, changed.sum(), -1),
        atol=1e-3,
        rtol=0,
    )
    # It is aligned to one half of the sequence, wherever that is: more often to the middle.
    for name in ("SHORTEST", "LONGEST"):
        monkeypatch.setattr(profile_thinning, name, 0.5)
    found = with_few_homologs(given, codes, table, 1)[:, 100:]
    unlike = [at for at, own in enumerate(sequence) if own != homolog[at]]
    gained = torch.stack(
        [found[at, :, places[at]] - table[codes[at, 0], places[at]] for at in unlike]
    )
    aligned = (gained > 0.05).float()
    assert 0.4 < aligned.mean() < 0.6
    assert 0 < aligned.mean(dim=0).max() < 1
    shares = aligned.mean(dim=1)
    assert shares[len(unlike) // 2] > 2 * max(shares[0], shares[-1]) > 0
    monkeypatch.undo()
    given[: len(sequence)] = 0.6 * given[: len(sequence)] + 0.02
    codes[0] = PROTEIN.encode("X")[0]
    found = with_few_homologs(given, codes, table, 1)
    assert not found[len(sequence) :].any()
    assert (found[: len(sequence)].sum(dim=2) - 1).abs().max() < 1e-3
    # What the homologs have stands out the more, the more there are of them.
    common = torch.stack([found[at, 100:, place] for at, place in enumerate(places)]).mean(dim=0)
    assert common.max() > 1.5 * common.min()
    thinned = train(dataset, tmp_path, BOTH, training={"profile_thinning": 0.5})
    assert load_metadata(thinned)["training"]["valid_score"] > 0.8


def test_a_model_that_reads_profiles_starts_from_one_that_does_not(
    dataset: Path, tmp_path: Path
) -> None:
    alone = train(dataset, tmp_path / "alone", MODEL, training={"epochs": 1})
    assert load_metadata(alone)["training"]["valid_score"] < 0.6
    both = ModelSettings(inputs=("onehot", "profile"))
    with pytest.raises(GrubioError, match="weights of profile, which the parent does not read"):
        train(dataset, tmp_path / "frozen", both, parent=alone, training={"freeze": "1"})
    tuned = train(dataset, tmp_path / "tuned", both, parent=alone, training={"epochs": 6})
    assert load_metadata(tuned)["inputs"] == ["onehot", "profile"]
    assert load_metadata(tuned)["training"]["valid_score"] > 0.95


def test_a_dataset_without_profiles_is_refused(
    dataset: Path, model: Path, records: list[Record], tmp_path: Path
) -> None:
    plain = tmp_path / "plain.parquet"
    write_dataset(plain, replace(read_header(dataset), profiles=None), records)
    with pytest.raises(GrubioError, match=r"has no profiles, which model\.inputs needs"):
        train(plain, tmp_path / "a")
    with pytest.raises(GrubioError, match="has no profiles, which the teacher needs"):
        train(plain, tmp_path / "b", MODEL, teacher=model)


def test_a_target_may_not_be_called_as_the_depth_is(records: list[Record], tmp_path: Path) -> None:
    path = tmp_path / "d.parquet"
    named = [replace(r, answers={"depth": np.ones(len(r), dtype=np.float32)}) for r in records]
    target = Target("depth", "value", low=0.0, high=1.0)
    write_dataset(path, DatasetHeader(PROTEIN, SS3, {}, targets=[target], profiles={}), named)
    with pytest.raises(GrubioError, match="has a target 'depth'"):
        train(path, tmp_path / "run")


def test_shares_of_a_target_are_profiles_too(tmp_path: Path, records: list[Record]) -> None:
    table = tmp_path / "records.tsv"
    rows = [f"{r.id}\t{r.sequence}\t{r.labels}\t{r.split}\n" for r in records[:3]]
    table.write_text("id\tsequence\tlabels\tsplit\n" + "".join(rows))
    shares = np.zeros((sum(map(len, records[:3])), 20), dtype=np.uint8)
    shares[1:, 3] = 30
    np.savez(tmp_path / "shares.npz", freq=shares)
    out, settings = tmp_path / "d.parquet", PrepareSettings(format="tsv", scheme="ss3")
    prepare_dataset([table], out, settings, profiles=tmp_path / "shares.npz")
    assert [target.name for target in read_header(out).targets] == ["profile"]
    first = next(read_records(out, profiles=True)).profile
    assert first is not None
    assert first.frequencies[1, 3] == 1
    # Where the shares are not known, it is what BLOSUM62 expects.
    assert (first.frequencies[0] > 0).all()


def read_table(path: Path) -> list[dict[str, str]]:
    with open(path) as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def test_files_of_profiles_are_read_and_the_depth_is_written(
    model: Path, fasta: Path, profiles: Path, records: list[Record], tmp_path: Path
) -> None:
    tables = {name: tmp_path / f"x.{name}" for name in ("tsv", "parquet", "json", "summary.tsv")}
    outputs = [Output(str(tables["tsv"]), "tsv"), Output(str(tables["parquet"]), "parquet")]
    outputs += [Output(str(tables["json"]), "json"), Output(str(tables["summary.tsv"]), "summary")]
    source = ProfileSource(profiles)
    predict_file(str(fasta), outputs, model, None, source)
    rows = read_table(tables["tsv"])
    found = {r.id: "".join(x["label"] for x in rows if x["id"] == r.id) for r in records[75:]}
    right = [a == b for r in records[75:] for a, b in zip(found[r.id], r.labels or "", strict=True)]
    assert np.mean(right) > 0.95
    depths = {row["id"]: int(row["depth"]) for row in rows}
    assert depths == {f"r{n}": n + 2 for n in range(75, 90)}
    assert {r["id"]: int(r["depth"]) for r in read_table(tables["summary.tsv"])} == depths
    listed = json.loads(tables["json"].read_text())["sequences"]
    assert {one["id"]: one["depth"] for one in listed} == depths
    table = pq.read_table(tables["parquet"])
    assert dict(zip(*(table[c].to_pylist() for c in ("id", "depth")), strict=True)) == depths
    # In shards the answers are the same, byte for byte.
    sharded = [Output(str(tmp_path / "s.tsv"), "tsv")]
    predict_in_shards(str(fasta), sharded, tmp_path / "shards", 3, model, None, source)
    assert (tmp_path / "s.tsv").read_bytes() == tables["tsv"].read_bytes()


def test_a_record_without_homologs_has_the_profile_of_its_own_sequence(
    model: Path, fasta: Path, profiles: Path, tmp_path: Path
) -> None:
    with open(fasta, "a") as more:
        more.write(">lonely\nMKTAYIAKQR\n")
    path = tmp_path / "x.tsv"
    outputs = [Output(str(path), "tsv")]
    predict_file(str(fasta), outputs, model, None, ProfileSource(profiles))
    with_others = [row for row in read_table(path) if row["id"] == "lonely"]
    assert {row["depth"] for row in with_others} == {"1"}
    predict_file(str(fasta), outputs, model, None, ProfileSource(own=True))
    alone = [row for row in read_table(path) if row["id"] == "lonely"]
    assert alone == with_others


def test_python_takes_profiles_of_any_kind(
    model: Path, records: list[Record], profiles: Path
) -> None:
    loaded = load(model, device="cpu", threads=1)
    given = {record.id: record.sequence for record in records[75:80]}
    frequencies = {
        record.id: record.profile.frequencies for record in records[75:80] if record.profile
    }
    from_file = loaded.predict(given, profiles=profiles)
    from_arrays = loaded.predict(given, profiles=frequencies)
    for name in given:
        assert np.allclose(
            from_file[name].probabilities, from_arrays[name].probabilities, atol=0.02
        )
        assert (from_file[name].depth, from_arrays[name].depth) == (int(name[1:]) + 2, 0)
        assert set(from_file[name].columns()["depth"]) == {int(name[1:]) + 2}
    assert loaded.predict("MKTAYIAKQR", own_profile=True).depth == 1
    assert load("protein-ss-fast").predict("MKTAYIAKQR").depth is None
    with pytest.raises(TypeError, match="no argument 'profile'"):
        loaded.predict("MKTAYIAKQR", profile=profiles)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("which", "source", "problem"),
    [
        ("profile", ProfileSource(), "reads profiles, and none are given"),
        ("plain", ProfileSource(own=True), "reads no profiles"),
        ("profile", ProfileSource("x.npz", own=True), "give one of --profiles"),
        ("profile", ProfileSource("missing.npz"), "no such file"),
        ("profile", ProfileSource(database=Path("missing.fasta")), "no such file"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(
    which: str, source: ProfileSource, problem: str, model: Path, fasta: Path, tmp_path: Path
) -> None:
    folder = model if which == "profile" else find_model("protein-ss-fast")
    path = tmp_path / "x.tsv"
    with pytest.raises(GrubioError, match=problem):
        predict_file(str(fasta), [Output(str(path), "tsv")], folder, None, source)
    assert not path.exists()


def test_the_command_reads_a_folder_of_alignments(
    model: Path, fasta: Path, records: list[Record], tmp_path: Path, grubio: Callable[..., Any]
) -> None:
    folder = tmp_path / "alignments"
    folder.mkdir()
    for record in records[75:]:
        (folder / f"{record.id}.a3m").write_text(f">{record.id}\n{record.sequence}\n")
    words = ["predict", str(fasta), "--model", str(model), "--output", str(tmp_path / "x.tsv")]
    assert grubio(*words, "--profiles", str(folder)).returncode == 0
    assert {row["depth"] for row in read_table(tmp_path / "x.tsv")} == {"1"}
    (folder / "r80.a3m").write_text(">r80\nMKT\n")
    failed = grubio(*words, "--profiles", str(folder))
    assert failed.returncode == 2
    assert f"{folder}/r80.a3m" in failed.stderr
    assert "record 'r80'" in failed.stderr
    assert "has 3 residues" in failed.stderr
    assert f"{len(records[80])} were expected" in failed.stderr
