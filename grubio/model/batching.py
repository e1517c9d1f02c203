"""Training examples, and batches of similar length under a budget of residues."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from grubio.sequences.alphabet import Alphabet
from grubio.sequences.record import Record, scored_classes
from grubio.sequences.scheme import LabelScheme
from grubio.sequences.target import LABELS, Target

IGNORED = -100
"""Class index of residues that do not count in the loss: masked, unknown, or padding."""

Answers: TypeAlias = Mapping[str, npt.NDArray[Any]]
"""Known answers by target, with residues on the first axis: class indices, int64, as for the
labels; values as networks learn them (:meth:`grubio.sequences.target.Target.scaled`), float32, NaN
where unknown; or shares of the classes, ``(..., class)``, zeros where unknown. Those of the labels
are soft labels, uint8 ``(..., class + 1)``; see :data:`grubio.sequences.target.Answer`."""


@dataclass(frozen=True)
class Example:
    """A sequence, or a piece of one, to learn from.

    Attributes
    ----------
    codes
        Residue codes, uint8 ``(residue,)``.
    classes
        Class indices, int64 ``(residue,)``; :data:`IGNORED` where the residue does not count, and
        from the size of the scheme upwards where only the coarse class is known.
    answers
        Known answers for additional targets, and soft labels.
    teacher_probabilities
        The teacher's probabilities, float16 ``(residue, class)``, by target.
    profile
        Frequencies of the amino acids, float16 ``(residue, 20)``, if they are read.
    """

    codes: npt.NDArray[np.uint8]
    classes: npt.NDArray[np.int64]
    answers: Answers = field(default_factory=dict)
    teacher_probabilities: Answers = field(default_factory=dict)
    profile: npt.NDArray[np.float16] | None = None

    def __len__(self) -> int:
        """Return the number of residues."""
        return len(self.codes)

    def part(self, start: int, stop: int) -> Example:
        """Return the residues from ``start`` up to, not including, ``stop``; arrays are views."""
        piece = slice(start, stop)
        return Example(
            self.codes[piece],
            self.classes[piece],
            {name: answer[piece] for name, answer in self.answers.items()},
            {name: answer[piece] for name, answer in self.teacher_probabilities.items()},
            None if self.profile is None else self.profile[piece],
        )


class Batch(NamedTuple):
    """Examples side by side, padded at the end.

    Attributes
    ----------
    codes
        Residue codes, uint8 ``(time, batch)``.
    lengths
        Residues of each example, int64 ``(batch,)``.
    classes
        Class indices, int64 ``(time, batch)``; :data:`IGNORED` at padding.
    answers
        Known answers for additional targets, ``(time, batch)`` or ``(time, batch, class)``; a
        target is left out if no example has an answer for it.
    teacher_probabilities
        The teacher's probabilities, ``(time, batch, class)``, by target.
    profiles
        Frequencies of the amino acids, float32 ``(time, batch, 20)``, zeros at padding; None if
        they are not read.
    """

    codes: npt.NDArray[np.uint8]
    lengths: npt.NDArray[np.int64]
    classes: npt.NDArray[np.int64]
    answers: Answers
    teacher_probabilities: Answers
    profiles: npt.NDArray[np.float32] | None = None


def labelled_examples(
    record: Record,
    alphabet: Alphabet,
    scheme: LabelScheme,
    max_length: int | None = None,
    targets: Sequence[Target] = (),
) -> Iterator[Example]:
    """Yield a record as one example, or as pieces of nearly equal length up to ``max_length``.

    A piece is left out if nothing is known in it, neither a label nor an answer for a target that
    models predict.
    """
    answers: dict[str, npt.NDArray[Any]] = {}
    for target in targets:
        answer = record.answers.get(target.name)
        if isinstance(answer, str) and target.scheme is not None:
            answers[target.name] = _class_indices(target.scheme.encode(answer), target.scheme)
        elif isinstance(answer, np.ndarray):
            answers[target.name] = answer if target.shares else target.scaled(answer)
    classes = _class_indices(scored_classes(record, scheme), scheme)
    soft = record.answers.get(LABELS)
    if isinstance(soft, np.ndarray):
        # What does not count, such as a masked residue, has no soft label either.
        answers[LABELS] = np.where(is_known(classes)[:, np.newaxis], soft, 0)
    profile = None if record.profile is None else record.profile.stored
    whole = Example(alphabet.encode(record.sequence), classes, answers, profile=profile)
    predicted = [target.name for target in targets if target.shipped and target.name in answers]
    pieces = 1 if max_length is None else -(-len(whole) // max_length)
    for places in np.array_split(np.arange(len(whole)), pieces):
        part = whole.part(int(places[0]), int(places[-1]) + 1)
        if any(is_known(a).any() for a in (part.classes, *(part.answers[n] for n in predicted))):
            yield part


def is_known(answer: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Tell for which residues an answer is known; see :data:`Answers`."""
    if answer.dtype == np.int64:
        return np.asarray(answer != IGNORED)
    return np.asarray(np.isfinite(answer) if answer.dtype == np.float32 else answer.any(axis=-1))


def class_counts(examples: Sequence[Example], classes: int) -> npt.NDArray[np.int64]:
    """Return how many counted residues each class has, int64 ``(class,)``."""
    counts = np.zeros(classes, dtype=np.int64)
    for example in examples:
        exact = (example.classes >= 0) & (example.classes < classes)
        counts += np.bincount(example.classes[exact], minlength=classes)
    return counts


