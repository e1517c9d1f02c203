"""What the sequences of a training were like, and whether those of an input are like them.

Compared are the shares of residues in proteins, and of words of three bases on both strands in
DNA, by their Jensen-Shannon divergence (Lin, IEEE Trans. Inf. Theory 37:145, 1991) in bits.
Of ``n`` independent words of ``K`` kinds it is about ``(K - 1) / (8 n ln 2)`` by chance. Words of
one protein, or of one stretch of a genome, are not independent, so that much more is usual; the
limit was chosen by ``benchmarks/unlike_training.py``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from grubio.sequences.alphabet import DNA, Alphabet

JUDGED_RESIDUES = 100_000
"""Known residues of an input that are looked at."""

WORDS = {"protein": 1, "dna": 3}
"""Letters of a word, by alphabet."""
USUAL_BITS = 0.02
"""Divergence that is usual, apart from chance."""
USUAL_ERRORS = 15
"""What is usual by chance, as a multiple of the mean."""
_SHORTEST_SHARE = 0.01


def training_input(
    sequences: Iterable[npt.NDArray[np.uint8]], alphabet: Alphabet, max_length: int
) -> dict[str, Any]:
    """Return what a model keeps of the sequences that it was trained on.

    Parameters
    ----------
    sequences
        Codes of each ``(residue,)``.
    alphabet
        What they are written in.
    max_length
        Residues that the network sees at once.

    Returns
    -------
    dict
        ``words``, the parts per million of each word in the order of the letters, as text; and
        ``lengths``: the length that 1 % of the sequences fall short of, and the longest one.
    """
    counts, lengths = np.zeros(alphabet.channels ** WORDS[alphabet.name]), []
    for codes in sequences:
        counts += _word_counts(codes, alphabet)
        lengths.append(min(len(codes), max_length))
    shares = np.rint(1e6 * counts / max(counts.sum(), 1)).astype(int)
    shortest = int(np.quantile(lengths, _SHORTEST_SHARE))
    return {"words": " ".join(map(str, shares)), "lengths": [shortest, max(lengths)]}


def unlike_training(
    training: Mapping[str, Any], alphabet: Alphabet, texts: Sequence[str], *, whole: bool
) -> str | None:
    """Return how sequences differ from those of a training, or None if they are alike.

    Parameters
    ----------
    training
        ``training`` of a model's ``model.json``; of models that kept nothing, nothing is said.
    alphabet
        The model's.
    texts
        The first sequences of the input; of them :data:`JUDGED_RESIDUES` residues are looked at.
    whole
        Whether the model labels a sequence at once, so that its length counts upwards as well.
    """
    if "input" not in training or not texts:
        return None
    kept = training["input"]
    found = [
        _other_composition(kept, alphabet, texts),
        _other_lengths(kept["lengths"], list(map(len, texts)), whole=whole),
    ]
    return "; ".join(filter(None, found)) or None


def divergence(
    training: Mapping[str, Any], alphabet: Alphabet, texts: Iterable[str]
) -> tuple[float, float]:
    """Return the divergence of sequences from the ``input`` of a training, and its limit, in bits.

    Without a known residue both are 0.
    """
    return _divergence(_shares(training), _counts(alphabet, texts), alphabet)


def _divergence(
    expected: npt.NDArray[np.float64], counts: npt.NDArray[np.float64], alphabet: Alphabet
) -> tuple[float, float]:
    total = counts.sum()
    if not total:
        return 0.0, 0.0
    strands = 2 if alphabet is DNA else 1
    by_chance = (len(counts) / strands - 1) / (8 * total / strands * math.log(2))
    shares = counts / total
    bits = _entropy((expected + shares) / 2) - (_entropy(expected) + _entropy(shares)) / 2
    return bits, USUAL_BITS + USUAL_ERRORS * by_chance


def _other_composition(
    kept: Mapping[str, Any], alphabet: Alphabet, texts: Sequence[str]
) -> str | None:
    expected, counts = _shares(kept), _counts(alphabet, texts)
    bits, limit = _divergence(expected, counts, alphabet)
    if bits <= limit:
        return None
    shares = counts / counts.sum()
    if alphabet is DNA:
        name, places = "GC", [1, 2]
        expected, shares = (x.reshape(4, -1).sum(axis=1) for x in (expected, shares))
    else:
        places = [int(np.argmax(np.abs(shares - expected)))]
        name = alphabet.letters[places[0]]
    here, there = (100 * x[places].sum() for x in (shares, expected))
    return (
        f"its composition differs ({here:.0f} % {name}, {there:.0f} % in training; "
        f"divergence {bits:.3f} bits, up to {limit:.3f} is usual)"
    )


def _other_lengths(known: Sequence[int], lengths: Sequence[int], *, whole: bool) -> str | None:
    shortest, longest = known
    for word, beyond in (
        ("shorter", sum(length < shortest for length in lengths)),
        ("longer", sum(length > longest for length in lengths) if whole else 0),
    ):
        if 2 * beyond > len(lengths):
            seen = f"{shortest:,} to {longest:,}" if whole else f"{shortest:,}"
            return f"most sequences are {word} than those of training ({seen} residues)"
    return None


def _shares(kept: Mapping[str, Any]) -> npt.NDArray[np.float64]:
    return np.array(kept["words"].split(), dtype=np.float64) / 1e6


def _counts(alphabet: Alphabet, texts: Iterable[str]) -> npt.NDArray[np.float64]:
    return sum(
        (_word_counts(codes, alphabet) for codes in _first_codes(alphabet, texts)), np.zeros(1)
    )


def _first_codes(alphabet: Alphabet, texts: Iterable[str]) -> Iterator[npt.NDArray[np.uint8]]:
    known = 0
    for text in texts:
        # A chromosome may begin with millions of unknown bases.
        for start in range(0, len(text), JUDGED_RESIDUES):
            codes = alphabet.lookup(text[start : start + JUDGED_RESIDUES])
            yield codes
            known += int(np.count_nonzero(codes < alphabet.channels))
            if known >= JUDGED_RESIDUES:
                return


def _word_counts(codes: npt.NDArray[np.uint8], alphabet: Alphabet) -> npt.NDArray[np.float64]:
    size, length = alphabet.channels, WORDS[alphabet.name]
    kinds = size**length
    letters = alphabet.letter_of_code[codes]
    if len(letters) < length:
        return np.zeros(kinds)
    views = [letters[at : len(letters) - length + 1 + at] for at in range(length)]
    words = sum(view * size ** (length - 1 - at) for at, view in enumerate(views))
    known = np.all([view >= 0 for view in views], axis=0)
    counts = np.bincount(np.asarray(words)[known], minlength=kinds).astype(np.float64)
    if alphabet is DNA:
        # The complement of the first letter is the last one, and so on.
        turned = counts.reshape((size,) * length)[(slice(None, None, -1),) * length]
        counts += turned.T.ravel()
    return counts


def _entropy(shares: npt.NDArray[np.float64]) -> float:
    present = shares[shares > 0]
    return float(-(present * np.log2(present)).sum())
