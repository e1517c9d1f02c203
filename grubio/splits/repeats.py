"""Repeats across a split: held-out bases of which training blocks hold a copy.

Blocks that lie apart can still hold the same insertion element, ribosomal RNA or satellite. A base
of a held-out block counts as repeated if it lies in a stretch of at least :data:`LEAST_BASES` that
is covered by words of :data:`WORD` bases which also occur in a training block, on either strand;
up to :data:`MOST_BETWEEN` bases between two such words belong to the stretch. So a copy with a
substitution every 40 bases is found, and one that has diverged by 10 % mostly is not. Words with
letters other than ACGT are ignored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grubio.sequences.runs_and_peaks import runs

WORD = 31
LEAST_BASES = 100
MOST_BETWEEN = 30

Words = npt.NDArray[np.uint64]

_CODES = np.full(256, 4, dtype=np.uint8)
for _code, _letters in enumerate(("Aa", "Cc", "Gg", "TtUu")):
    _CODES[[ord(letter) for letter in _letters]] = _code


@dataclass(frozen=True)
class Repeats:
    """How much of a held-out block is repeated in training blocks.

    Attributes
    ----------
    bases
        Number of its bases, of double-stranded DNA.
    nearest
        The training block with most of the words that were found first there; empty if none was.
    """

    bases: int
    nearest: str


def repeats_in_training(
    held: Mapping[str, str], train: Iterable[tuple[str, str]]
) -> dict[str, Repeats]:
    """Return how much of each held-out block is repeated in training blocks.

    Takes one strand of each block, whichever. Memory grows with the held-out blocks, not with
    the training blocks, which are read one at a time.

    Parameters
    ----------
    held
        Sequence of each held-out block, by name.
    train
        Name and sequence of each training block.

    Examples
    --------
    >>> text = "ACGTTGCAAC" * 3 + "GATTACAGGC" * 12
    >>> repeats_in_training({"held": text + "T" * 200}, [("train", "C" * 50 + text)])
    {'held': Repeats(bases=150, nearest='train')}
    """
    words = {name: canonical_words(sequence) for name, sequence in held.items()}
    parts = [found[known] for found, known in words.values()]
    known_words = np.unique(np.concatenate(parts)) if parts else np.zeros(0, dtype=np.uint64)
    first_in = np.full(len(known_words), -1, dtype=np.int64)
    names = []
    for number, (name, sequence) in enumerate(train):
        names.append(name)
        found, known = canonical_words(sequence)
        places = _places(known_words, np.unique(found[known]))
        first_in[places[first_in[places] < 0]] = number
    answer = {}
    for name, (found, known) in words.items():
        where = np.full(len(found), -1, dtype=np.int64)
        where[known] = first_in[np.searchsorted(known_words, found[known])]
        repeated = _stretches(where >= 0)
        inside: Counter[int] = Counter()
        for start, stop in repeated:
            inside.update(where[start : stop - WORD + 1].tolist())
        del inside[-1]
        nearest = names[inside.most_common(1)[0][0]] if inside else ""
        answer[name] = Repeats(sum(stop - start for start, stop in repeated), nearest)
    return answer


def canonical_words(sequence: str) -> tuple[Words, npt.NDArray[np.bool_]]:
    """Return the word at each base, the same for both strands, and whether it is one of ACGT.

    Both are ``(base - WORD + 1,)``, empty for a shorter sequence.

    Examples
    --------
    >>> forward, _ = canonical_words("A" * 30 + "C" + "N")
    >>> reverse, known = canonical_words("N" + "G" + "T" * 30)
    >>> bool(forward[0] == reverse[1]), known.tolist()
    (True, [False, True])
    """
    codes = _CODES[np.frombuffer(sequence.encode("ascii"), dtype=np.uint8)]
    count = len(codes) - WORD + 1
    if count < 1:
        return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=bool)
    unknown = np.concatenate(([0], np.cumsum(codes > 3)))
    bases = (codes & 3).astype(np.uint64)
    forward, reverse = np.zeros((2, count), dtype=np.uint64)
    for place in range(WORD):
        here = bases[place : place + count]
        forward = (forward << np.uint64(2)) | here
        reverse |= (np.uint64(3) - here) << np.uint64(2 * place)
    return np.minimum(forward, reverse), unknown[WORD:] == unknown[:-WORD]


def _places(sorted_words: Words, words: Words) -> npt.NDArray[np.int64]:
    # Indices into the sorted words, of those words that are among them.
    if not len(sorted_words):
        return np.zeros(0, dtype=np.int64)
    places = np.minimum(np.searchsorted(sorted_words, words), len(sorted_words) - 1)
    return np.asarray(places[sorted_words[places] == words])


def _stretches(shared: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    # First base and the base after the last one of every repeated stretch.
    stretches: list[tuple[int, int]] = []
    for first, last in runs(shared).tolist():
        end = last + WORD - 1
        if stretches and first - stretches[-1][1] <= MOST_BETWEEN:
            stretches[-1] = (stretches[-1][0], end)
        else:
            stretches.append((first, end))
    return [(start, end) for start, end in stretches if end - start >= LEAST_BASES]