def batches_by_length(
    lengths: Sequence[int], budget: int, most: int | None = None
) -> list[list[int]]:
    """Group sequences of similar length so that each padded batch stays within the budget.

    A sequence longer than the budget gets a batch of its own. No batch has more than ``most``
    sequences.

    Examples
    --------
    >>> batches_by_length([5, 50, 6, 7], budget=20)
    [[0, 2], [3], [1]]
    """
    order = np.argsort(np.asarray(lengths), kind="stable")
    return _packed(order.tolist(), lengths, budget, most)


def shuffled_batches(
    lengths: Sequence[int], budget: int, *, seed: int, epoch: int
) -> list[list[int]]:
    """Return the batches of one epoch in random order, the same for the same seed and epoch.

    Lengths are multiplied by a random factor from 0.95 to 1.05 before they are sorted, so that
    batches differ from epoch to epoch at little cost in padding.
    """
    generator = np.random.default_rng((seed, epoch))
    blurred = np.asarray(lengths) * generator.uniform(0.95, 1.05, len(lengths))
    batches = _packed(np.argsort(blurred, kind="stable").tolist(), lengths, budget)
    generator.shuffle(batches)
    return batches


def dealt_batches(batches: int, process: int, processes: int) -> list[int]:
    """Return the numbers of the batches that one of several processes takes, in order.

    Batch k goes to process k modulo the number of processes. If the last round has too few
    batches, a process repeats an early one to keep step; it must not count it (see
    :func:`is_dealt`).

    Examples
    --------
    >>> dealt_batches(5, 0, 2), dealt_batches(5, 1, 2)
    ([0, 2, 4], [1, 3, 0])
    """
    rounds = -(-batches // processes)
    return [number % batches for number in range(process, rounds * processes, processes)]


def is_dealt(turn: int, batches: int, process: int, processes: int) -> bool:
    """Tell whether a process has a batch of its own in a round, numbered from 0."""
    return process + processes * turn < batches


def padded(examples: Sequence[Example], pad_code: int) -> Batch:
    """Return examples side by side, padded at the end."""
    codes, lengths = padded_codes([example.codes for example in examples], pad_code)
    return Batch(
        codes,
        lengths,
        _side_by_side([example.classes for example in examples], codes.shape),
        _by_name([example.answers for example in examples], codes.shape),
        _by_name([example.teacher_probabilities for example in examples], codes.shape),
        padded_profiles([e.profile for e in examples if e.profile is not None]),
    )


def padded_codes(
    sequences: Sequence[npt.NDArray[np.uint8]], pad_code: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return codes, uint8 ``(time, batch)``, padded at the end, and lengths, int64 ``(batch,)``."""
    lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    codes = np.full((int(lengths.max()), len(sequences)), pad_code, dtype=np.uint8)
    for column, sequence in enumerate(sequences):
        codes[: len(sequence), column] = sequence
    return codes, lengths


def padded_profiles(
    profiles: Sequence[npt.NDArray[np.floating]],
) -> npt.NDArray[np.float32] | None:
    """Return profiles side by side, float32 ``(time, batch, 20)``, zeros at padding.

    Without profiles it is None.
    """
    if not profiles:
        return None
    longest = max(map(len, profiles))
    together = np.zeros((longest, len(profiles), profiles[0].shape[1]), dtype=np.float32)
    for column, profile in enumerate(profiles):
        together[: len(profile), column] = profile
    return together


def padding_waste(batches: Sequence[Sequence[int]], lengths: Sequence[int]) -> float:
    """Return the share of computed steps that are padding.

    Examples
    --------
    >>> padding_waste([[0, 1]], [5, 10])
    0.25
    """
    useful = sum(lengths[index] for batch in batches for index in batch)
    computed = sum(len(batch) * max(lengths[index] for index in batch) for batch in batches)
    return 1 - useful / computed


def _class_indices(found: npt.NDArray[np.uint8], scheme: LabelScheme) -> npt.NDArray[np.int64]:
    counted = found < scheme.size + len(scheme.coarse_letters)
    return np.where(counted, found.astype(np.int64), IGNORED)


def _by_name(answers: Sequence[Answers], shape: tuple[int, ...]) -> Answers:
    names = dict.fromkeys(name for own in answers for name in own)
    return {name: _side_by_side([own.get(name) for own in answers], shape) for name in names}


def _side_by_side(
    answers: Sequence[npt.NDArray[Any] | None], shape: tuple[int, ...]
) -> npt.NDArray[Any]:
    first = next(answer for answer in answers if answer is not None)
    missing = {"i": IGNORED, "f": np.nan}[first.dtype.kind] if first.ndim == 1 else 0
    together = np.full((*shape, *first.shape[1:]), missing, dtype=first.dtype)
    for column, answer in enumerate(answers):
        if answer is not None:
            together[: len(answer), column] = answer
    return together


def _packed(
    order: Sequence[int], lengths: Sequence[int], budget: int, most: int | None = None
) -> list[list[int]]:
    batches: list[list[int]] = []
    longest = 0
    for index in order:
        together = max(longest, lengths[index])
        number = len(batches[-1]) + 1 if batches else 0
        if batches and number * together <= budget and (most is None or number <= most):
            batches[-1].append(index)
            longest = together
        else:
            batches.append([index])
            longest = lengths[index]
    return batches
