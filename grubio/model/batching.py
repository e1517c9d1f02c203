"""Batches of similar length under a budget of residues, padding counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from grubio.sequences.alphabet import Alphabet
from grubio.sequences.record import PROFILE_COLUMNS, Record
from grubio.sequences.scheme import LabelScheme

IGNORED = -100
"""The class index of residues that take no part in the loss: masked, unknown, or padding."""


@dataclass(frozen=True)
class Example:
    """One stretch to learn from.

    Attributes
    ----------
    codes
        Residue codes, uint8 ``(residue,)``.
    classes
        Class indices, int64 ``(residue,)``; :data:`IGNORED` where the residue does not count, and
        from the size of the scheme upwards where the class is known only coarsely.
    accessibility
        Relative solvent accessibility, float32 ``(residue,)``, NaN where unknown; or None.
    profile
        Substitution frequencies in sixty-thirds, uint8 ``(residue, 20)``; or None.
    taught
        Probabilities that a teacher gives, float16 ``(residue, class)``; or None.
    """

    codes: npt.NDArray[np.uint8]
    classes: npt.NDArray[np.int64]
    accessibility: npt.NDArray[np.float32] | None = None
    profile: npt.NDArray[np.uint8] | None = None
    taught: npt.NDArray[np.float16] | None = None

    def __len__(self) -> int:
        """Return the number of residues."""
        return len(self.codes)

    def part(self, start: int, stop: int) -> Example:
        """Return the residues from ``start`` up to, not including, ``stop``; arrays are views."""
        piece = slice(start, stop)
        return Example(
            self.codes[piece],
            self.classes[piece],
            None if self.accessibility is None else self.accessibility[piece],
            None if self.profile is None else self.profile[piece],
            None if self.taught is None else self.taught[piece],
        )


@dataclass(frozen=True)
class Batch:
    """Padded examples.

    Attributes
    ----------
    codes
        Residue codes, uint8 ``(time, batch)``.
    lengths
        Residues of each sequence, int64 ``(batch,)``.
    classes
        Class indices, int64 ``(time, batch)``; :data:`IGNORED` at padding.
    accessibility
        Relative solvent accessibility, float32 ``(time, batch)``; NaN where unknown.
    profile
        Substitution frequencies in sixty-thirds, uint8 ``(time, batch, 20)``; zeros where unknown.
        The last axis is empty if no example has a profile.
    taught
        Probabilities that a teacher gives, float16 ``(time, batch, class)``; zeros where it gives
        none. The last axis is empty if no example was taught.
    """

    codes: npt.NDArray[np.uint8]
    lengths: npt.NDArray[np.int64]
    classes: npt.NDArray[np.int64]
    accessibility: npt.NDArray[np.float32]
    profile: npt.NDArray[np.uint8]
    taught: npt.NDArray[np.float16]


def labelled_examples(
    record: Record, alphabet: Alphabet, scheme: LabelScheme, max_length: int | None = None
) -> Iterator[Example]:
    """Yield a record as one example, or as pieces of nearly equal length up to ``max_length``.

    Raises
    ------
    ValueError
        If the record has no labels.
    """
    if record.labels is None:
        raise ValueError(f"record '{record.id}' has no labels")
    codes = alphabet.encode(record.sequence)
    found = scheme.encode(record.labels)
    known = scheme.size + len(scheme.coarse_letters)
    classes = np.where(found < known, found.astype(np.int64), IGNORED)
    if record.mask is not None:
        classes[np.frombuffer(record.mask.encode("ascii"), dtype=np.uint8) == ord("0")] = IGNORED
    pieces = 1 if max_length is None else -(-len(codes) // max_length)
    whole = Example(codes, classes, accessibility_of(record), _profile(record))
    for places in np.array_split(np.arange(len(codes)), pieces):
        part = whole.part(int(places[0]), int(places[-1]) + 1)
        if (part.classes != IGNORED).any():
            yield part


def accessibility_of(record: Record) -> npt.NDArray[np.float32] | None:
    """Return relative solvent accessibility, float32 ``(residue,)``, NaN where unknown; or None."""
    if record.accessibility is None:
        return None
    digits = np.frombuffer(record.accessibility.encode("ascii"), dtype=np.uint8).astype(np.float32)
    # A digit stands for a tenth of the range; its middle is the best guess.
    middles = (digits - ord("0") + 0.5) / 10
    return np.where(digits >= ord("0"), middles, np.float32(np.nan)).astype(np.float32)


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
    """Group indices of similar length so that longest times number stays within the budget.

    A sequence longer than the budget gets a batch of its own. No batch has more than ``most``.

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

    Lengths are blurred by up to 10 % before they are sorted, so that an example meets other
    neighbours in each epoch at little cost in padding.
    """
    generator = np.random.default_rng((seed, epoch))
    blurred = np.asarray(lengths) * generator.uniform(0.95, 1.05, len(lengths))
    batches = _packed(np.argsort(blurred, kind="stable").tolist(), lengths, budget)
    generator.shuffle(batches)
    return batches


def dealt_batches(batches: int, process: int, processes: int) -> list[int]:
    """Return the numbers of the batches that one of several processes takes, in order.

    Batch k goes to process k modulo the number of processes. Where the last round has too few, a
    process repeats an early batch to keep step; it must not count it (see :func:`is_dealt`).

    Examples
    --------
    >>> dealt_batches(5, 0, 2), dealt_batches(5, 1, 2)
    ([0, 2, 4], [1, 3, 1])
    """
    rounds = range(-(-batches // processes))
    return [
        process + processes * turn
        if is_dealt(turn, batches, process, processes)
        else process % batches
        for turn in rounds
    ]


def is_dealt(turn: int, batches: int, process: int, processes: int) -> bool:
    """Tell whether a process has a batch of its own in a round, numbered from 0."""
    return process + processes * turn < batches


def padded(examples: Sequence[Example], pad_code: int) -> Batch:
    """Return examples side by side, padded at the end."""
    codes, lengths = padded_codes([example.codes for example in examples], pad_code)
    classes = np.full(codes.shape, IGNORED, dtype=np.int64)
    accessibility = np.full(codes.shape, np.nan, dtype=np.float32)
    profile = np.zeros((*codes.shape, _columns(e.profile for e in examples)), dtype=np.uint8)
    taught = np.zeros((*codes.shape, _columns(e.taught for e in examples)), dtype=np.float16)
    for column, example in enumerate(examples):
        classes[: len(example), column] = example.classes
        if example.accessibility is not None:
            accessibility[: len(example), column] = example.accessibility
        if example.profile is not None:
            profile[: len(example), column] = example.profile
        if example.taught is not None:
            taught[: len(example), column] = example.taught
    return Batch(codes, lengths, classes, accessibility, profile, taught)


class PaddedBatches(Sequence[Batch]):
    """Batches that are padded when they are asked for.

    Parameters
    ----------
    examples
        All examples.
    batches
        Indices of the examples of each batch.
    pad_code
        Code of padding.
    """

    def __init__(
        self, examples: Sequence[Example], batches: Sequence[Sequence[int]], pad_code: int
    ) -> None:
        self._examples = examples
        self._batches = batches
        self._pad_code = pad_code

    def __len__(self) -> int:
        """Return the number of batches."""
        return len(self._batches)

    def __getitem__(self, place: Any) -> Any:
        """Return one padded batch."""
        return padded([self._examples[i] for i in self._batches[place]], self._pad_code)


def padded_codes(
    sequences: Sequence[npt.NDArray[np.uint8]], pad_code: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return codes, uint8 ``(time, batch)``, padded at the end, and lengths, int64 ``(batch,)``."""
    lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    codes = np.full((int(lengths.max()), len(sequences)), pad_code, dtype=np.uint8)
    for column, sequence in enumerate(sequences):
        codes[: len(sequence), column] = sequence
    return codes, lengths


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


def _columns(arrays: Iterable[npt.NDArray[Any] | None]) -> int:
    return next((array.shape[1] for array in arrays if array is not None), 0)


def _profile(record: Record) -> npt.NDArray[np.uint8] | None:
    if record.profile is None:
        return None
    return np.frombuffer(record.profile, dtype=np.uint8).reshape(len(record), PROFILE_COLUMNS)


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
