"""Residue letters and their one-hot channels.

An alphabet turns a sequence into small integer codes, and codes into channels: a standard residue
is a unit vector, and the weight of an ambiguity code is spread evenly over what it stands for.

========  ==========================================================================
protein   ``ACDEFGHIKLMNPQRSTVWY``; B = D or N, Z = E or Q, J = I or L, X = any.
          Selenocysteine (U) is read as C and pyrrolysine (O) as K, the residues that
          they replace chemically.
dna       ``ACGT``; the IUPAC codes R Y S W K M B D H V N; U (RNA) is read as T.
========  ==========================================================================

Lower case (soft-masking) is kept in the text and ignored by the codes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_INVALID = 255
_PIECE = 1 << 18


@dataclass(frozen=True)
class Alphabet:
    """Letters of one kind of sequence, as data.

    Attributes
    ----------
    name
        Name in configuration files, datasets and model bundles.
    letters
        Standard residues; their order is the order of the channels.
    ambiguous
        Other letters, each with the standard residues that it stands for.
    unknown
        The letter that stands for any residue.
    """

    name: str
    letters: str
    ambiguous: Mapping[str, str] = field(hash=False)
    unknown: str

    @property
    def title(self) -> str:
        """The name in a sentence."""
        return "DNA" if self.name == "dna" else self.name

    @property
    def channels(self) -> int:
        """Number of one-hot channels."""
        return len(self.letters)

    @property
    def codes(self) -> str:
        """Every accepted upper-case letter; the index of a letter is its code."""
        return self.letters + "".join(self.ambiguous)

    @property
    def pad_code(self) -> int:
        """Code of padding: a row of zeros in the channel table."""
        return len(self.codes)

    @cached_property
    def channel_table(self) -> npt.NDArray[np.float32]:
        """Channels of each code, float32 ``(code, channel)``; the last row is padding."""
        table = np.zeros((len(self.codes) + 1, self.channels), dtype=np.float32)
        for code, letter in enumerate(self.codes):
            meaning = self.ambiguous.get(letter, letter)
            for residue in meaning:
                table[code, self.letters.index(residue)] = 1.0 / len(meaning)
        return table

    @cached_property
    def letter_of_code(self) -> npt.NDArray[np.int64]:
        """Index of the one standard residue that a code stands for, or -1, int64 ``(256,)``."""
        table = np.full(256, -1)
        single = np.flatnonzero(self.channel_table.max(axis=1) == 1)
        table[single] = self.channel_table[single].argmax(axis=1)
        return table

    @cached_property
    def residue_of_byte(self) -> npt.NDArray[np.int64]:
        """Index of the one standard residue that a letter stands for, or -1, int64 ``(256,)``."""
        return self.letter_of_code[self._code_of_byte]

    @cached_property
    def _code_of_byte(self) -> npt.NDArray[np.uint8]:
        table = np.full(256, _INVALID, dtype=np.uint8)
        for code, letter in enumerate(self.codes):
            table[ord(letter)] = table[ord(letter.lower())] = code
        return table

    def encode(self, sequence: str) -> npt.NDArray[np.uint8]:
        """Return the code of each residue, uint8 ``(residue,)``.

        Raises
        ------
        ValueError
            If a letter is outside the alphabet; see :meth:`invalid_positions`.

        Examples
        --------
        >>> DNA.encode("ACGTu").tolist()
        [0, 1, 2, 3, 15]
        """
        codes = self.lookup(sequence)
        if (codes == _INVALID).any():
            at = int(np.argmax(codes == _INVALID))
            raise ValueError(f"'{sequence[at]}' at position {at + 1} is not a {self.name} letter")
        return codes

    def one_hot(self, sequence: str) -> npt.NDArray[np.float32]:
        """Return the channels of each residue, float32 ``(residue, channel)``.

        Examples
        --------
        >>> DNA.one_hot("AN").tolist()
        [[1.0, 0.0, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]]
        """
        return self.channel_table[self.encode(sequence)]

    def invalid_positions(self, sequence: str) -> list[int]:
        """Return the 0-based positions of letters that the alphabet does not have."""
        if not self._length_without(sequence, self.codes):
            return []
        # In pieces, since a whole chromosome would take much memory.
        return [
            start + int(at)
            for start in range(0, len(sequence), _PIECE)
            for at in np.flatnonzero(self.lookup(sequence[start : start + _PIECE]) == _INVALID)
        ]

    def count_ambiguous(self, sequence: str) -> int:
        """Return how many residues are ambiguity codes of the alphabet."""
        special = self._length_without(sequence, self.letters)
        return special and special - self._length_without(sequence, self.codes)

    def _length_without(self, sequence: str, letters: str) -> int:
        dropped = (letters + letters.lower()).encode("ascii")
        return sum(len(piece.translate(None, dropped)) for piece in _pieces(sequence))

    def lookup(self, sequence: str) -> npt.NDArray[np.uint8]:
        """Return the code of each letter, uint8 ``(residue,)``; 255 where it has none."""
        return self._code_of_byte[np.frombuffer(_as_bytes(sequence), dtype=np.uint8)]


def _as_bytes(sequence: str) -> bytes:
    # "replace" gives one byte per character, so that positions are right in non-ASCII text.
    return sequence.encode("ascii", errors="replace")


PROTEIN = Alphabet(
    name="protein",
    letters="ACDEFGHIKLMNPQRSTVWY",
    ambiguous={"B": "DN", "Z": "EQ", "J": "IL", "X": "ACDEFGHIKLMNPQRSTVWY", "U": "C", "O": "K"},
    unknown="X",
)

DNA = Alphabet(
    name="dna",
    letters="ACGT",
    ambiguous={
        "R": "AG",
        "Y": "CT",
        "S": "CG",
        "W": "AT",
        "K": "GT",
        "M": "AC",
        "B": "CGT",
        "D": "AGT",
        "H": "ACT",
        "V": "ACG",
        "N": "ACGT",
        "U": "T",
    },
    unknown="N",
)

ALPHABETS: Mapping[str, Alphabet] = {alphabet.name: alphabet for alphabet in (PROTEIN, DNA)}


PROTEIN_COMPOSITION: Mapping[str, float] = {
    **{"A": 8.25, "C": 1.38, "D": 5.46, "E": 6.72, "F": 3.86, "G": 7.07, "H": 2.27, "I": 5.91},
    **{"K": 5.80, "L": 9.65, "M": 2.41, "N": 4.06, "P": 4.74, "Q": 3.93, "R": 5.53, "S": 6.64},
    **{"T": 5.36, "V": 6.86, "W": 1.10, "Y": 2.92},
}
"""Shares of residues in Swiss-Prot, in percent (UniProtKB/Swiss-Prot release statistics)."""

_RARE_IN_PROTEINS = 0.001
_BASE_IN_DNA = 24.5
_RARE_IN_DNA = 0.01
CERTAIN_BITS = 64
"""Bits of likelihood from which :func:`likelier_alphabet` is certain."""


class Guess(NamedTuple):
    """Which kind of sequences some are.

    Attributes
    ----------
    alphabet
        The likelier one.
    certain
        Whether it is far likelier: 30 ordinary bases are enough, or eight residues that are none.
    """

    alphabet: Alphabet
    certain: bool


def likelier_alphabet(sequences: Iterable[str]) -> Guess:
    """Return whether all letters of some sequences together are likelier in DNA or in proteins.

    Letters are taken as independent. In DNA and RNA four bases are common and the ambiguity codes
    rare; N and X, which mask either, and letters of neither say nothing.

    Examples
    --------
    >>> likelier_alphabet(["ACGTN" * 10])[1], likelier_alphabet(["MKTAYIAKQR", "ACGTN"])[0].name
    (True, 'protein')
    """
    bits = sum(
        float(np.bincount(np.frombuffer(piece, dtype=np.uint8), minlength=256) @ _dna_bits())
        for sequence in sequences
        for piece in _pieces(sequence)
    )
    return Guess(DNA if bits > 0 else PROTEIN, abs(bits) >= CERTAIN_BITS)


def letter_bits() -> dict[str, float]:
    """Return how much likelier each letter is in DNA than in proteins, in bits, by letter."""
    bits = {}
    for letter in sorted((set(PROTEIN.codes) | set(DNA.codes)) - {PROTEIN.unknown, DNA.unknown}):
        in_dna = _BASE_IN_DNA if letter in "ACGTU" else _RARE_IN_DNA
        bits[letter] = math.log2(in_dna / PROTEIN_COMPOSITION.get(letter, _RARE_IN_PROTEINS))
    return bits


@cache
def _dna_bits() -> npt.NDArray[np.float64]:
    # The same by byte.
    table = np.zeros(256)
    for letter, bits in letter_bits().items():
        table[ord(letter)] = table[ord(letter.lower())] = bits
    return table


def _pieces(sequence: str) -> Iterator[bytes]:
    return (_as_bytes(sequence[at : at + _PIECE]) for at in range(0, len(sequence), _PIECE))
