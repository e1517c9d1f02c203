"""The one place that opens the writers of a genome's predictions."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from grubio.config import PredictionFormat
from grubio.errors import GrubioError
from grubio.files import STDIO, written_whole
from grubio.inference.stretches import Stretch
from grubio.sequences.called_feature import CalledFeature
from grubio.sequences.locus import Strand
from grubio.sequences.scheme import LabelScheme
from grubio.writers.bed import BedFormat
from grubio.writers.genome_gff3 import GenomeGff3Format
from grubio.writers.genome_html import GenomeHtmlFormat
from grubio.writers.genome_table import GenomeParquet, GenomeTsvFormat
from grubio.writers.genome_text import GenomeTextFormat
from grubio.writers.igv import open_session
from grubio.writers.tracks import open_tracks

GENOME_FORMATS: tuple[PredictionFormat, ...] = (
    "bed",
    "gff3",
    "bedgraph",
    "bigwig",
    "tsv",
    "parquet",
    "html",
    "igv",
)

GenomeWrite = Callable[[Stretch, Sequence[CalledFeature]], None]
"""Takes every stretch of a contig in order, with the features that became certain with it."""


@contextlib.contextmanager
def open_genome_writer(
    path: str, kind: PredictionFormat, scheme: LabelScheme, strands: tuple[Strand, ...]
) -> Iterator[GenomeWrite]:
    """Give a function that writes the stretches and features of a genome in order.

    ``-`` is standard output; any other path becomes a file once the block has ended well.
    ``bedgraph`` and ``bigwig`` make one file per class and strand; see
    :func:`grubio.writers.tracks.track_paths`. ``igv`` makes a folder; see
    :mod:`grubio.writers.igv`.

    Raises
    ------
    GrubioError
        If the format is not for genomes, does not suit the path, or the place cannot be written.
    """
    if kind not in GENOME_FORMATS:
        raise GrubioError(
            f"format {kind} is not for a model of a genome",
            path=path,
            hint=f"choose one of {', '.join(GENOME_FORMATS)}",
        )
    if path == STDIO and kind in ("parquet", "bedgraph", "bigwig", "igv"):
        raise GrubioError(f"format {kind} needs a file name", hint=f"use --output FILE.{kind}")
    if kind == "bedgraph" or kind == "bigwig":
        with open_tracks(path, kind, scheme, strands) as add:
            yield lambda stretch, features: add(stretch)
        return
    if kind == "igv":
        with open_session(Path(path), scheme, strands) as put:
            yield put
        return
    if path.endswith("/") or Path(path).is_dir():
        raise GrubioError(
            f"is a folder; format {kind} puts all contigs into one file",
            path=path,
            hint="give a file name; bedgraph, bigwig and igv make folders",
        )
    if kind == "parquet":
        with written_whole(path) as temporary, GenomeParquet(temporary, scheme) as parquet:
            yield parquet.write
        return
    style = _text_format(kind, scheme)
    if path == STDIO:
        sys.stdout.write(style.header())
        yield lambda stretch, features: _put(sys.stdout.write, style.text(stretch, features))
        sys.stdout.write(style.footer())
        sys.stdout.flush()
        return
    with (
        written_whole(path) as temporary,
        open(temporary, "w", encoding="utf-8", newline="\n") as out,
    ):
        out.write(style.header())
        yield lambda stretch, features: _put(out.write, style.text(stretch, features))
        out.write(style.footer())


def _text_format(kind: PredictionFormat, scheme: LabelScheme) -> GenomeTextFormat:
    if kind == "bed":
        return BedFormat()
    if kind == "html":
        return GenomeHtmlFormat(scheme)
    return GenomeGff3Format() if kind == "gff3" else GenomeTsvFormat(scheme)


def _put(write: Callable[[str], int], text: str) -> None:
    write(text)
