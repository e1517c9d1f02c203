"""Whether a dataset holds what a training needs, told before its first epoch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from grubio.config import FORMER_TARGETS, ModelSettings, TrainingSettings
from grubio.datasets.parquet import DatasetHeader, read_records
from grubio.errors import GrubioError
from grubio.metrics.headline import AVERAGE_PRECISION
from grubio.model.batching import Example, is_known, labelled_examples
from grubio.sequences.scheme import LabelScheme
from grubio.training.epoch_plan import score_of
from grubio.training.examples import TrainingData
from grubio.training.window_sampling import rare_classes

_DIVIDE_AGAIN = (
    "divide the dataset again (grubio split): another --seed, or a larger share for this split"
)


@dataclass
class _Found:
    # What the examples of a split hold.
    counts: npt.NDArray[np.int64]
    coarse: bool = False
    answered: set[str] = field(default_factory=set)


def shortcomings(
    dataset: Path, data: TrainingData, model_settings: ModelSettings, settings: TrainingSettings
) -> list[str]:
    """Return a warning for each thing that a dataset lacks and training can do without.

    These are classes without a residue in a split, and further targets without an answer.

    Raises
    ------
    GrubioError
        If nothing can be learned or scored: train or valid has no known label, train has one class
        alone, a target to learn has no answer in train, windows are to be drawn around classes that
        train does not have, or valid has no class that the score is about.
    """
    header = data.header
    found = {
        "train": _found_in(data.train, header.scheme),
        "valid": _found_in(_examples(dataset, "valid", header), header.scheme),
        "test": _found_in(_examples(dataset, "test", header), header.scheme),
    }
    for split in ("train", "valid"):
        _require_labels(dataset, split, found[split], header.scheme)
    _require_something_to_learn(dataset, data, found["train"], settings)
    _require_something_to_score(dataset, data, found["valid"], settings)
    return [
        *_absent_classes(found, header.scheme),
        *_absent_answers(found, data, model_settings, settings),
    ]


def _examples(dataset: Path, split: str, header: DatasetHeader) -> Iterator[Example]:
    for record in read_records(dataset, split, targets=bool(header.targets)):
        yield from labelled_examples(record, header.alphabet, header.scheme, None, header.targets)


def _found_in(examples: Iterable[Example], scheme: LabelScheme) -> _Found:
    found = _Found(np.zeros(scheme.size + len(scheme.coarse_letters), dtype=np.int64))
    for example in examples:
        known = example.classes[is_known(example.classes)]
        found.counts += np.bincount(known, minlength=len(found.counts))
        found.answered |= {
            name
            for name, answer in example.answers.items()
            if name not in found.answered and is_known(answer).any()
        }
    found.coarse = bool(found.counts[scheme.size :].any())
    found.counts = found.counts[: scheme.size]
    return found


def _require_labels(dataset: Path, split: str, found: _Found, scheme: LabelScheme) -> None:
    if found.counts.any():
        return
    if found.coarse and scheme.coarse is not None:
        raise GrubioError(
            f"no residue of split '{split}' has a class of {scheme.name}; all labels there are "
            f"classes of {scheme.coarse.name}",
            path=dataset,
            hint=f"prepare it with --scheme {scheme.coarse.name}",
        )
    raise GrubioError(
        f"no residue of split '{split}' has a known label", path=dataset, hint=_DIVIDE_AGAIN
    )


def _require_something_to_learn(
    dataset: Path, data: TrainingData, found: _Found, settings: TrainingSettings
) -> None:
    scheme, present = data.header.scheme, np.flatnonzero(found.counts)
    if len(present) == 1 and not found.coarse:
        raise GrubioError(
            f"every labelled residue of split 'train' is {_name(scheme, present[0])}: there is "
            "nothing to learn",
            path=dataset,
            hint=_DIVIDE_AGAIN,
        )
    rare = rare_classes(data.header)
    if settings.background_ratio and not found.counts[rare].any():
        raise GrubioError(
            f"no residue of split 'train' is {_names(scheme, rare)}, and background_ratio draws "
            "windows around those",
            path=dataset,
            hint=f"{_DIVIDE_AGAIN}; or leave out --background-ratio",
        )
    for target in data.targets:
        if target.name not in found.answered:
            raise GrubioError(
                f"no residue of split 'train' has an answer for target '{target.name}'",
                path=dataset,
                hint="leave it out (model.targets, or weight 0 in training.target_weights), or "
                "prepare the dataset with its answers",
            )


def _require_something_to_score(
    dataset: Path, data: TrainingData, found: _Found, settings: TrainingSettings
) -> None:
    scheme, score, rare = data.header.scheme, score_of(data, settings), rare_classes(data.header)
    if score == AVERAGE_PRECISION and not found.counts[rare].any():
        raise GrubioError(
            f"no residue of split 'valid' is {_names(scheme, rare)}: the average precision would "
            "be 0 for any model",
            path=dataset,
            hint=_DIVIDE_AGAIN,
        )
    present = np.flatnonzero(found.counts @ scheme.reduction_matrix(scheme.headline))
    if score == "mcc" and len(present) == 1:
        raise GrubioError(
            f"every labelled residue of split 'valid' is {_name(scheme.headline, present[0])}: the "
            "Matthews correlation would be 0 for any model",
            path=dataset,
            hint=_DIVIDE_AGAIN,
        )


def _absent_classes(found: dict[str, _Found], scheme: LabelScheme) -> Iterator[str]:
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
    found: dict[str, _Found],
    data: TrainingData,
    model_settings: ModelSettings,
    settings: TrainingSettings,
) -> Iterator[str]:
    learned = {target.name: target for target in data.targets}
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
