"""Writers of predictions, one file per format, and the one place that opens them."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

from grubio.config import PredictionFormat
from grubio.errors import GrubioError
from grubio.files import STDIO, written_whole
from grubio.inference import Prediction
from grubio.scheme import LabelScheme
from grubio.writers.fasta import LabelFastaFormat
from grubio.writers.gff3 import Gff3Format
from grubio.writers.horiz import HorizFormat
from grubio.writers.parquet import ParquetPredictions
from grubio.writers.ss2 import Ss2Format
from grubio.writers.text import TextFormat
from grubio.writers.tsv import TsvFormat

TEXT_FORMATS: dict[PredictionFormat, TextFormat] = {
    "tsv": TsvFormat(),
    "ss2": Ss2Format(),
    "horiz": HorizFormat(),
    "fasta": LabelFastaFormat(),
    "gff3": Gff3Format(),
}

SEQUENCE_FORMATS: tuple[PredictionFormat, ...] = (*TEXT_FORMATS, "parquet")

Write = Callable[[Prediction], None]


def format_of(path: str) -> PredictionFormat:
    """Return the format that a file's ending stands for; TSV if it stands for none.

    Examples
    --------
    >>> format_of("out/a.ss2"), format_of("a.gff"), format_of("-")
    ('ss2', 'gff3', 'tsv')
    >>> format_of("out/a.bw"), format_of("out/a.bigwig/")
    ('bigwig', 'bigwig')
    """
    ending = Path(path).suffix.lower().removeprefix(".")
    known: dict[str, PredictionFormat] = {name: name for name in get_args(PredictionFormat)}
    known |= {"fa": "fasta", "gff": "gff3", "bg": "bedgraph", "bw": "bigwig"}
    return known.get(ending, "tsv")


@contextlib.contextmanager
def open_writer(
    path: str, kind: PredictionFormat, scheme: LabelScheme, *, accessibility: bool = False
) -> Iterator[Write]:
    """Give a function that writes predictions in order.

    ``-`` is standard output; a folder (or a name that ends in ``/``) gets one file per record;
    any other path becomes a file once the block has ended well. ``accessibility`` says whether the
    predictions have it; formats that can hold it then write it.

    Raises
    ------
    GrubioError
        If the place cannot be written or the format cannot hold the scheme.
    """
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
    style = TsvFormat(accessibility=True) if accessibility and kind == "tsv" else TEXT_FORMATS[kind]
    header = style.header(scheme)
    if path == STDIO:
        sys.stdout.write(header)
        yield lambda prediction: style.write(sys.stdout, prediction, scheme)
        sys.stdout.flush()
    elif _is_folder(path):
        yield _file_per_record(Path(path), style, header, scheme)
    else:
        with (
            written_whole(path) as temporary,
            open(temporary, "w", encoding="utf-8", newline="\n") as out,
        ):
            out.write(header)
            yield lambda prediction: style.write(out, prediction, scheme)


def _is_folder(path: str) -> bool:
    return path.endswith("/") or Path(path).is_dir()


def _file_per_record(folder: Path, style: TextFormat, header: str, scheme: LabelScheme) -> Write:
    taken: set[str] = set()

    def write(prediction: Prediction) -> None:
        name = stem = re.sub(r"[^A-Za-z0-9._-]", "_", prediction.record.id).lstrip(".") or "record"
        number = 1
        # Two ids may differ in a character that no file name can hold.
        while name.lower() in taken:
            number += 1
            name = f"{stem}.{number}"
        taken.add(name.lower())
        with (
            written_whole(folder / f"{name}{style.suffix}") as temporary,
            open(temporary, "w", encoding="utf-8", newline="\n") as out,
        ):
            out.write(header)
            style.write(out, prediction, scheme)

    return write
