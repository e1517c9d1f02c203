"""The data of a training: examples of a dataset, and what a teacher says about them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from grubio.config import Device, ModelSettings, TrainingSettings
from grubio.datasets.parquet import DatasetHeader, read_header, read_records, require_splits
from grubio.errors import GrubioError
from grubio.inference.predictor import Predictor
from grubio.model.batching import Example, labelled_examples
from grubio.model.bundle import load_bundle
from grubio.sequences.record import Record

logger = logging.getLogger(__name__)

_BLOCK_PIECE = 2000


@dataclass(frozen=True)
class TrainingData:
    """The examples of a dataset and how many chains they come from."""

    header: DatasetHeader
    train: list[Example]
    valid: list[Example]
    train_chains: int
    valid_chains: int


def load_training_data(
    dataset: Path, model_settings: ModelSettings, settings: TrainingSettings
) -> TrainingData:
    """Read the train and valid records of a dataset as examples.

    Raises
    ------
    GrubioError
        If one of the two splits is empty, or a target that the settings ask for is missing.
    """
    header = read_header(dataset)
    examples: dict[str, list[Example]] = {}
    chains: dict[str, int] = {}
    for split in ("train", "valid"):
        records = list(read_records(dataset, split, targets=split == "train"))
        require_splits(dataset, records, split)
        cut = None
        if split == "train":
            # Windows are drawn from whole records.
            cut = None if settings.background_ratio else settings.max_length
        elif header.kind == "genome":
            # Blocks of a genome are long; pieces of them keep validation fast.
            cut = max(settings.max_length, _BLOCK_PIECE)
        chains[split] = len(records)
        examples[split] = [
            example
            for record in records
            for example in labelled_examples(record, header.alphabet, header.scheme, cut)
        ]
    _require_targets(dataset, examples["train"], model_settings, settings)
    return TrainingData(
        header, examples["train"], examples["valid"], chains["train"], chains["valid"]
    )


def taught(
    data: TrainingData, teacher: Path, device: Device = "auto", threads: int | None = None
) -> tuple[TrainingData, str]:
    """Return training data with a teacher's probabilities, and the SHA-256 of its weights.

    Raises
    ------
    GrubioError
        If the teacher has another alphabet or other classes.
    """
    bundle = load_bundle(teacher)
    if (bundle.alphabet, bundle.scheme) != (data.header.alphabet, data.header.scheme):
        raise GrubioError("has other residues or labels than the dataset", path=teacher)
    logger.info("labelling %d training chains with %s", len(data.train), teacher)
    letters = np.array(list(bundle.alphabet.codes))
    records = (Record("", "", "".join(letters[example.codes])) for example in data.train)
    answers = Predictor(bundle, device, threads).predict(records)
    train = [
        replace(example, taught=answer.probabilities.astype(np.float16))
        for example, answer in zip(data.train, answers, strict=True)
    ]
    return replace(data, train=train), str(bundle.metadata["weights_sha256"])


def _require_targets(
    dataset: Path,
    examples: list[Example],
    model_settings: ModelSettings,
    settings: TrainingSettings,
) -> None:
    for wanted, setting, target in (
        (model_settings.accessibility, "accessibility", "accessibility"),
        (settings.profile_weight > 0, "profile_weight", "profile"),
        (settings.homolog_augmentation > 0, "homolog_augmentation", "profile"),
    ):
        if wanted and all(getattr(example, target) is None for example in examples):
            raise GrubioError(
                f"has no {target}, which {setting} needs",
                path=dataset,
                hint="grubio prepare takes --accessibility and --profiles",
            )
