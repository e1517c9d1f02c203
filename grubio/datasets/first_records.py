"""The first records of an input, by which its kind is told before anything is made of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from grubio.errors import GrubioError
from grubio.sequences.alphabet import Alphabet, likelier_alphabet
from grubio.sequences.record import Record

_JUDGED_RECORDS = 1000
_JUDGED_RESIDUES = 100_000


def first_records(records: Iterable[Record]) -> tuple[Collection[Record], Iterator[Record]]:
    """Return the first few records, and an iterator over all of them that lets go of each.

    Of a genome it is one contig: a few chromosomes would have to be held.
    """
    following = iter(records)
    few: deque[Record] = deque()
    held = 0
    for record in following:
        few.append(record)
        held += len(record)
        if len(few) == _JUDGED_RECORDS or held >= _JUDGED_RESIDUES:
            break

    def every() -> Iterator[Record]:
        while few:
            yield few.popleft()
        yield from following

    return few, every()


def require_alphabet(
    few: Iterable[Record], alphabet: Alphabet, hint: str, path: str | Path | None = None
) -> None:
    """Refuse records that are certainly of another alphabet.

    Raises
    ------
    GrubioError
        With the hint.
    """
    guess = likelier_alphabet(record.sequence for record in few)
    if guess.certain and guess.alphabet is not alphabet:
        found, expected = guess.alphabet.title, alphabet.title
        raise GrubioError(f"looks like {found}, but {expected} was expected", path=path, hint=hint)
