"""What a model keeps of its training sequences, so that a test on the same ones is noticed.

Of each sequence a hash, which finds the same sequence again, and of all together a sketch of their
k-mers, which finds similar ones: FracMinHash (Irber et al., bioRxiv 2022.01.11.475838), the k-mers
whose hash is below a limit. Proteins have k-mers of 8 residues, DNA of 16 bases, the same for both
strands. A sketch holds at most :data:`MOST_KMERS` k-mers: all of a small training set, a share of a
large one. Both are sorted numbers, stored as their differences (LEB128).

The file, ``training_sketch.bin``, lies beside ``model.json``, which describes it and holds its
SHA-256. A model that was started from another has the sketches of both.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from grubio.errors import GrubioError
from grubio.files import written_whole
from grubio.sequences.alphabet import DNA, Alphabet

SKETCH_FILE = "training_sketch.bin"
METADATA_KEY = "training_sequences"
MOST_KMERS = 1 << 17

Numbers: TypeAlias = npt.NDArray[np.uint64]

_LENGTHS = {"protein": 8, "dna": 16}
# K-mers of fewer different letters are alike by chance.
_LEAST_LETTERS = {"protein": 4, "dna": 3}
_HASH_BITS = 32
# A number is one of 256 or more that it could be, so that few k-mers are found by chance.
_SPARE_BITS = 8
_WORD = 64
# Natural sequences share more k-mers than random ones.
_NATURAL = 4
_CHANCE = 1e-3
_LEAST_HITS = 2
_LEAST_SHARE = 0.05


@dataclass(frozen=True)
class Sketch:
    """The training sequences of one model.

    Attributes
    ----------
    model
        The name of the model.
    alphabet
        Of its sequences.
    records
        How many there are.
    length
        Residues of a k-mer.
    halvings
        The k-mers of a share of ``2**-halvings`` are kept.
    bits
        Bits of the hash of a k-mer that are kept.
    sequences, kmers
        Sorted hashes, uint64. None for a model whose training sequences are not known.
    """

    model: str
    alphabet: str = ""
    records: int = 0
    length: int = 0
    halvings: int = 0
    bits: int = 0
    sequences: Numbers | None = None
    kmers: Numbers | None = None

    def overlap(self, tested: Mapping[str, str], alphabet: Alphabet) -> Overlap:
        """Return which of the sequences, by id, were in training or are similar to it."""
        if self.sequences is None or self.kmers is None:
            return Overlap(self.model, len(tested), known=False)
        seen, similar = [], []
        for name, text in tested.items():
            letters = _letters(text, alphabet)
            if _contains(self.sequences, _hash_of(letters, alphabet)):
                seen.append(name)
            elif self._is_similar(_hashes_of_kmers(letters, alphabet, self.length), alphabet):
                similar.append(name)
        return Overlap(self.model, len(tested), seen, similar)

    def _is_similar(self, hashes: Numbers, alphabet: Alphabet) -> bool:
        from scipy.stats import binom

        assert self.kmers is not None
        asked = np.unique(_kept(hashes, self.halvings) >> np.uint64(_WORD - self.bits))
        places = np.searchsorted(self.kmers, asked)
        inside = places < len(self.kmers)
        hits = int((self.kmers[places[inside]] == asked[inside]).sum())
        if hits < max(_LEAST_HITS, _LEAST_SHARE * len(asked)):
            return False
        kinds = len(alphabet.letters) ** self.length
        by_chance = len(self.kmers) / 2.0 ** (self.bits - self.halvings)
        shared = _NATURAL * len(self.kmers) * 2.0**self.halvings / kinds
        return bool(binom.sf(hits - 1, len(asked), min(1, by_chance + shared)) < _CHANCE)


@dataclass(frozen=True)
class Overlap:
    """Tested records and the training sequences of a model.

    Attributes
    ----------
    model
        Whose training sequences.
    records
        How many were tested.
    seen, similar
        Ids of those that are among the training sequences, and of those similar to some.
    known
        Whether the training sequences of the model are known at all.
    """

    model: str
    records: int
    seen: Sequence[str] = field(default_factory=list)
    similar: Sequence[str] = field(default_factory=list)
    known: bool = True

    def warning(self, what: str) -> str | None:
        """Return a warning in one sentence, or None if nothing was found."""
        if not self.known:
            return f"whether {what} were in the training data of {self.model} is unknown"
        if not self.seen and not self.similar:
            return None
        example = (*self.seen, *self.similar)[0]
        return (
            f"of {self.records} {what}, {len(self.seen)} were in the training data of {self.model} "
            f"and {len(self.similar)} more are similar to it, such as {example}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the counts, as JSON can hold them; None where they are unknown."""
        return {
            "model": self.model,
            "records": self.records,
            "seen": len(self.seen) if self.known else None,
            "similar": len(self.similar) if self.known else None,
        }


