"""FASTA whose headers carry the labels, as biotrainer and FLIP write it.

``>id SET=train VALIDATION=False TARGET=HHHCC MASK=11100``. ``TARGET`` is required; ``SET`` is
``train``, ``val``, ``valid`` or ``test``; ``VALIDATION=True``, in any case, turns ``train`` into
``valid``.
Records of other sets, such as biotrainer's ``pred`` and ``test2``, are left out and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from grubio.errors import GrubioError
from grubio.readers.fasta import read_fasta
from grubio.readers.table import SPLIT_NAMES
from grubio.sequences.record import Record
from grubio.sequences.scheme import NO_CLASSES

_TAGS = ("SET", "VALIDATION", "TARGET", "MASK")


def read_tagged_fasta(
    path: str | Path,
    left_out: Counter[str] | None = None,
    scheme: str = "",
    answers: Mapping[str, str] | None = None,
) -> Iterator[Record]:
    """Yield the records of a tagged FASTA file; other words of the header are the description.

    Parameters
    ----------
    path
        The file, plain or compressed.
    left_out
        Counts the records of each other set.
    scheme
        With ``none`` the records have no labels, and ``TARGET`` holds the answers for the first
        target.
    answers
        Tags of additional targets, by target, in any case; their text becomes the answers as it is.

    Raises
    ------
    GrubioError
        If ``TARGET`` is missing, or ``VALIDATION`` is neither true nor false.
    """
    left_out = Counter() if left_out is None else left_out
    additional = {target: tag.upper() for target, tag in (answers or {}).items()}
    unlabelled = scheme == NO_CLASSES.name
    for record in read_fasta(path):
        tags, description = tags_of(record.description, additional.values())
        if is_of_other_set(tags, left_out):
            continue
        found = {name: tags[tag] for name, tag in additional.items() if tag in tags}
        if unlabelled and additional and "TARGET" in tags:
            found = {next(iter(additional)): tags["TARGET"], **found}
        if "TARGET" not in tags and not (unlabelled and found):
            raise GrubioError("the header has no TARGET=", path=path, record=record.id)
        yield replace(
            record,
            description=description,
            labels=None if unlabelled else tags["TARGET"],
            mask=tags.get("MASK"),
            split=split_of(tags, path, record.id),
            answers=found,
        )


def tags_of(description: str, further: Iterable[str] = ()) -> tuple[dict[str, str], str]:
    """Return the tags of a header, also ``further`` ones in any case, and its other words.

    Examples
    --------
    >>> tags_of("SET=train kinase VALIDATION=True")
    ({'SET': 'train', 'VALIDATION': 'True'}, 'kinase')
    """
    tags, words, further = {}, [], set(further)
    for word in description.split():
        key, equals, value = word.partition("=")
        if equals and key in _TAGS:
            tags[key] = value
        elif equals and key.upper() in further:
            tags[key.upper()] = value
        else:
            words.append(word)
    return tags, " ".join(words)


def is_of_other_set(tags: Mapping[str, str], left_out: Counter[str]) -> bool:
    """Return whether ``SET`` is neither train, valid nor test, and count the record if so."""
    if tags.get("SET", "train") in SPLIT_NAMES:
        return False
    left_out[f"records of set '{tags['SET']}'"] += 1
    return True


def split_of(tags: Mapping[str, str], path: str | Path, record: str) -> str | None:
    """Return the split that the tags of a record name, or None.

    Raises
    ------
    GrubioError
        If ``VALIDATION`` is neither true nor false.
    """
    split, validation = tags.get("SET"), tags.get("VALIDATION", "False")
    if validation.lower() not in ("true", "false"):
        raise GrubioError(
            f"VALIDATION={validation[:40]}; True or False was expected", path=path, record=record
        )
    if split == "train" and validation.lower() == "true":
        return "valid"
    return None if split is None else SPLIT_NAMES[split]
