"""FASTA whose headers carry the labels, as biotrainer and FLIP write it.

``>id SET=train VALIDATION=False TARGET=HHHCC MASK=11100``. ``TARGET`` is required; ``SET`` is
``train``, ``val``, ``valid`` or ``test``; ``VALIDATION=True`` turns ``train`` into ``valid``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from grubio.errors import GrubioError
from grubio.readers.fasta import read_fasta
from grubio.readers.table import SPLIT_NAMES
from grubio.sequences.record import Record

_TAGS = ("SET", "VALIDATION", "TARGET", "MASK")


def read_tagged_fasta(path: str | Path) -> Iterator[Record]:
    """Yield the records of a tagged FASTA file; other words of the header are the description.

    Raises
    ------
    GrubioError
        If ``TARGET`` is missing or ``SET`` is unknown.
    """
    for record in read_fasta(path):
        tags, description = tags_of(record.description)
        if "TARGET" not in tags:
            raise GrubioError("the header has no TARGET=", path=path, record=record.id)
        yield replace(
            record,
            description=description,
            labels=tags["TARGET"],
            mask=tags.get("MASK"),
            split=split_of(tags, path, record.id),
        )


def tags_of(description: str) -> tuple[dict[str, str], str]:
    """Return the tags of a header and its other words.

    Examples
    --------
    >>> tags_of("SET=train kinase VALIDATION=True")
    ({'SET': 'train', 'VALIDATION': 'True'}, 'kinase')
    """
    tags, words = {}, []
    for word in description.split():
        key, equals, value = word.partition("=")
        if equals and key in _TAGS:
            tags[key] = value
        else:
            words.append(word)
    return tags, " ".join(words)


def split_of(tags: Mapping[str, str], path: str | Path, name: str) -> str | None:
    """Return the split that the tags of a record name, or None.

    Raises
    ------
    GrubioError
        If ``SET`` is unknown.
    """
    split = tags.get("SET")
    if split is None:
        return None
    if split not in SPLIT_NAMES:
        raise GrubioError(f"SET={split}; train, val or test was expected", path=path, record=name)
    if split == "train" and tags.get("VALIDATION") == "True":
        return "valid"
    return SPLIT_NAMES[split]
