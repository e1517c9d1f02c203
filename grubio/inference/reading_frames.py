"""Reading frames of a strand: every start codon and the stop codon after it, with what lies around.

A candidate is a frame from a start codon, or from the end of the contig, to the next stop codon.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from grubio.sequences.gene_rules import GeneRules

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

UNKNOWN_BASE = 4
BASE_CODES = np.full(256, UNKNOWN_BASE, dtype=np.int64)
"""Of each character: 0 to 3, and 4 for what is no base."""
BASE_CODES[list(b"ACGTacgt")] = [0, 1, 2, 3] * 2
WORD = 6
WORDS = 4**WORD
"""Words of six bases."""
UPSTREAM = 32
"""Bases before a start that are looked at."""
SITE_CLASSES = 13
"""Classes of ribosome binding sites, 0 for none."""
_ANTI_SD = "AGGAGG"


@dataclass(frozen=True, eq=False)
class Reading:
    """The reading frames of a strand, read in its direction; arrays are ``(candidate,)``.

    Attributes
    ----------
    codes
        Bases, 0 to 3, and 4 for others, ``(base,)``.
    start, end
        Of each candidate: its first base, and the base after its last one.
    kind
        Which of the start codons it begins with; their number if the contig cuts it off there.
    cut
        Whether it lacks its stop codon.
    log_odds
        Running sum of the bounded log-odds of the network, ``(base + 1,)``.
    """

    codes: Ints
    start: Ints
    end: Ints
    kind: Ints
    cut: npt.NDArray[np.bool_]
    log_odds: Floats

    @property
    def codons(self) -> Floats:
        """Codons of each candidate."""
        return np.asarray((self.end - self.start) / 3)

    @cached_property
    def network(self) -> Floats:
        """Sum of the network's log-odds over each candidate."""
        return np.asarray(self.log_odds[self.end] - self.log_odds[self.start])

    @cached_property
    def words(self) -> Ints:
        """The word of six bases that begins at each base, 4096 for one with an unknown base."""
        count = max(len(self.codes) - WORD + 1, 0)
        found, unknown = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=bool)
        for place in range(WORD):
            bases = self.codes[place : place + count]
            found = found * 4 + bases % 4
            unknown |= bases == UNKNOWN_BASE
        found[unknown] = WORDS
        return found

    @cached_property
    def upstream(self) -> npt.NDArray[np.uint8]:
        """The bases before each start, from 5' to 3', uint8 ``(32, candidate)``."""
        bases = np.pad(self.codes.astype(np.uint8), (UPSTREAM, 0), constant_values=UNKNOWN_BASE)
        return np.stack([bases[self.start + place] for place in range(UPSTREAM)])

    @cached_property
    def binding(self) -> Ints:
        """The class of the best ribosome binding site before each start: length and spacing."""
        wanted = [int(BASE_CODES[ord(letter)]) for letter in _ANTI_SD]
        bases = np.pad(self.codes.astype(np.uint8), (UPSTREAM, 0), constant_values=UNKNOWN_BASE)
        best = np.zeros(len(self.start), dtype=np.int64)
        for length in range(3, WORD + 1):
            # Where any part of AGGAGG of this length begins.
            count = len(bases) - length + 1
            begins = np.zeros(count, dtype=bool)
            for skipped in range(WORD - length + 1):
                same = np.ones(count, dtype=bool)
                for place in range(length):
                    same &= bases[place : place + count] == wanted[skipped + place]
                begins |= same
            for spacing in range(3, 16):
                near = 0 if spacing < 5 else 1 if spacing <= 10 else 2
                # Longer matches are better, then those at the usual distance.
                value = (length * 10 + 5 * (near == 1)) * 100 + 1 + (length - 3) * 3 + near
                found = begins[self.start + (UPSTREAM - spacing - length)]
                best = np.where(found & (value > best), value, best)
        return np.asarray(best % 100)

    def words_in_frame(self, table: Floats) -> Floats:
        """Return the sum over the codons of each candidate but the last, of pairs with the next."""
        values = table[self.words]
        sums = np.zeros(len(values) + 3)
        for frame in range(3):
            running = np.cumsum(values[frame::3])
            sums[frame + 3 : frame + 3 + 3 * len(running) : 3] = running
        last = np.minimum(self.end - 3, len(sums) - 1)
        return np.where(last > self.start, sums[last] - sums[np.minimum(self.start, last)], 0.0)


def reading_frames(text: str, log_odds: Floats, rules: GeneRules) -> Reading:
    """Return the reading frames of a strand.

    Parameters
    ----------
    text
        The bases.
    log_odds
        See :class:`Reading`.
    rules
        Start and stop codons, and how long a gene is at least.
    """
    codes = BASE_CODES[np.frombuffer(text.encode("ascii"), dtype=np.uint8)]
    size = len(codes)
    codons = np.full(size, -1, dtype=np.int64)
    if size >= 3:
        known = (codes[:-2] < 4) & (codes[1:-1] < 4) & (codes[2:] < 4)
        index = codes[:-2] * 16 + codes[1:-1] * 4 + codes[2:]
        codons[:-2] = np.where(known, index, -1)
    stops_at = np.isin(codons, [_codon(one) for one in rules.stop])
    kinds = np.full(size, -1, dtype=np.int64)
    for number, codon in enumerate(rules.start):
        kinds[codons == _codon(codon)] = number
    parts = []
    for frame in range(min(3, size)):
        stops = np.flatnonzero(stops_at[frame::3]) * 3 + frame
        starts = np.flatnonzero(kinds[frame::3] >= 0) * 3 + frame
        kind = kinds[starts]
        # A gene may come from before the contig, and go on after it.
        starts, kind = np.append(frame, starts), np.append(len(rules.start), kind)
        after = np.append(stops, frame + (size - frame) // 3 * 3 - 3)
        which = np.searchsorted(stops, starts)
        parts.append((starts, after[which] + 3, kind, which == len(stops)))
    joined = [np.concatenate(one) for one in zip(*parts, strict=True)] if parts else []
    if not joined:
        none = np.zeros(0, dtype=np.int64)
        joined = [none, none, none, none.astype(bool)]
    start, end, kind, cut = joined
    kept = end - start >= max(rules.least, 6)
    return Reading(codes, start[kept], end[kept], kind[kept], cut[kept], log_odds)


def _codon(text: str) -> int:
    first, second, third = (int(BASE_CODES[ord(letter)]) for letter in text)
    return first * 16 + second * 4 + third
