"""The data of a training: the examples of a dataset, and the probabilities of a teacher."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from grubio.config import ModelSettings, TrainingSettings
from grubio.datasets.parquet import DatasetHeader, read_header, read_records, require_splits
from grubio.errors import GrubioError
from grubio.inference.predictor import Predictor
from grubio.model.batching import Example, labelled_examples
from grubio.model.bundle import load_bundle, load_metadata
from grubio.sequences.profile import Profile
from grubio.sequences.record import Record
from grubio.sequences.target import LABELS, Target
from grubio.training.grammar_check import with_fitting_grammar
from grubio.training.stem_motifs import StemMotif, stem_motifs

logger = logging.getLogger(__name__)

_BLOCK_PIECE = 2000


@dataclass(frozen=True)
class TrainingData:
    """Examples, the number of chains they come from, the targets, and the teacher if any.

    ``main`` is the main target, ``targets`` are the others. Values without a range are standardised
    by the training examples. ``grammar_note`` says which training labels break the grammar.
    """

    header: DatasetHeader
    main: Target
    train: list[Example]
    valid: list[Example]
    train_chains: int
    valid_chains: int
    targets: Sequence[Target] = ()
    motifs: Sequence[StemMotif] = ()
    teacher_sha256: str | None = None
    grammar_note: str = ""

    @property
    def residues(self) -> int:
        """Number of residues in the training examples."""
        return sum(len(example) for example in self.train)


def load_training_data(
    dataset: Path,
    model_settings: ModelSettings,
    settings: TrainingSettings,
    teacher: Path | None = None,
) -> TrainingData:
    """Read the train and valid records of a dataset as examples.

    They have profiles if the network or its teacher reads them, or if substitutions are drawn from
    them.

    Raises
    ------
    GrubioError
        If one of the two splits is empty, a target that the settings ask for is missing, or no
        training record obeys the grammar.
    """
    header, records = read_header(dataset), {}
    of_values = header.main.kind == "value"
    profiles = _needs_profiles(dataset, header, model_settings, settings, teacher)
    for split in ("train", "valid"):
        answers = split == "train" or of_values
        records[split] = list(read_records(dataset, split, targets=answers, profiles=profiles))
        require_splits(dataset, records[split], split)
    header, grammar_note = with_fitting_grammar(dataset, header, records["train"])
    main = _standardised(header.main, records["train"], settings)
    targets = _learned_targets(dataset, header, records["train"], model_settings, settings)
    if "profile" in model_settings.inputs:
        _require_free_column([main, *targets], dataset)
    profile = settings.homolog_profile if settings.homolog_augmentation else None
    learned = [target.name for target in targets]
    unlearned = [t for t in header.targets if t.name == profile and t.name not in learned]

    def examples(split: str, cut: int | None, known: Sequence[Target] = ()) -> list[Example]:
        return [
            example
            for record in records[split]
            for example in labelled_examples(record, header.alphabet, header.scheme, cut, known)
        ]

    # Windows are drawn from whole records.
    train_cut = None if settings.background_ratio else settings.max_length
    # Blocks of a genome are long; validation is faster on pieces of them.
    valid_cut = max(settings.max_length, _BLOCK_PIECE) if header.kind == "genome" else None
    own = [main] if of_values else []
    return TrainingData(
        header,
        main,
        examples("train", train_cut, [*own, *targets, *unlearned]),
        examples("valid", valid_cut, own),
        len(records["train"]),
        len(records["valid"]),
        targets,
        stem_motifs(settings.motifs, header, records["train"], records["valid"]),
        grammar_note=grammar_note,
    )


def with_teacher(
    data: TrainingData, teacher: Path | None, device: str, threads: int
) -> TrainingData:
    """Return training data with the probabilities of a teacher, if there is one.

    Raises
    ------
    GrubioError
        If the teacher has another alphabet or other classes.
    """
    if teacher is None:
        return data
    if data.main.kind == "value":
        raise GrubioError(f"a teacher has classes, but the main target {data.main.name} is a value")
    bundle = load_bundle(teacher)
    if (bundle.alphabet, bundle.scheme) != (data.header.alphabet, data.header.scheme):
        raise GrubioError("has other residues or labels than the dataset", path=teacher)
    logger.info("labelling %d training chains with %s", len(data.train), teacher)
    letters = np.array(list(bundle.alphabet.codes))
    records = (_record_of(example, letters) for example in data.train)
    answers = Predictor(bundle, device, threads, grammar=False).predict(records)
    train = [
        replace(example, teacher_probabilities={LABELS: answer.probabilities.astype(np.float16)})
        for example, answer in zip(data.train, answers, strict=True)
    ]
    return replace(data, train=train, teacher_sha256=bundle.metadata["weights_sha256"])


def _record_of(example: Example, letters: npt.NDArray[np.str_]) -> Record:
    text = "".join(letters[example.codes])
    profile = None if example.profile is None else Profile(text, example.profile)
    return Record("", "", text, profile=profile)


def _needs_profiles(
    dataset: Path,
    header: DatasetHeader,
    model_settings: ModelSettings,
    settings: TrainingSettings,
    teacher: Path | None,
) -> bool:
    readers = {
        "model.inputs": "profile" in model_settings.inputs,
        "the teacher": teacher is not None and "profile" in load_metadata(teacher)["inputs"],
    }
    for what, reads in readers.items():
        if reads and not header.has_profiles:
            raise GrubioError(
                f"has no profiles, which {what} needs",
                path=dataset,
                hint="add them: grubio prepare --profiles, or grubio profile",
            )
    return any(readers.values()) or (settings.homolog_augmentation > 0 and header.has_profiles)


def _require_free_column(targets: Sequence[Target], dataset: Path) -> None:
    if any(target.shipped and target.heading == "depth" for target in targets):
        raise GrubioError(
            "has a target 'depth', as the depth of an alignment is called in predictions",
            path=dataset,
            hint="give the target another name or column",
        )


def _learned_targets(
    dataset: Path,
    header: DatasetHeader,
    records: Sequence[Record],
    model_settings: ModelSettings,
    settings: TrainingSettings,
) -> list[Target]:
    known = [t for t in header.additional if any(t.name in record.answers for record in records)]
    wanted = model_settings.targets
    named = [header.main.name, *(t.name for t in known if t.shipped)]
    _require(dataset, wanted or (), named, "model.targets")
    weights = settings.target_weights
    weighted = [name for name, weight in weights.items() if weight > 0]
    _require(dataset, weighted, [t.name for t in known], "training.target_weights")
    if settings.homolog_augmentation and header.profiles is None:
        profile, shares = settings.homolog_profile, [t.name for t in known if t.shares]
        _require(dataset, [profile], shares, "training.homolog_profile")
    if header.main.kind == "value":
        # The main target is always learned, and its loss is what others are weighed against.
        wanted = wanted and tuple(name for name in wanted if name != header.main.name)
    learned = [
        _standardised(
            replace(target, weight=weights.get(target.name, target.weight)), records, settings
        )
        for target in known
        if not target.shipped or wanted is None or target.name in wanted
    ]
    return [target for target in learned if target.weight > 0]


def _standardised(target: Target, records: Sequence[Record], settings: TrainingSettings) -> Target:
    """Return a target with the mean and the deviation of its training values."""
    if target.kind == "classes" or target.bounded:
        return target
    answers = [record.answers.get(target.name) for record in records]
    parts = [answer for answer in answers if isinstance(answer, np.ndarray)]
    values = np.concatenate([np.zeros(0), *parts])
    values = values[np.isfinite(values)]
    spread = settings.value_loss == "gaussian"
    if not len(values):
        return replace(target, spread=spread)
    deviation = float(values.std())
    # Without a variation there is nothing to learn; that is told by the check of readiness.
    return replace(target, mean=float(values.mean()), deviation=deviation or 1.0, spread=spread)


def _require(dataset: Path, wanted: Sequence[str], known: Sequence[str], setting: str) -> None:
    for name in wanted:
        if name not in known:
            raise GrubioError(
                f"has no {name}, which {setting} names",
                path=dataset,
                hint="additional targets are read by grubio prepare --target",
            )
