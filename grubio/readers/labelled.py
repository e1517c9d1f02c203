"""Labelled records in any format that ``prepare`` reads."""

from __future__ import annotations

import pkgutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from grubio.config import PrepareSettings, TargetSettings
from grubio.config.input_formats import INPUT_FORMATS
from grubio.errors import GrubioError
from grubio.readers.fasta import read_fasta
from grubio.readers.targets import with_own_answers
from grubio.sequences.record import Record
from grubio.sequences.scheme import NO_CLASSES


def read_labelled(
    files: Sequence[str | Path],
    settings: PrepareSettings,
    refuse: Callable[[GrubioError], None],
    left_out: Counter[str],
    *,
    labels: Path | None = None,
    masks: Path | None = None,
    targets: Sequence[TargetSettings] = (),
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
    targets
        What else is known of the residues, of which those without a file are read from the records.

    Raises
    ------
    GrubioError
        If another file is at fault, an answer is not as expected, or an id comes in two files.
    """
    own = [target for target in targets if target.file is None]
    answers = {target.name: target.target().heading for target in own}
    if answers and settings.format not in ("tsv", "parquet", "tagged"):
        raise GrubioError(
            f"format {settings.format} has no column '{next(iter(answers.values()))}'",
            hint="give the target a file of its own: --target NAME=SCHEME@FILE",
        )
    if settings.format == "fasta":
        yield from _of_fasta(files, settings, left_out, labels, masks)
        return
    if labels is not None or masks is not None:
        raise GrubioError(f"format {settings.format} takes no --labels and no --masks")
    known = INPUT_FORMATS[settings.format]
    arguments: dict[str, object] = {"left_out": left_out} if known.counts else {}
    if settings.format in ("tsv", "parquet", "tagged"):
        arguments |= {"scheme": settings.scheme.partition("=")[0], "answers": answers}
    if settings.format == "tsv":
        arguments["columns"] = [c for c in settings.columns.split(",") if c]
    if settings.format == "structure":
        from grubio.readers.structure import mkdssp_program

        # Asked once, or each structure would be refused for the same reason.
        mkdssp_program(files[0])
    read = pkgutil.resolve_name(f"grubio.readers.{known.reader}")
    file_of: dict[str, str | Path] = {}
    for path in files:
        records = read(path, **arguments)
        records = _whole(records, refuse) if known.many_files else records
        for record in _of_one_file(records, path, file_of):
            yield with_own_answers(record, own, path)


def _of_fasta(
    files: Sequence[str | Path],
    settings: PrepareSettings,
    left_out: Counter[str],
    labels: Path | None,
    masks: Path | None,
) -> Iterator[Record]:
    if settings.label_scheme is NO_CLASSES and labels is None and masks is None:
        file_of: dict[str, str | Path] = {}
        for path in files:
            yield from _of_one_file(read_fasta(path), path, file_of)
        return
    if labels is None:
        raise GrubioError(
            "format fasta needs labels in a second file",
            hint="give --labels FASTA, or say which --format has them inside",
        )
    if len(files) != 1:
        raise GrubioError("format fasta takes one file of sequences")
    from grubio.readers.labelled_fasta import read_labelled_fasta

    yield from read_labelled_fasta(files[0], labels, masks, left_out)


def _of_one_file(
    records: Iterable[Record], path: str | Path, file_of: dict[str, str | Path]
) -> Iterator[Record]:
    for record in records:
        if file_of.setdefault(record.id, path) is not path:
            problem = f"the id is in {file_of[record.id]} as well"
            raise GrubioError(problem, path=path, record=record.id)
        yield record


def _whole(records: Iterator[Record], refuse: Callable[[GrubioError], None]) -> list[Record]:
    try:
        return list(records)
    except GrubioError as error:
        refuse(error)
        return []
