"""Readers, one file per input format; each yields records in the order of its file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from grubio.config import PrepareSettings
from grubio.errors import GrubioError
from grubio.sequences.record import Record


def read_labelled(
    files: Sequence[str | Path],
    settings: PrepareSettings,
    *,
    labels: Path | None = None,
    masks: Path | None = None,
) -> Iterator[Record]:
    """Yield the labelled records of all files in the format that the settings name.

    Raises
    ------
    GrubioError
        If a file is at fault, or an id comes in two files.
    """
    from grubio.readers.dssp import read_dssp
    from grubio.readers.labelled_fasta import read_labelled_fasta
    from grubio.readers.structure import read_structure
    from grubio.readers.table import read_table
    from grubio.readers.tagged_fasta import read_tagged_fasta

    if settings.format == "fasta":
        if labels is None:
            raise GrubioError(
                "format fasta needs labels in a second file",
                hint="give --labels FASTA, or say which --format has them inside",
            )
        if len(files) != 1:
            raise GrubioError("format fasta takes one file of sequences")
        yield from read_labelled_fasta(files[0], labels, masks)
        return
    if labels is not None or masks is not None:
        raise GrubioError(f"format {settings.format} takes no --labels and no --masks")
    read: dict[str, Callable[[str | Path], Iterator[Record]]] = {
        "tagged": read_tagged_fasta,
        "tsv": partial(read_table, columns=[c for c in settings.columns.split(",") if c]),
        "dssp": read_dssp,
        "structure": read_structure,
    }
    file_of: dict[str, str | Path] = {}
    for path in files:
        for record in read[settings.format](path):
            if file_of.setdefault(record.id, path) is not path:
                raise GrubioError(
                    f"the id is in {file_of[record.id]} as well", path=path, record=record.id
                )
            yield record