def sketch_of(model: str, sequences: Iterable[str], alphabet: Alphabet) -> Sketch:
    """Return the sketch of training sequences; it takes little memory whatever their number.

    Examples
    --------
    >>> from grubio.sequences.alphabet import PROTEIN
    >>> sketch = sketch_of("mine", ["MKTAYIAKQRQISFVKSHFSRQ"], PROTEIN)
    >>> sketch.overlap({"same": "mktayiakqrqisfvkshfsrq", "other": "GLSDGEWQLVLNVW"}, PROTEIN).seen
    ['same']
    """
    hashes: list[int] = []
    length = _LENGTHS[alphabet.name]
    kept, waiting, halvings, pending = np.empty(0, np.uint64), list[Numbers](), 0, 0
    for text in sequences:
        letters = _letters(text, alphabet)
        hashes.append(_hash_of(letters, alphabet))
        waiting.append(_kept(_hashes_of_kmers(letters, alphabet, length), halvings))
        pending += len(waiting[-1])
        if pending > MOST_KMERS:
            kept, halvings = _thinned([kept, *waiting], halvings)
            waiting, pending = [], 0
    kept, halvings = _thinned([kept, *waiting], halvings)
    bits = min(_WORD, halvings + _SPARE_BITS + math.ceil(math.log2(max(len(kept), 2))))
    return Sketch(
        model,
        alphabet.name,
        len(hashes),
        length,
        halvings,
        bits,
        np.unique(np.array(hashes, dtype=np.uint64)),
        np.unique(kept >> np.uint64(_WORD - bits)),
    )


def write_sketches(folder: Path, sketches: Sequence[Sketch]) -> dict[str, Any]:
    """Write the sketches of a model, and return what ``model.json`` says of them.

    Of several of the same sequences, only the first is written.
    """
    parts, listed = list[bytes](), list[dict[str, Any]]()
    for sketch in _distinct(sketches):
        if sketch.sequences is None or sketch.kmers is None:
            listed.append({"model": sketch.model, "known": False})
            continue
        written = [_packed(sketch.sequences), _packed(sketch.kmers)]
        parts += written
        listed.append(
            {
                "model": sketch.model,
                "known": True,
                "alphabet": sketch.alphabet,
                "records": sketch.records,
                "length": sketch.length,
                "halvings": sketch.halvings,
                "bits": sketch.bits,
                "bytes": [len(part) for part in written],
            }
        )
    content = b"".join(parts)
    with written_whole(folder / SKETCH_FILE) as temporary:
        Path(temporary).write_bytes(content)
    return {METADATA_KEY: {"sha256": hashlib.sha256(content).hexdigest(), "models": listed}}


def _distinct(sketches: Sequence[Sketch]) -> Iterable[Sketch]:
    # Models of one name may have learned from other sequences, and those of other names from the
    # same.
    found = dict[bytes | str, Sketch]()
    for one in sketches:
        found.setdefault(one.model if one.sequences is None else one.sequences.tobytes(), one)
    return found.values()


def read_sketches(folder: Path, metadata: Mapping[str, Any], name: str) -> list[Sketch]:
    """Return the sketches of a model, its own first; of an older model, one that is not known.

    Parameters
    ----------
    folder
        Of the model.
    metadata
        Content of its ``model.json``.
    name
        What the model is called now.

    Raises
    ------
    GrubioError
        If the file is missing or damaged.
    """
    described = metadata.get(METADATA_KEY)
    if described is None:
        return [Sketch(name)]
    path = folder / SKETCH_FILE
    try:
        content = path.read_bytes()
    except OSError as error:
        raise GrubioError(error.strerror or str(error), path=path) from error
    found = hashlib.sha256(content).hexdigest()
    if found != described["sha256"]:
        raise GrubioError(
            f"is damaged: SHA-256 {described['sha256']} was expected, {found} was found",
            path=path,
            hint="install or train the model again",
        )
    sketches, at = list[Sketch](), 0
    for number, one in enumerate(described["models"]):
        model = one["model"] if number else name
        if not one["known"]:
            sketches.append(Sketch(model))
            continue
        first, second = one["bytes"]
        numbers = [_unpacked(content[at : at + first]), _unpacked(content[at + first :][:second])]
        at += first + second
        rest = {key: one[key] for key in ("alphabet", "records", "length", "halvings", "bits")}
        sketches.append(Sketch(model, sequences=numbers[0], kmers=numbers[1], **rest))
    return sketches


