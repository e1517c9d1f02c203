"""Batches of similar length under a budget of residues, padding counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grubio.alphabet import Alphabet
from grubio.record import Record
from grubio.scheme import LabelScheme

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
        Class indices, int64 ``(residue,)``; :data:`IGNORED` where the residue does not count.
    """

    codes: npt.NDArray[np.uint8]
    classes: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of residues."""
        return len(self.codes)


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
    """

    codes: npt.NDArray[np.uint8]
    lengths: npt.NDArray[np.int64]
    classes: npt.NDArray[np.int64]


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
    classes = np.where(found < scheme.size, found.astype(np.int64), IGNORED)
    if record.mask is not None:
        classes[np.frombuffer(record.mask.encode("ascii"), dtype=np.uint8) == ord("0")] = IGNORED
    pieces = 1 if max_length is None else -(-len(codes) // max_length)
    for code_part, class_part in zip(
        np.array_split(codes, pieces), np.array_split(classes, pieces), strict=True
    ):
        if (class_part != IGNORED).any():
            yield Example(code_part, class_part)


def class_counts(examples: Sequence[Example], classes: int) -> npt.NDArray[np.int64]:
    """Return how many counted residues each class has, int64 ``(class,)``."""
    counts = np.zeros(classes, dtype=np.int64)
    for example in examples:
        counts += np.bincount(example.classes[example.classes != IGNORED], minlength=classes)
    return counts


def batches_by_length(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Group indices of similar length so that longest times number stays within the budget.

    A sequence longer than the budget gets a batch of its own.

    Examples
    --------
    >>> batches_by_length([5, 50, 6, 7], budget=20)
    [[0, 2], [3], [1]]
    """
    order = np.argsort(np.asarray(lengths), kind="stable")
    return _packed(order.tolist(), lengths, budget)


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


def padded(examples: Sequence[Example], pad_code: int) -> Batch:
    """Return examples side by side, padded at the end."""
    codes, lengths = padded_codes([example.codes for example in examples], pad_code)
    classes = np.full(codes.shape, IGNORED, dtype=np.int64)
    for column, example in enumerate(examples):
        classes[: len(example), column] = example.classes
    return Batch(codes, lengths, classes)


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


def _packed(order: Sequence[int], lengths: Sequence[int], budget: int) -> list[list[int]]:
    batches: list[list[int]] = []
    longest = 0
    for index in order:
        together = max(longest, lengths[index])
        if batches and (len(batches[-1]) + 1) * together <= budget:
            batches[-1].append(index)
            longest = together
        else:
            batches.append([index])
            longest = lengths[index]
    return batches
