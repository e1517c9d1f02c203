"""FASTA of sequences with a second FASTA of labels and, optionally, a third of masks.

Records are matched by id, in any order. Labels are one letter per residue, ``?`` where unknown;
masks are ``1`` where a residue counts and ``0`` where it does not. Headers of the labels may name
the split as in :mod:`grubio.readers.tagged_fasta`: ``SET=train VALIDATION=False``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from grubio.errors import GrubioError
from grubio.readers.fasta import read_fasta
from grubio.readers.tagged_fasta import is_of_other_set, split_of, tags_of
from grubio.sequences.record import Record


def read_labelled_fasta(
    sequences: str | Path,
    labels: str | Path,
    masks: str | Path | None = None,
    left_out: Counter[str] | None = None,
) -> Iterator[Record]:
    """Yield the records of a FASTA file with their labels and masks.

    Parameters
    ----------
    sequences, labels, masks
        The files, plain or compressed.
    left_out
        Counts the records of each other set.

    Raises
    ------
    GrubioError
        If an id is in one file and not in another.
    """
    left_out = Counter() if left_out is None else left_out
    label_of, tags_by_id = {}, {}
    for record in read_fasta(labels):
        label_of[record.id] = record.sequence
        tags_by_id[record.id] = tags_of(record.description)[0]
    mask_of = None if masks is None else {r.id: r.sequence for r in read_fasta(masks)}
    seen = set()
    for record in read_fasta(sequences):
        seen.add(record.id)
        found = replace(
            record,
            labels=_found(label_of, record.id, labels, "labels"),
            mask=_found(mask_of, record.id, masks, "mask") if masks and mask_of else None,
        )
        tags = tags_by_id[record.id]
        if not is_of_other_set(tags, left_out):
            yield replace(found, split=split_of(tags, labels, record.id))
    for texts, path in ((label_of, labels), (mask_of or {}, masks)):
        extra = [name for name in texts if name not in seen]
        if extra:
            raise GrubioError(
                f"has {len(extra)} ids that are not among the sequences, as '{extra[0]}'",
                path=path,
                hint="the files must hold the same ids",
            )


def _found(texts: dict[str, str], name: str, path: str | Path, what: str) -> str:
    if name not in texts:
        raise GrubioError(f"there is no {what} for this record", path=path, record=name)
    return texts[name]
