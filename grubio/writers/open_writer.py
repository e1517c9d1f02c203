"""Writers of predictions, one file per format, and the one place that opens them."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

from grubio.config import CallSettings, PredictionFormat
from grubio.errors import GrubioError
from grubio.files import STDIO, written_folder, written_whole
from grubio.inference.labelled_sequence import LabelledSequence, labelled
from grubio.inference.predictor import Prediction
from grubio.sequences.scheme import LabelScheme
from grubio.writers.fasta import LabelFastaFormat
from grubio.writers.gff3 import Gff3Format
from grubio.writers.horiz import HorizFormat
from grubio.writers.html import HtmlFormat
from grubio.writers.json_document import JsonFormat
from grubio.writers.parquet import ParquetPredictions
from grubio.writers.segment_table import SegmentFormat, SummaryFormat
from grubio.writers.ss2 import Ss2Format
from grubio.writers.text import TextFormat
from grubio.writers.tsv import TsvFormat

TEXT_FORMATS: dict[PredictionFormat, Callable[[], TextFormat]] = {
    "tsv": TsvFormat,
    "ss2": Ss2Format,
    "horiz": HorizFormat,
    "fasta": LabelFastaFormat,
    "gff3": Gff3Format,
    "json": JsonFormat,
    "html": HtmlFormat,
    "segments": SegmentFormat,
    "summary": SummaryFormat,
}

SEQUENCE_FORMATS: tuple[PredictionFormat, ...] = (*TEXT_FORMATS, "parquet")

COMPRESSED = (".gz", ".bgz", ".xz", ".bz2", ".zst", ".zip")
"""Endings of compressed files, which are not written."""

# File systems hold names of 255 bytes; a number, an ending and a temporary part come behind.
_LONGEST_STEM = 180

Write = Callable[[Prediction], None]


def format_of(path: str) -> PredictionFormat:
    """Return the format that a file's ending stands for; TSV for a name without an ending.

    Raises
    ------
    GrubioError
        If the ending stands for no format.

    Examples
    --------
    >>> format_of("out/a.ss2"), format_of("a.gff"), format_of("-")
    ('ss2', 'gff3', 'tsv')
    >>> format_of("out/a.bw"), format_of("out/a.bigwig/")
    ('bigwig', 'bigwig')
    >>> format_of("a.segments.tsv"), format_of("a.summary")
    ('segments', 'summary')
    """
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    endings = [suffix[1:] for suffix in suffixes if suffix not in COMPRESSED][-2:]
    if endings[-1:] == ["tsv"] and endings[0] in ("segments", "summary"):
        endings.pop()
    if not endings:
        return "tsv"
    known: dict[str, PredictionFormat] = {name: name for name in get_args(PredictionFormat)}
    known |= {"fa": "fasta", "gff": "gff3", "bg": "bedgraph", "bw": "bigwig", "htm": "html"}
    if endings[-1] not in known:
        raise GrubioError(
            f"no format has the ending .{endings[-1]}",
            path=path,
            hint=f"end it in one of .{', .'.join(known)}, or choose --format",
        )
    return known[endings[-1]]


@contextlib.contextmanager
def open_writer(
    path: str,
    kind: PredictionFormat,
    scheme: LabelScheme,
    *,
    accessibility: bool = False,
    calls: CallSettings | None = None,
) -> Iterator[Write]:
    """Give a function that writes predictions in order.

    ``-`` is standard output; a folder (or a name that ends in ``/``) gets one file per record;
    any other path becomes a file once the block has ended well.

    Parameters
    ----------
    path
        Where to write.
    kind
        Format.
    scheme
        Classes to write.
    accessibility
        Whether the predictions have it; formats that can hold it then write it.
    calls
        What counts as a label and as a segment; the schema's defaults if left out.

    Raises
    ------
    GrubioError
        If the place cannot be written or the format cannot hold the scheme.
    """
    with open_sequence_writer(path, kind, scheme, accessibility=accessibility) as write:
        yield lambda prediction: write(labelled(prediction, scheme, calls))


@contextlib.contextmanager
def open_sequence_writer(
    path: str, kind: PredictionFormat, scheme: LabelScheme, *, accessibility: bool = False
) -> Iterator[Callable[[LabelledSequence], None]]:
    """Give a function that writes labelled sequences in order; see :func:`open_writer`."""
    if kind != "parquet" and kind not in TEXT_FORMATS:
        raise GrubioError(
            f"format {kind} is for models of a genome",
            path=path,
            hint=f"choose one of {', '.join(SEQUENCE_FORMATS)}",
        )
    if kind == "parquet":
        if path == STDIO or _is_folder(path):
            raise GrubioError("format parquet needs a file name", hint="use --output FILE.parquet")
        with (
            written_whole(path) as temporary,
            ParquetPredictions(temporary, scheme, accessibility=accessibility) as parquet,
        ):
            yield parquet.write
        return
    style = TsvFormat(accessibility=accessibility) if kind == "tsv" else TEXT_FORMATS[kind]()
    header = style.header(scheme)
    if path == STDIO:
        sys.stdout.write(header)
        yield lambda sequence: style.write(sys.stdout, sequence)
        sys.stdout.write(style.footer())
        sys.stdout.flush()
    elif _is_folder(path):
        with written_folder(path) as folder:
            yield _file_per_record(folder, style)
    else:
        with (
            written_whole(path) as temporary,
            open(temporary, "w", encoding="utf-8", newline="\n") as out,
        ):
            out.write(header)
            yield lambda sequence: style.write(out, sequence)
            out.write(style.footer())


def _is_folder(path: str) -> bool:
    return path.endswith("/") or Path(path).is_dir()


def _file_per_record(folder: Path, style: TextFormat) -> Callable[[LabelledSequence], None]:
    taken: set[str] = set()

    def write(sequence: LabelledSequence) -> None:
        stem = re.sub(r"[^A-Za-z0-9._-]", "_", sequence.id).lstrip(".") or "record"
        name = stem = stem[:_LONGEST_STEM]
        number = 1
        # Two ids may differ in what no file name can hold.
        while name.lower() in taken:
            number += 1
            name = f"{stem}.{number}"
        taken.add(name.lower())
        path = folder / f"{name}{style.suffix}"
        with open(path, "w", encoding="utf-8", newline="\n") as out:
            out.write(style.header(sequence.scheme))
            style.write(out, sequence)
            out.write(style.footer())

    return write
