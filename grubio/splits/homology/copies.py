"""Copies and near copies, which a search for homologs can miss.

MMseqs2 does not find chains of fewer than about 14 residues, nor those that its mask of low
complexity hides, and no alignment of so few residues is significant. Chains are compared as text
here, DNA with both strands.

A chain is a *copy* of another if the two are identical, or if it has at least four residues and is
contained whole in the other; three residues are found in one chain of forty by chance, and two in
every third, so such a chain would join much of a dataset. Two chains are *near copies* if the
shorter one, of at least six residues, fits into the other with one edit (substitution, insertion or
deletion), or one for every ten of its residues, and if this is more than chance. With ``a``
letters, an edit is of one of ``2a`` kinds (``a - 1`` substitutions, ``a`` insertions, a deletion),
so at most ``C(L, d) (2a)^d`` of the ``a^L`` words of ``L`` letters are within ``d`` edits of one,
and ``E = N C(L, d) (2a)^d / a^L`` near copies are expected in ``N`` residues. With one edit that is
below 0.01 from 7 residues on in 10,000 residues, and from 9 on in 5 million.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import chain, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from grubio.sequences.alphabet import DNA, Alphabet
from grubio.sequences.locus import reverse_complement
from grubio.splits.homology.hit import Hit
from grubio.splits.homology.kmer import CANDIDATES, MAX_EVALUE, standard

_SHORTEST_COPY, _SHORTEST_NEAR_COPY = 4, 6
# Eight letters of five bits and the number of a chain fit into 63 bits.
_WORD, _LETTER_BITS, _CHAIN_BITS = 8, 5, 23

Groups = Mapping[str, Sequence[str]]
Pairs = Iterator[tuple[str, str]]


def copies(
    queries: Mapping[str, str], targets: Mapping[str, str], alphabet: Alphabet
) -> Iterator[Hit]:
    """Yield hits of chains of which one is contained whole in the other.

    Of identical chains, each is paired with the first one only.
    """
    ours, theirs, residues = _compared(queries, targets, alphabet)
    pairs = {text: text for text in ours if text in theirs}.items()
    for query, target in dict.fromkeys(chain(pairs, _both_ways(_contained_whole, ours, theirs))):
        yield from _hits(ours[query], theirs[target], (query, target), 0, residues, alphabet)


def near_copies(
    queries: Mapping[str, str],
    targets: Mapping[str, str],
    alphabet: Alphabet,
    seen: Collection[str],
) -> Iterator[Hit]:
    """Yield hits of near copies, at least one of which is not among the ids that were seen."""
    ours, theirs, residues = _compared(queries, targets, alphabet)
    new = {text for group in (ours, theirs) for text, ids in group.items() if ids[0] not in seen}
    pairs = _both_ways(partial(_sharing_a_piece, new=new), ours, theirs)
    for query, target in dict.fromkeys(pairs):
        short, long = sorted((query, target), key=len)
        edits = 0 if short in long else len(short) - round(_aligner().score(short, long))
        if 0 < edits <= _most_edits(short):
            hits = _hits(ours[query], theirs[target], (query, target), edits, residues, alphabet)
            yield from (hit for hit in hits if hit.evalue <= MAX_EVALUE)


def _both_ways(search: Callable[[Groups, Groups], Pairs], ours: Groups, theirs: Groups) -> Pairs:
    # The search yields a shorter chain and a longer one; what comes out is ours and theirs.
    yield from search(ours, theirs)
    if ours != theirs:
        yield from ((query, target) for target, query in search(theirs, ours))


def _contained_whole(parts: Groups, wholes: Groups) -> Pairs:
    return contained([part for part in parts if len(part) >= _SHORTEST_COPY], list(wholes))


def contained(parts: Sequence[str], wholes: Sequence[str]) -> Pairs:
    """Yield each part with each whole that contains it.

    Looks at the wholes that hold a rare word of the part.

    Examples
    --------
    >>> list(contained(["AC", "GG"], ["TACG", "TTT", "AC"]))
    [('AC', 'TACG'), ('AC', 'AC')]
    """
    by_size = defaultdict(list)
    for part in parts:
        by_size[min(len(part), _WORD)].append(part)
    for size, some in by_size.items():
        known, inside = _words(wholes, size)
        # np.unique hashes these numbers badly, and takes ten times as long.
        index = np.sort(known << _CHAIN_BITS | inside)
        index = index[np.diff(index, prepend=-1) > 0]
        words, owners = _some_words(some, size)
        first = np.searchsorted(index, words << _CHAIN_BITS)
        last = np.searchsorted(index, (words + 1) << _CHAIN_BITS)
        order = np.lexsort((last - first, owners))
        rarest = order[np.unique(owners[order], return_index=True)[1]]
        holders = index & ((1 << _CHAIN_BITS) - 1)
        for number, start, stop in zip(owners[rarest], first[rarest], last[rarest], strict=True):
            for holder in holders[start:stop].tolist():
                if some[number] in wholes[holder]:
                    yield some[number], wholes[holder]


def _words(texts: Sequence[str], size: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    # Every word of each text as a number, and the number of its text.
    joined = np.frombuffer("\n".join(texts).encode("ascii"), dtype=np.uint8)
    letters = (joined & ((1 << _LETTER_BITS) - 1)).astype(np.int64)
    count = max(len(letters) - size + 1, 0)
    words = np.zeros(count, dtype=np.int64)
    for offset in range(size):
        words = words << _LETTER_BITS | letters[offset : offset + count]
    ends = np.cumsum(joined == ord("\n"))
    inside = ends[:count] == ends[size - 1 :]
    inside &= joined[:count] != ord("\n")
    return words[inside], ends[:count][inside]


def _some_words(
    texts: Sequence[str], size: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    # Four words of each text, from its first to its last; each text has one at least.
    words, owners = _words(texts, size)
    _, first, count = np.unique(owners, return_index=True, return_counts=True)
    places = (first[:, None] + (count - 1)[:, None] * np.arange(4) // 3).ravel()
    return words[places], owners[places]


def _sharing_a_piece(parts: Groups, wholes: Groups, *, new: set[str]) -> Pairs:
    # A chain with n edits still holds one of the n + 1 pieces of the other.
    both_ways_new = (
        (new.intersection(parts), list(wholes)),
        (parts.keys() - new, [text for text in wholes if text in new]),
    )
    for some, others in both_ways_new:
        chains_of = defaultdict(list)
        for part in sorted(some):
            for piece in _pieces(part):
                chains_of[piece].append(part)
        shared: dict[str, Counter[str]] = defaultdict(Counter)
        for piece, whole in contained(list(chains_of), others):
            for part in chains_of[piece]:
                if len(part) <= len(whole):
                    shared[part][whole] += 1
        for part, counts in shared.items():
            yield from ((part, whole) for whole, _ in counts.most_common(CANDIDATES))


def _pieces(text: str) -> set[str]:
    if len(text) < _SHORTEST_NEAR_COPY:
        return set()
    count = _most_edits(text) + 1
    ends = [len(text) * number // count for number in range(count + 1)]
    return {text[a:b] for a, b in pairwise(ends) if a < b}


def _most_edits(short: str) -> int:
    return max(1, len(short) // 10)


@cache
def _aligner() -> Any:
    # The score is the length of the shorter chain less its edits; a deletion counts twice.
    from Bio.Align import PairwiseAligner

    return PairwiseAligner(mode="local", match_score=1, mismatch_score=0, gap_score=-1)


def _compared(
    queries: Mapping[str, str], targets: Mapping[str, str], alphabet: Alphabet
) -> tuple[Groups, Groups, int]:
    # Ids by sequence, that of one strand for queries and those of both for targets, and how many
    # residues these have.
    ours, theirs = _by_sequence(queries, alphabet), _by_sequence(targets, alphabet)
    residues = sum(map(len, targets.values()))
    if alphabet is not DNA:
        return ours, theirs, residues
    return ours, theirs | {reverse_complement(s): ids for s, ids in theirs.items()}, 2 * residues


def _by_sequence(sequences: Mapping[str, str], alphabet: Alphabet) -> dict[str, list[str]]:
    ids = defaultdict(list)
    for name, sequence in sequences.items():
        text = standard(sequence, alphabet)
        # The two strands of a piece of DNA are one sequence.
        ids[min(text, reverse_complement(text)) if alphabet is DNA else text].append(name)
    return ids


def _hits(
    queries: Sequence[str],
    targets: Sequence[str],
    texts: tuple[str, str],
    edits: int,
    residues: int,
    alphabet: Alphabet,
) -> Iterator[Hit]:
    size, letters = min(map(len, texts)), len(alphabet.letters)
    evalue = residues * math.comb(size, edits) * (2 * letters) ** edits / letters**size
    # Each query and each target has its hit, without a hit for every pair.
    pairs = [(query, targets[0]) for query in queries]
    pairs += [(queries[0], target) for target in targets[1:]]
    for query, target in pairs:
        if query != target:
            yield Hit(query, target, 1 - edits / size, size, 1.0, evalue)
