"""What training says of a dataset that lacks something."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from grubio.config import ModelSettings, TrainingSettings
from grubio.datasets.parquet import DatasetHeader, write_dataset
from grubio.errors import GrubioError
from grubio.sequences.alphabet import DNA, PROTEIN
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS3, SS8, LabelScheme, custom_scheme
from grubio.sequences.target import Target
from grubio.training.train import train_model

SMALL = ModelSettings(hidden_size=4, layers=1)
SHORT = TrainingSettings(epochs=2, batch_residues=100)
SITES = custom_scheme("sites", "XY.", ("promoter", "terminator", "background"), background=".")


def dataset_of(
    folder: Path,
    scheme: LabelScheme,
    labels: Mapping[str, str | None],
    *,
    sites: dict[str, int] | None = None,
    targets: tuple[Target, ...] = (),
    answers: dict[str, dict[str, object]] | None = None,
) -> Path:
    """Write a dataset of which each split has ten records with the same labels."""
    generator = np.random.default_rng(1)
    alphabet = DNA if sites else PROTEIN
    records = []
    for split, text in labels.items():
        for number in range(10):
            size = len(text or "C" * 40)
            name = f"{split}{number}:0-{size}(+)" if sites else f"{split}{number}"
            sequence = "".join(generator.choice(list(alphabet.letters), size))
            own = (answers or {}).get(split, {})
            records.append(Record(name, "", sequence, text, None, name, split, answers=own))
    path = folder / "d.parquet"
    plain = scheme.with_grammar(None)
    write_dataset(path, DatasetHeader(alphabet, plain, {"a": "1" * 64}, sites, targets), records)
    return path


def refusal(path: Path, settings: TrainingSettings = SHORT) -> str:
    """Return the error of a training, which must write nothing."""
    with pytest.raises(GrubioError) as found:
        train_model(path, path.parent / "run", SMALL, settings, device="cpu", threads=1)
    assert not (path.parent / "run").exists()
    assert found.value.path == path
    assert found.value.hint
    return found.value.problem


def warnings_of(path: Path, caplog: pytest.LogCaptureFixture) -> list[str]:
    settings = SHORT.model_copy(update={"epochs": 1})
    with caplog.at_level(logging.INFO, logger="grubio"):
        train_model(path, path.parent / "run", SMALL, settings, device="cpu", threads=1)
    said = [record.getMessage() for record in caplog.records]
    warned = [text for text in said if text.startswith("warning: ")]
    first_epoch = next(n for n, text in enumerate(said) if text.startswith("epoch"))
    assert all(said.index(text) < first_epoch for text in warned)
    return warned


def test_windows_around_a_class_that_train_does_not_have_are_refused(tmp_path: Path) -> None:
    labels = {"train": "YY" + "." * 48, "valid": "XX" + "." * 48}
    path = dataset_of(tmp_path, SITES, labels, sites={"X": 2})
    problem = refusal(path, SHORT.model_copy(update={"background_ratio": 1.0}))
    assert problem.startswith("no residue of split 'train' is 'X' (promoter)")


@pytest.mark.parametrize("ratio", [0.0, 1.0])
def test_one_class_alone_cannot_be_learned(ratio: float, tmp_path: Path) -> None:
    labels = {"train": "." * 50, "valid": "XX" + "." * 48}
    path = dataset_of(tmp_path, SITES, labels, sites={"X": 2})
    problem = refusal(path, SHORT.model_copy(update={"background_ratio": ratio}))
    assert problem.startswith("every labelled residue of split 'train' is '.' (background)")


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        (1.0, "no residue of split 'valid' is 'X' (promoter): the average precision"),
        (0.0, "every labelled residue of split 'valid' is '.' (background): the Matthews"),
    ],
)
def test_validation_without_a_site_is_refused(ratio: float, expected: str, tmp_path: Path) -> None:
    labels = {"train": "XX" + "." * 48, "valid": "." * 50}
    path = dataset_of(tmp_path, SITES, labels, sites={"X": 2})
    assert refusal(path, SHORT.model_copy(update={"background_ratio": ratio})).startswith(expected)


@pytest.mark.parametrize("split", ["train", "valid"])
@pytest.mark.parametrize(
    ("scheme", "letters", "expected"),
    [
        (SS3, "?", "no residue of split '{}' has a known label"),
        (SS3, None, "no residue of split '{}' has a known label"),
        (SS8, "hec", "no residue of split '{}' has a class of ss8; all labels there are"),
    ],
)
def test_labels_of_which_none_is_known_are_refused(
    split: str, scheme: LabelScheme, letters: str | None, expected: str, tmp_path: Path
) -> None:
    labels: dict[str, str | None] = {"train": "HECC" * 10, "valid": "HECC" * 10}
    labels[split] = letters and (letters * 40)[:40]
    problem = refusal(dataset_of(tmp_path, scheme, labels))
    assert problem.startswith(expected.format(split))


def test_a_class_that_a_split_lacks_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    labels = {"train": "HEC" * 10, "valid": "EEC" * 10, "test": "HCC" * 10}
    assert warnings_of(dataset_of(tmp_path, SS3, labels), caplog) == [
        f"warning: no residue of {split} is {name}: it cannot be scored there; divide the dataset "
        "again (grubio split): another --seed, or a larger share for this split"
        for split, name in (("valid", "'H' (helix)"), ("test", "'E' (strand)"))
    ]


def test_a_class_that_others_cover_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    labels = dict.fromkeys(("train", "valid", "test"), "XXXXXX....")
    (warned,) = warnings_of(dataset_of(tmp_path, SITES, labels), caplog)
    assert warned.startswith("warning: no residue of the dataset is 'Y' (terminator)")
    assert "if others cover it" in warned


def test_nothing_is_told_of_a_dataset_that_lacks_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    labels = dict.fromkeys(("train", "valid"), "HEC" * 10)
    known = np.full(30, 0.5, dtype=np.float32)
    answers = {split: {"burial": known} for split in labels}
    target = Target("burial", "value")
    path = dataset_of(tmp_path, SS3, labels, targets=(target,), answers=answers)
    assert warnings_of(path, caplog) == []


def test_a_target_of_which_no_answer_is_known_is_refused(tmp_path: Path) -> None:
    labels = dict.fromkeys(("train", "valid"), "HEC" * 10)
    unknown = np.full(30, np.nan, dtype=np.float32)
    answers = {"train": {"burial": unknown}}
    path = dataset_of(tmp_path, SS3, labels, targets=(Target("burial", "value"),), answers=answers)
    assert refusal(path) == "no residue of split 'train' has an answer for target 'burial'"


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("train", "no residue of valid has an answer for target 'burial': it is learned, but not"),
        ("valid", "no residue of train has an answer for target 'burial': it is not learned"),
    ],
)
def test_a_target_that_one_split_lacks_is_told(
    split: str, expected: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    labels = dict.fromkeys(("train", "valid"), "HEC" * 10)
    answers = {split: {"burial": np.full(30, 0.5, dtype=np.float32)}}
    path = dataset_of(tmp_path, SS3, labels, targets=(Target("burial", "value"),), answers=answers)
    (warned,) = warnings_of(path, caplog)
    assert warned.startswith(f"warning: {expected}")


def test_a_loss_that_is_not_finite_stops_training_before_the_checkpoint_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = dataset_of(tmp_path, SS3, dict.fromkeys(("train", "valid"), "HEC" * 10))
    from grubio.training import lightning_module

    sound, calls = lightning_module.label_loss, []

    def diverging(*arguments: object, **options: object) -> torch.Tensor:
        calls.append(1)
        loss = sound(*arguments, **options)  # type: ignore[arg-type]
        return loss * float("nan") if len(calls) > breaks else loss

    monkeypatch.setattr(lightning_module, "label_loss", diverging)
    # A pass is four batches to learn from and four to validate on.
    for breaks, expected in ((8, "the loss of step 5 is nan"), (12, "validation after step 8")):
        calls.clear()
        folder = tmp_path / str(breaks)
        with pytest.raises(GrubioError, match=expected) as found:
            train_model(path, folder, SMALL, SHORT, device="cpu", threads=1)
        assert "--learning-rate" in str(found.value.hint)
        last = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
        assert last["global_step"] == 4
        assert not (folder / "model").exists()


def test_a_resumed_training_took_the_time_of_all_its_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = dataset_of(tmp_path, SS3, dict.fromkeys(("train", "valid"), "HEC" * 10))
    from grubio.training import train

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "validation_answers", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train_model(path, tmp_path / "run", SMALL, SHORT, device="cpu", threads=1)
    monkeypatch.undo()
    checkpoint = tmp_path / "run" / "checkpoints" / "last.ckpt"
    content = torch.load(checkpoint, weights_only=True)
    assert 0 < content["seconds"] < 1000
    content["seconds"] = 5000.0
    torch.save(content, checkpoint)
    train_model(path, tmp_path / "run", SMALL, SHORT, device="cpu", threads=1)
    training = json.loads((tmp_path / "run" / "model" / "model.json").read_text())["training"]
    assert 5000 < training["seconds"] < 6000


def test_a_run_is_resumed_from_its_last_validation_not_its_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grubio.training import lightning_module, train

    class Falling:
        scores = iter((0.9, 0.5, 0.7, 0.6))

        def add(self, *_: object) -> None:
            """Nothing is counted."""

        def value(self, _: object) -> float:
            return next(self.scores)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    path = dataset_of(tmp_path, SS3, dict.fromkeys(("train", "valid"), "HEC" * 10))
    monkeypatch.setattr(lightning_module, "validation_score", lambda *_: Falling())
    monkeypatch.setattr(train, "validation_answers", interrupt)
    settings = SHORT.model_copy(update={"epochs": 3})
    with pytest.raises(KeyboardInterrupt):
        train_model(path, tmp_path / "run", SMALL, settings, device="cpu", threads=1)
    folder = tmp_path / "run" / "checkpoints"
    kept = {one: torch.load(folder / f"{one}.ckpt", weights_only=True) for one in ("best", "last")}
    assert [len(kept[one]["history"]) for one in ("best", "last")] == [1, 3]
    assert sorted(path.name for path in folder.iterdir()) == [
        "best.ckpt",
        "fingerprint",
        "last.ckpt",
    ]
