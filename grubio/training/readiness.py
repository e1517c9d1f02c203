"""Checks, before the first epoch, that a dataset has what training needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from grubio.config import FORMER_TARGETS, Metric, ModelSettings, TrainingSettings
from grubio.config.model import VALUE_METRICS
from grubio.datasets.parquet import DatasetHeader, read_records
from grubio.errors import GrubioError
from grubio.metrics.headline import AVERAGE_PRECISION
from grubio.model.batching import Example, is_known, labelled_examples
from grubio.sequences.scheme import LabelScheme
from grubio.training.examples import TrainingData
from grubio.training.fitting import score_of
from grubio.training.window_sampling import rare_classes

_DIVIDE_AGAIN = (
    "divide the dataset again (grubio split): another --seed, or a larger share for this split"
)
_SELECT = f"use auto, or for values {' or '.join(VALUE_METRICS)}"


@dataclass(frozen=True)
class _Found:
    # Residues of each class in a split, whether some have only a coarse label, answered targets.
    counts: npt.NDArray[np.int64]
    coarse: bool
    answered: set[str]


def shortcomings(
    dataset: Path, data: TrainingData, model_settings: ModelSettings, settings: TrainingSettings
) -> list[str]:
    """Return a warning for each thing that a dataset lacks but training can do without.

    These are training records that break the grammar, classes without a residue in a split, and
    additional targets without an answer.

    Raises
    ------
    GrubioError
        If nothing can be learned or scored: train or valid has no known label, train has only one
        class, a target to learn has no answer in train, windows are to be drawn around classes that
        train does not have, or valid does not have the classes that are scored.
    """
    header = data.header
    found = {
        "train": _found_in(data.train, header.scheme),
        "valid": _found_in(_examples(dataset, "valid", header), header.scheme),
        "test": _found_in(_examples(dataset, "test", header), header.scheme),
    }
    for problem, hint in _obstacles(found, data, settings):
        raise GrubioError(problem, path=dataset, hint=hint)
    return [
        *([data.grammar_note] if data.grammar_note else []),
        *_absent_classes(found, header.scheme),
        *_absent_answers(found, data, model_settings, settings),
    ]


def _examples(dataset: Path, split: str, header: DatasetHeader) -> Iterator[Example]:
    for record in read_records(dataset, split, targets=bool(header.targets)):
        yield from labelled_examples(record, header.alphabet, header.scheme, None, header.targets)


def _found_in(examples: Iterable[Example], scheme: LabelScheme) -> _Found:
    counts = np.zeros(scheme.size + len(scheme.coarse_letters), dtype=np.int64)
    answered = set()
    for example in examples:
        counts += np.bincount(example.classes[is_known(example.classes)], minlength=len(counts))
        answered |= {name for name, answer in example.answers.items() if is_known(answer).any()}
    return _Found(counts[: scheme.size], bool(counts[scheme.size :].any()), answered)


def _obstacles(
    found: Mapping[str, _Found], data: TrainingData, settings: TrainingSettings
) -> Iterator[tuple[str, str]]:
    # Pairs of problem and hint.
    if data.main.kind == "value":
        yield from _obstacles_of_values(found, data, settings)
        return
    scheme, rare, train = data.header.scheme, rare_classes(data.header), found["train"]
    if settings.select_by in VALUE_METRICS:
        yield f"select_by {settings.select_by} is for values; the labels are classes", _SELECT
    for split in ("train", "valid"):
        if found[split].counts.any():
            continue
        if found[split].coarse and scheme.coarse is not None:
            yield (
                f"no residue of split '{split}' has a class of {scheme.name}; all labels there are "
                f"classes of {scheme.coarse.name}",
                f"prepare it with --scheme {scheme.coarse.name}",
            )
        yield f"no residue of split '{split}' has a known label", _DIVIDE_AGAIN
    if np.count_nonzero(train.counts) == 1 and not train.coarse:
        only = _name(scheme, int(train.counts.argmax()))
        problem = f"every labelled residue of split 'train' is {only}: there is nothing to learn"
        yield problem, _DIVIDE_AGAIN
    if settings.background_ratio and not train.counts[rare].any():
        yield (
            f"no residue of split 'train' is {_names(scheme, rare)}, and background_ratio draws "
            "windows around those",
            f"{_DIVIDE_AGAIN}; or leave out --background-ratio",
        )
    yield from _unanswered(train, data)
    if unscored := _nothing_to_score(found["valid"], scheme, score_of(data, settings), rare):
        yield unscored, _DIVIDE_AGAIN


def _obstacles_of_values(
    found: Mapping[str, _Found], data: TrainingData, settings: TrainingSettings
) -> Iterator[tuple[str, str]]:
    name = data.main.name
    for split in ("train", "valid"):
        if name not in found[split].answered:
            yield f"no residue of split '{split}' has a known value of {name}", _DIVIDE_AGAIN
        examples = data.train if split == "train" else data.valid
        values = np.concatenate([e.answers[name] for e in examples if name in e.answers])
        if np.nanmin(values) == np.nanmax(values):
            yield f"every known value of {name} in split '{split}' is the same", _DIVIDE_AGAIN
    for setting in ("class_weights", "focal_gamma", "background_ratio"):
        if getattr(settings, setting) != getattr(TrainingSettings(), setting):
            yield f"{setting} is for classes; the main target {name} is a value", "leave it out"
    if settings.select_by not in ("auto", *VALUE_METRICS):
        yield f"select_by {settings.select_by} is for classes; {name} is a value", _SELECT
    yield from _unanswered(found["train"], data)


def _unanswered(train: _Found, data: TrainingData) -> Iterator[tuple[str, str]]:
    for name in (target.name for target in data.targets if target.name not in train.answered):
        yield (
            f"no residue of split 'train' has an answer for target '{name}'",
            "leave it out (model.targets, or weight 0 in training.target_weights), or prepare the "
            "dataset with its answers",
        )


def _nothing_to_score(
    valid: _Found, scheme: LabelScheme, score: Metric, rare: Sequence[int]
) -> str | None:
    if score == AVERAGE_PRECISION and not valid.counts[rare].any():
        return (
            f"no residue of split 'valid' is {_names(scheme, rare)}: the average precision would "
            "be 0 for any model"
        )
    counts = valid.counts @ scheme.reduction_matrix(scheme.headline)
    if score == "mcc" and np.count_nonzero(counts) == 1:
        return (
            f"every labelled residue of split 'valid' is "
            f"{_name(scheme.headline, int(counts.argmax()))}: the Matthews correlation would be 0 "
            "for any model"
        )
    return None


def _absent_classes(found: Mapping[str, _Found], scheme: LabelScheme) -> Iterator[str]:
    # A dataset need not have a test split.
    labelled = {split: one.counts for split, one in found.items() if one.counts.any()}
    for index in range(scheme.size):
        absent = [split for split, counts in labelled.items() if not counts[index]]
        if not absent:
            continue
        name = _name(scheme, index)
        if len(absent) == len(labelled):
            yield (
                f"no residue of the dataset is {name}: the model will not learn it; leave the "
                "class out, or if others cover it, name it before them (grubio prepare --classes)"
            )
        else:
            what = "will not be learned" if "train" in absent else "cannot be scored there"
            yield f"no residue of {' or '.join(absent)} is {name}: it {what}; {_DIVIDE_AGAIN}"


def _absent_answers(
    found: Mapping[str, _Found],
    data: TrainingData,
    model_settings: ModelSettings,
    settings: TrainingSettings,
) -> Iterator[str]:
    learned = {target.name: target for target in (data.main, *data.targets)}
    # Datasets of grubio 0.1 name these two even where no record has an answer.
    named = () if data.header.targets is FORMER_TARGETS else data.header.targets
    for target in named:
        weight = settings.target_weights.get(target.name, target.weight)
        if target.name in learned:
            if target.shipped and target.name not in found["valid"].answered:
                yield (
                    f"no residue of valid has an answer for target '{target.name}': it is learned, "
                    f"but not validated; {_DIVIDE_AGAIN}"
                )
        elif weight > 0 and model_settings.targets is None:
            yield (
                f"no residue of train has an answer for target '{target.name}': it is not "
                f"learned; {_DIVIDE_AGAIN}"
            )


def _names(scheme: LabelScheme, indices: Iterable[int]) -> str:
    return " or ".join(_name(scheme, index) for index in indices)


def _name(scheme: LabelScheme, index: int) -> str:
    letter, name = scheme.letters[index], scheme.class_names[index]
    return f"'{letter}'" if name == letter else f"'{letter}' ({name})"
