"""Labelled records in any format that ``prepare`` reads."""

from __future__ import annotations

import pkgutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from grubio.config import PrepareSettings
from grubio.config.input_formats import INPUT_FORMATS
from grubio.errors import GrubioError
from grubio.sequences.record import Record


def read_labelled(
    files: Sequence[str | Path],
    settings: PrepareSettings,
    refuse: Callable[[GrubioError], None],
    left_out: Counter[str],
    *,
    labels: Path | None = None,
    masks: Path | None = None,
    answers: Mapping[str, str] | None = None,
) -> Iterator[Record]:
    """Yield the labelled records of all files in the format that the settings name.

    Parameters
    ----------
    files
        Files of records; of structures and DSSP output there may be many.
    settings
        Format, scheme, and columns.
    refuse
        Called with the error of a structure or a file of DSSP output; raises it, or the file is
        skipped.
    left_out
        Counts what is left out without an error, by what it is.
    labels, masks
        FASTA of labels and of masks, for format ``fasta``.
    answers
        Columns of a table, by additional target, whose cells become the answers of records.

    Raises
    ------
    GrubioError
        If another file is at fault, or an id comes in two files.
    """
    if answers and settings.format != "tsv":
        raise GrubioError(
            f"format {settings.format} has no column '{next(iter(answers.values()))}'",
            hint="give the target a file of its own: --target NAME=SCHEME@FILE",
        )
    if settings.format == "fasta":
        if labels is None:
            raise GrubioError(
                "format fasta needs labels in a second file",
                hint="give --labels FASTA, or say which --format has them inside",
            )
        if len(files) != 1:
            raise GrubioError("format fasta takes one file of sequences")
        from grubio.readers.labelled_fasta import read_labelled_fasta

        yield from read_labelled_fasta(files[0], labels, masks, left_out)
        return
    if labels is not None or masks is not None:
        raise GrubioError(f"format {settings.format} takes no --labels and no --masks")
    known = INPUT_FORMATS[settings.format]
    arguments: dict[str, object] = {"left_out": left_out} if known.counts else {}
    if settings.format == "tsv":
        arguments = {
            "columns": [c for c in settings.columns.split(",") if c],
            "scheme": settings.scheme.partition("=")[0],
            "answers": answers,
        }
    if settings.format == "structure":
        from grubio.readers.structure import mkdssp_program

        # Asked once, or each structure would be refused for the same reason.
        mkdssp_program(files[0])
    read = pkgutil.resolve_name(f"grubio.readers.{known.reader}")
    file_of: dict[str, str | Path] = {}
    for path in files:
        records = read(path, **arguments)
        for record in _whole(records, refuse) if known.many_files else records:
            if file_of.setdefault(record.id, path) is not path:
                raise GrubioError(
                    f"the id is in {file_of[record.id]} as well", path=path, record=record.id
                )
            yield record


def _whole(records: Iterator[Record], refuse: Callable[[GrubioError], None]) -> list[Record]:
    try:
        return list(records)
    except GrubioError as error:
        refuse(error)
        return []
