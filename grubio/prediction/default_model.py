"""The bundled model for an input that comes without one, chosen by its first records."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from grubio.model.zoo import default_model
from grubio.sequences.alphabet import DNA, PROTEIN, looks_like_dna
from grubio.sequences.record import Record

_JUDGED_RECORDS = 5
_JUDGED_RESIDUES = 100_000


def with_model_for(
    records: Iterable[Record], model: Path | None = None
) -> tuple[Path, Iterator[Record]]:
    """Return the folder of a model, the best bundled one if none is given, and all records."""
    following = iter(records)
    if model is not None:
        return model, following
    ahead = deque(_first_few(following))

    def all_of_them() -> Iterator[Record]:
        while ahead:
            yield ahead.popleft()
        yield from following

    return default_model(DNA if _all_dna(ahead) else PROTEIN), all_of_them()


def _first_few(records: Iterable[Record]) -> list[Record]:
    # Of a genome one contig is enough; five chromosomes would have to be held.
    few: list[Record] = []
    held = 0
    for record in records:
        few.append(record)
        held += len(record)
        if len(few) == _JUDGED_RECORDS or held >= _JUDGED_RESIDUES:
            break
    return few


def _all_dna(records: Iterable[Record]) -> bool:
    judged = [looks_like_dna(record.sequence) for record in records if len(record) >= 50]
    return bool(judged) and all(judged)