def _letters(text: str, alphabet: Alphabet) -> npt.NDArray[np.int64]:
    # Index of the standard residue, -1 for what is none; case does not matter.
    return alphabet.letter_of_code[alphabet.lookup(text)]


def _hash_of(letters: npt.NDArray[np.int64], alphabet: Alphabet) -> int:
    strands = [letters]
    if alphabet is DNA:
        strands.append(np.where(letters < 0, letters, 3 - letters)[::-1])
    return min(
        int.from_bytes(hashlib.blake2b(one.astype(np.int8).tobytes(), digest_size=4).digest())
        for one in strands
    )


def _hashes_of_kmers(letters: npt.NDArray[np.int64], alphabet: Alphabet, length: int) -> Numbers:
    base = np.uint64(len(alphabet.letters))
    count = len(letters) - length + 1
    if count <= 0:
        return np.empty(0, np.uint64)
    forward, backward = np.zeros(count, np.uint64), np.zeros(count, np.uint64)
    usable, present = np.ones(count, bool), np.zeros(count, np.uint64)
    for place in range(length):
        column = letters[place : place + count]
        usable &= column >= 0
        code = np.where(column < 0, 0, column).astype(np.uint64)
        present |= np.uint64(1) << code
        forward = forward * base + code
        backward += (base - np.uint64(1) - code) * base ** np.uint64(place)
    usable &= np.bitwise_count(present) >= _LEAST_LETTERS[alphabet.name]
    codes = np.minimum(forward, backward) if alphabet is DNA else forward
    return _mixed(codes[usable])


def _mixed(numbers: Numbers) -> Numbers:
    # SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def _kept(hashes: Numbers, halvings: int) -> Numbers:
    return hashes if not halvings else hashes[hashes >> np.uint64(_WORD - halvings) == 0]


def _thinned(parts: Sequence[Numbers], halvings: int) -> tuple[Numbers, int]:
    # What is kept of hashes, and how often the limit was halved until they were few enough.
    kept = np.unique(_kept(np.concatenate(parts), halvings))
    while len(kept) > MOST_KMERS:
        halvings += 1
        kept = _kept(kept, halvings)
    return kept, halvings


def _contains(numbers: Numbers, one: int) -> bool:
    place = int(np.searchsorted(numbers, np.uint64(one)))
    return place < len(numbers) and int(numbers[place]) == one


def _packed(numbers: Numbers) -> bytes:
    # Differences of sorted numbers in groups of seven bits, the lowest first; the highest bit of a
    # byte says that more follow.
    rest = np.diff(numbers, prepend=np.uint64(0))
    rows = list[npt.NDArray[np.uint8]]()
    while rest.any() or not rows:
        rows.append((rest & np.uint64(127)).astype(np.uint8))
        rest = rest >> np.uint64(7)
    table = np.array(rows).T
    last = np.maximum(table.shape[1] - 1 - (table[:, ::-1] > 0).argmax(axis=1), 0)
    last[~table.any(axis=1)] = 0
    places = np.arange(table.shape[1])
    table |= np.where(places < last[:, None], 128, 0).astype(np.uint8)
    return bytes(table[places <= last[:, None]].tobytes())


def _unpacked(content: bytes) -> Numbers:
    numbers = np.frombuffer(content, dtype=np.uint8)
    ends = np.flatnonzero(numbers < 128)
    starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
    values = np.zeros(len(ends), np.uint64)
    for place in range(int((ends - starts).max(initial=-1)) + 1):
        inside = starts + place <= ends
        group = numbers[starts[inside] + place] & 127
        values[inside] |= group.astype(np.uint64) << np.uint64(7 * place)
    return np.cumsum(values, dtype=np.uint64)
