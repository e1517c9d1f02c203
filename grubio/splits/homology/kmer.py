"""Homology search in Python, for machines without MMseqs2.

Chains that share many k-mers are aligned locally. Protein k-mers are 4 residues in an alphabet of
10 groups, so that conservative substitutions keep them; DNA k-mers are 11 bases. Each query is
aligned with the targets that share the most k-mers for their length, and with no more than
``CANDIDATES``. Alignments are Biopython's, with BLOSUM62 and gaps of 11 + 1 for each residue (DNA:
match 2, mismatch -3, gap 5 + 2); E-values follow Altschul et al., Nucleic Acids Research 25:3389
(1997), with lambda 0.267 and K 0.041 (DNA: 0.625 and 0.41).

It is slower than MMseqs2 and misses some remote homologs;
``tests/splits/homology/test_homology.py`` holds it to finding planted relatives of 40 % identity.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from grubio.sequences.alphabet import DNA, Alphabet
from grubio.sequences.locus import reverse_complement
from grubio.splits.homology.hit import Hit

CANDIDATES = 100
"""Most targets that a query is aligned with."""

# Residues that often replace each other, after Murphy et al., Protein Engineering 13:149 (2000).
_GROUPS = ("LVIM", "C", "A", "G", "ST", "P", "FYW", "EDNQ", "KR", "H")
_PROTEIN_K, _DNA_K = 4, 11
MAX_EVALUE = 1.0


def search(
    queries: Mapping[str, str],
    targets: Mapping[str, str],
    alphabet: Alphabet,
    threads: int,
) -> Iterator[Hit]:
    """Yield alignments with an E-value of at most 1, of DNA with both strands of the targets.

    It runs on one thread.
    """
    aligner, (scale, constant) = _aligner(alphabet)
    names = list(targets)
    texts = [standard(sequence, alphabet) for sequence in targets.values()]
    if alphabet is DNA:
        names, texts = 2 * names, [*texts, *map(reverse_complement, texts)]
    residues = sum(map(len, texts))
    profile = _kmer_counts(texts, alphabet)
    sizes = np.sqrt(np.maximum(np.asarray(profile.sum(axis=1)).ravel(), 1))
    for query, sequence in queries.items():
        text = standard(sequence, alphabet)
        shared = (profile @ _kmer_counts([text], alphabet).T).toarray().ravel() / sizes
        for place in np.argsort(-shared, kind="stable")[: CANDIDATES + 1].tolist():
            target, other = names[place], texts[place]
            if target == query or shared[place] <= 0:
                continue
            score = aligner.score(text, other)
            evalue = constant * len(text) * residues * math.exp(-scale * score)
            if evalue > MAX_EVALUE:
                continue
            columns = aligner.align(text, other)[0].counts()
            # Gaps count as aligned, as in MMseqs2.
            aligned = columns.identities + columns.mismatches + columns.gaps
            coverage = min(aligned / min(len(text), len(other)), 1.0)
            yield Hit(query, target, columns.identities / aligned, aligned, coverage, evalue)


def _aligner(alphabet: Alphabet) -> tuple[Any, tuple[float, float]]:
    from Bio.Align import PairwiseAligner, substitution_matrices

    aligner = PairwiseAligner()
    aligner.mode = "local"
    if alphabet is DNA:
        aligner.match_score, aligner.mismatch_score = 2, -3
        aligner.open_gap_score, aligner.extend_gap_score = -7, -2
        return aligner, (0.625, 0.41)
    aligner.substitution_matrix = substitution_matrices.load("BLOSUM62")
    # Biopython's opening score is that of the first residue of a gap.
    aligner.open_gap_score, aligner.extend_gap_score = -12, -1
    return aligner, (0.267, 0.041)


def standard(sequence: str, alphabet: Alphabet) -> str:
    """Return a sequence in upper case, in the letters that BLOSUM62 has (no U, O or J)."""
    read, written = ("U", "T") if alphabet is DNA else ("UOJ", "CKL")
    return sequence.upper().translate(str.maketrans(read, written))


@cache
def _group_of_byte(alphabet: Alphabet) -> npt.NDArray[np.int64]:
    groups = tuple(alphabet.letters) if alphabet is DNA else _GROUPS
    table = np.full(256, -1, dtype=np.int64)
    for number, letters in enumerate(groups):
        for letter in letters:
            table[ord(letter)] = number
    return table


def _kmer_counts(sequences: list[str], alphabet: Alphabet) -> Any:
    # CSR (sequence, k-mer): whether the k-mer occurs; k-mers with ambiguous letters are left out.
    from scipy.sparse import csr_matrix

    size, k = (4, _DNA_K) if alphabet is DNA else (len(_GROUPS), _PROTEIN_K)
    weights = size ** np.arange(k)
    columns, starts = [], [0]
    for sequence in sequences:
        codes = _group_of_byte(alphabet)[np.frombuffer(sequence.encode("ascii"), dtype=np.uint8)]
        found = np.zeros(0, dtype=np.int64)
        if len(codes) >= k:
            windows = np.lib.stride_tricks.sliding_window_view(codes, k)
            found = np.unique((windows @ weights)[(windows >= 0).all(axis=1)])
        columns.append(found)
        starts.append(starts[-1] + len(found))
    indices = np.concatenate(columns)
    return csr_matrix(
        (np.ones(len(indices), dtype=np.float32), indices, starts), (len(sequences), size**k)
    )
