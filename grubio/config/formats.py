"""The output formats: one table that options, the configuration, writers and the workflow read.

A writer is named, not imported, so that the table can be read before any library is loaded. To add
a format, write its module in :mod:`grubio.writers` and its entry here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from grubio.errors import GrubioError
from grubio.overwriting import refuse_outputs
from grubio.sequences.kind import Kind

COMPRESSED = (".gz", ".bgz", ".xz", ".bz2", ".zst", ".zip")
"""Endings of compressed files, which are not written."""


@dataclass(frozen=True, kw_only=True)
class OutputFormat:
    """A format, and what can be written in it.

    Attributes
    ----------
    endings
        Of file names; the first is the one that is written where grubio chooses the name.
    holds
        What a file holds, in a few words.
    sequences, genome
        Writer for each kind of model, as ``module.name`` within :mod:`grubio.writers`; empty if
        there is none. It is a :class:`grubio.writers.text.TextFormat`, or a function that opens a
        place by itself: see :func:`grubio.writers.open_writer.open_writer`.
    text
        Whether it can be written to standard output.
    folder
        Whether it makes several files, so that the workflow gives it a folder.
    option
        Help of the option of its name that writes it besides other formats; empty if there is none.
    three_states
        Whether it can hold only helix, strand and coil.
    features
        Whether it holds the features that are called on a genome.
    """

    endings: tuple[str, ...]
    holds: str
    sequences: str = ""
    genome: str = ""
    text: bool = True
    folder: bool = False
    option: str = ""
    three_states: bool = False
    features: bool = False

    def writer(self, kind: Kind) -> str:
        """Return the writer for a kind of model, empty if there is none."""
        return {"sequences": self.sequences, "genome": self.genome}[kind]


FORMATS = {
    "tsv": OutputFormat(
        endings=("tsv",),
        holds="a row per residue",
        sequences="tsv.TsvFormat",
        genome="genome_table.GenomeTsvFormat",
    ),
    "parquet": OutputFormat(
        endings=("parquet",),
        holds="a row per residue",
        sequences="parquet.open_table",
        genome="genome_table.open_table",
        text=False,
    ),
    "ss2": OutputFormat(
        endings=("ss2",),
        holds="PSIPRED's vertical format",
        sequences="ss2.Ss2Format",
        three_states=True,
    ),
    "horiz": OutputFormat(
        endings=("horiz",),
        holds="PSIPRED's horizontal format",
        sequences="horiz.HorizFormat",
        three_states=True,
    ),
    "fasta": OutputFormat(
        endings=("fasta", "fa"), holds="labels", sequences="fasta.LabelFastaFormat"
    ),
    "gff3": OutputFormat(
        endings=("gff3", "gff"),
        holds="segments, features of a genome",
        sequences="gff3.Gff3Format",
        genome="genome_gff3.GenomeGff3Format",
        features=True,
    ),
    "json": OutputFormat(
        endings=("json",), holds="all of it", sequences="json_document.JsonFormat"
    ),
    "html": OutputFormat(
        endings=("html", "htm"),
        holds="a page to look at",
        sequences="html.HtmlFormat",
        genome="genome_html.GenomeHtmlFormat",
        option="Also draw the predictions as a page (HTML).",
        features=True,
    ),
    "segments": OutputFormat(
        endings=("segments.tsv", "segments"),
        holds="a row per segment",
        sequences="segment_table.SegmentFormat",
        option="Also write a table of segments to this file (TSV).",
    ),
    "summary": OutputFormat(
        endings=("summary.tsv", "summary"),
        holds="a row per sequence",
        sequences="segment_table.SummaryFormat",
        option="Also write a line per sequence to this file (TSV).",
    ),
    "bed": OutputFormat(
        endings=("bed",), holds="features of a genome", genome="bed.BedFormat", features=True
    ),
    "bedgraph": OutputFormat(
        endings=("bedgraph", "bg"),
        holds="probabilities along a genome",
        genome="tracks.open_bedgraph",
        text=False,
        folder=True,
    ),
    "bigwig": OutputFormat(
        endings=("bw", "bigwig"),
        holds="probabilities along a genome",
        genome="tracks.open_bigwig",
        text=False,
        folder=True,
    ),
    "igv": OutputFormat(
        endings=("igv",),
        holds="a folder that IGV opens",
        genome="igv.open_session",
        text=False,
        folder=True,
        features=True,
    ),
}

if TYPE_CHECKING:
    PredictionFormat: TypeAlias = str
else:
    PredictionFormat = Literal[tuple(FORMATS)]


@dataclass(frozen=True)
class Output:
    """One output: ``-``, a file or a folder, and its format."""

    path: str
    format: PredictionFormat


def formats_of(kind: Kind) -> list[PredictionFormat]:
    """Return the formats that models of a kind can be written in.

    Examples
    --------
    >>> formats_of("genome")
    ['tsv', 'parquet', 'gff3', 'html', 'bed', 'bedgraph', 'bigwig', 'igv']
    """
    return [name for name, known in FORMATS.items() if known.writer(kind)]


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
    endings = [suffix[1:] for suffix in suffixes if suffix not in COMPRESSED]
    if not endings:
        return "tsv"
    known = {ending: name for name, one in FORMATS.items() for ending in one.endings}
    for ending in (".".join(endings[-2:]), endings[-1]):
        if ending in known:
            return known[ending]
    raise GrubioError(
        f"no format has the ending .{endings[-1]}",
        path=path,
        hint=f"end it in one of .{', .'.join(known)}, or choose --format",
    )


def outputs_of(paths: Iterable[str], name: PredictionFormat | None = None) -> list[Output]:
    """Return outputs in one format, or each in that of its ending.

    Raises
    ------
    GrubioError
        If an ending stands for no format.
    """
    return [Output(path, name or format_of(path)) for path in paths]


def require_proper(outputs: Sequence[Output]) -> None:
    """Refuse outputs that would overwrite one another, or be named for what they are not.

    Raises
    ------
    GrubioError
        If two outputs are the same place, or one has the ending of a compressed file.
    """
    refuse_outputs([output.path for output in outputs])
    for output in outputs:
        ending = Path(output.path).suffix
        if ending.lower() in COMPRESSED:
            raise GrubioError(
                "outputs are not compressed",
                path=output.path,
                hint=f"leave out {ending} and compress the file afterwards, "
                "or write Parquet, which is compressed inside",
            )


def described_formats() -> str:
    """Return which models each format is for, in one sentence."""
    groups: dict[str, list[str]] = {}
    for name, known in FORMATS.items():
        if known.three_states:
            models = "secondary structure"
        elif not known.genome:
            models = "sequences"
        else:
            models = "any model" if known.sequences else "genome models"
        groups.setdefault(models, []).append(f"`{name}`" + " (a folder)" * known.folder)
    return "; ".join(f"{', '.join(names)} for {models}" for models, names in groups.items())
