"""Records from what people hold in Python: text, Biopython's classes, mappings, tables, pairs.

Libraries are known by the modules of their classes, so that none of them is imported.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from grubio.config.sources import is_remote
from grubio.errors import GrubioError
from grubio.fetching.local import local_path, require_known
from grubio.readers.fasta import read_fasta
from grubio.sequences.record import Record

_TAKEN = (
    "give text, a Seq, a SeqRecord, a path, an accession, a mapping from id to sequence, a pandas "
    "Series, a table with the columns id and sequence, or a list or generator of sequences or of "
    "pairs (id, sequence)"
)
_LIKE_A_PATH = re.compile(
    r"[/\\]|\.(fa|fas|fasta|faa|fna|ffn|frn|seq|txt|gz|xz|bz2|zst|lz4)$", re.IGNORECASE
)
_NO_ID = "<unknown id>"


def read_objects(given: Any) -> tuple[bool, Iterator[Record]]:
    """Return whether one sequence was given, and the records.

    Raises
    ------
    GrubioError
        If it is nothing that stands for sequences, an id comes twice, or as
        :func:`grubio.readers.fasta.read_fasta`.
    """
    if isinstance(given, str) and is_remote(given):
        return False, read_fasta(local_path(given))
    if isinstance(given, os.PathLike) or (isinstance(given, str) and _is_path(given)):
        return False, read_fasta(Path(given))
    if _is_one(given):
        return True, iter([_record(given, "sequence")])
    return False, _with_own_ids(_many(given))


def _is_path(text: str) -> bool:
    # Path.is_file raises an error for a name that is too long.
    if text.isprintable() and os.path.isfile(text):  # noqa: PTH113
        return True
    require_known(text)
    if _LIKE_A_PATH.search(text):
        raise GrubioError(
            f"'{text[:200]}' looks like a path, but there is no such file; read as a sequence, it "
            "has characters that are no residues",
            hint="correct the path, or give the letters of the sequence alone",
        )
    return False


def _is_one(given: Any) -> bool:
    if isinstance(given, str | Record) or _comes_from(given, "Bio.Seq"):
        return True
    # A table has its columns as attributes.
    return hasattr(given, "seq") and not _comes_from(given, "pandas")


def _comes_from(given: Any, module: str) -> bool:
    return any(f"{kind.__module__}.".startswith(f"{module}.") for kind in type(given).__mro__)


def _many(given: Any) -> Iterator[Record]:
    pairs = _pairs(given)
    if pairs is None:
        if not isinstance(given, Iterable) or isinstance(given, bytes) or hasattr(given, "read"):
            raise GrubioError(f"a {type(given).__name__} is no sequence", hint=_TAKEN)
        items = list(given)
        if len(items) > 1 and all(isinstance(item, str) and len(item) == 1 for item in items):
            raise GrubioError(
                f"{len(items)} single letters are no sequences", hint="give one sequence as text"
            )
        pairs = (_pair(item, f"sequence_{i}") for i, item in enumerate(items, start=1))
    for name, item in pairs:
        yield _record(item, str(name), named=True)


def _pairs(given: Any) -> Iterable[tuple[Any, Any]] | None:
    # Ids and sequences of what has both; None for anything else.
    if isinstance(given, Mapping):
        return given.items()
    if not (_comes_from(given, "pandas") or _comes_from(given, "polars")):
        return None
    if hasattr(given, "columns"):
        names = [str(name) for name in given.columns]
        if not {"id", "sequence"} <= set(names):
            raise GrubioError(
                f"the table has the columns {', '.join(names)}; id and sequence were expected",
                hint="rename its columns",
            )
        return zip(given["id"], given["sequence"], strict=True)
    return given.items() if hasattr(given, "index") and hasattr(given, "items") else None


def _pair(item: Any, name: str) -> tuple[str, Any]:
    if isinstance(item, tuple | list) and len(item) == 2:
        return str(item[0]), item[1]
    own = getattr(item, "id", None) if hasattr(item, "seq") or isinstance(item, Record) else None
    return name if own in (None, _NO_ID) else str(own), item


def _record(given: Any, name: str, *, named: bool = False) -> Record:
    if not _is_one(given):
        raise GrubioError(f"a {type(given).__name__} is no sequence", record=name, hint=_TAKEN)
    if not named:
        name, _ = _pair(given, name)
    text = given.sequence if isinstance(given, Record) else getattr(given, "seq", given)
    try:
        return Record(name, "", "".join(str(text if text is not None else "").split()))
    except ValueError as error:
        # Biopython knows the length alone of some sequences.
        raise GrubioError(f"has no letters: {error}", record=name) from error


def _with_own_ids(records: Iterable[Record]) -> Iterator[Record]:
    numbers: dict[str, int] = {}
    for number, record in enumerate(records, start=1):
        first = numbers.setdefault(record.id, number)
        if first != number:
            raise GrubioError(
                f"the id comes twice, as records {first} and {number}",
                record=record.id,
                hint="give every record an id of its own",
            )
        yield record
