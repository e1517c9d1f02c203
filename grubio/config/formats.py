"""The output formats: the table that options, the configuration, writers and the workflow read.

Writers are named, not imported, so that reading the table loads no library. To add a format, write
its module in :mod:`grubio.writers` and its entry here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from grubio.errors import GrubioError
from grubio.extras import require
from grubio.overwriting import refuse_outputs
from grubio.sequences.kind import Kind
from grubio.sequences.scheme import SS3, LabelScheme
from grubio.sequences.topology import roles_of

COMPRESSED = (".gz", ".bgz", ".xz", ".bz2", ".zst", ".zip")
"""Endings of compressed files, which grubio does not write."""


@dataclass(frozen=True)
class OutputFormat:
    """A format, and what can be written in it.

    Attributes
    ----------
    endings
        Of file names; the first is the one that grubio writes where it chooses the name.
    holds
        What a file holds, in a few words.
    sequences, genome
        Writer for each kind of model, as ``module.name`` within :mod:`grubio.writers`; empty if
        there is none. It is a :class:`grubio.writers.text.TextFormat`, or a function that opens an
        output itself: see :func:`grubio.writers.open_writer.open_writer`.
    text
        Whether it can be written to standard output.
    folder
        Whether it is several files, for which the workflow makes a folder.
    option
        Help text of an option of the same name that writes it besides other formats; empty if there
        is none.
    three_states
        Whether it can hold only helix, strand and coil.
    topology
        Whether it can hold only membrane topology.
    classes
        Whether it can hold labels only, and no values.
    regions
        Whether it can hold regions of values, without labels.
    features
        Whether it holds the features called on a genome.
    extra
        Which extra of the installation writes it; empty if none is needed.
    """

    endings: tuple[str, ...]
    holds: str
    sequences: str = ""
    genome: str = ""
    _: KW_ONLY
    text: bool = True
    folder: bool = False
    option: str = ""
    three_states: bool = False
    topology: bool = False
    classes: bool = False
    regions: bool = False
    features: bool = False
    extra: str = ""

    @property
    def labels_alone(self) -> bool:
        """Whether it can hold no values."""
        return self.classes or self.three_states

    def writer(self, kind: Kind) -> str:
        """Return the writer for a kind of model, empty if there is none."""
        return self.genome if kind == "genome" else self.sequences


_TRACK = partial(
    OutputFormat, holds="probabilities and values along a genome", text=False, folder=True
)

FORMATS = {
    "tsv": OutputFormat(
        ("tsv",), "a row per residue", "tsv.TsvFormat", "genome_table.GenomeTsvFormat"
    ),
    "parquet": OutputFormat(
        ("parquet",),
        "a row per residue",
        "parquet.open_table",
        "genome_table.open_table",
        text=False,
        extra="parquet",
    ),
    "ss2": OutputFormat(("ss2",), "PSIPRED's vertical format", "ss2.Ss2Format", three_states=True),
    "horiz": OutputFormat(
        ("horiz",), "PSIPRED's horizontal format", "horiz.HorizFormat", three_states=True
    ),
    "fasta": OutputFormat(("fasta", "fa"), "labels", "fasta.LabelFastaFormat", classes=True),
    "3line": OutputFormat(
        ("3line",),
        "membrane topology",
        "three_line.ThreeLineFormat",
        classes=True,
        topology=True,
    ),
    "gff3": OutputFormat(
        ("gff3", "gff"),
        "segments, features of a genome",
        "gff3.Gff3Format",
        "gff3.GenomeGff3Format",
        classes=True,
        regions=True,
        features=True,
    ),
    "json": OutputFormat(("json",), "all of it", "json_document.JsonFormat"),
    "html": OutputFormat(
        ("html", "htm"),
        "a page to look at",
        "html.HtmlFormat",
        "html.GenomeHtmlFormat",
        option="Also draw the predictions as a page (HTML).",
        features=True,
    ),
    "segments": OutputFormat(
        ("segments.tsv", "segments"),
        "a row per segment",
        "segment_table.SegmentFormat",
        classes=True,
        regions=True,
        option="Also write a table of segments to this file (TSV).",
    ),
    "summary": OutputFormat(
        ("summary.tsv", "summary"),
        "a row per sequence",
        "segment_table.SummaryFormat",
        classes=True,
        regions=True,
        option="Also write a line per sequence to this file (TSV).",
    ),
    "bed": OutputFormat(("bed",), "features of a genome", genome="bed.BedFormat", features=True),
    "proteins": OutputFormat(
        ("faa", "proteins"),
        "proteins of called genes",
        genome="proteins.ProteinFormat",
        option="Also write the proteins of called genes (FASTA), for a model of genes.",
        features=True,
    ),
    "bedgraph": _TRACK(("bedgraph", "bg"), genome="tracks.open_bedgraph"),
    "bigwig": _TRACK(("bw", "bigwig"), genome="tracks.open_bigwig"),
    "igv": OutputFormat(
        ("igv",),
        "a folder that IGV opens",
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
    ['tsv', 'parquet', 'gff3', 'html', 'bed', 'proteins', 'bedgraph', 'bigwig', 'igv']
    """
    return [name for name, known in FORMATS.items() if known.writer(kind)]


def unfit(
    name: PredictionFormat, kind: Kind, schemes: Sequence[LabelScheme], further: bool
) -> tuple[str, str] | None:
    """Return why a format cannot hold what a model predicts, and a way out; None if it can.

    Parameters
    ----------
    name, kind
        The format, and the kind of model.
    schemes
        The classes that are written of the labels (no class where the model predicts values), then
        those of further targets.
    further
        Whether stretches of values are called, or further targets have labels.
    """
    known, scheme, genome = FORMATS[name], schemes[0], kind == "genome"
    if not known.writer(kind):
        return (
            f"format {name} is {'not ' if genome else ''}for genome models",
            f"choose one of {', '.join(formats_of(kind))}",
        )
    if not scheme.size and _needs_labels(name, kind, further):
        fitting = [one for one in formats_of(kind) if not _needs_labels(one, kind, further)]
        return (
            f"format {name} holds labels, and the model predicts values",
            f"choose one of {', '.join(fitting)}",
        )
    if known.three_states and scheme.name != SS3.name:
        return (
            f"format {name} holds helix, strand and coil; it cannot hold {scheme.name}",
            "use --scheme ss3 with a model of secondary structure, or --format tsv",
        )
    if known.topology and not any(map(roles_of, schemes)):
        return (
            f"format {name} holds membrane topology; {scheme.name} is none",
            "use a model of topology, such as protein-topology",
        )
    return None


def _needs_labels(name: PredictionFormat, kind: Kind, further: bool) -> bool:
    known = FORMATS[name]
    if kind == "genome" and known.features:
        return True
    return known.labels_alone and not (known.regions and further)


def format_of(path: str) -> PredictionFormat:
    """Return the format for the ending of a file name; TSV for a name without an ending.

    Raises
    ------
    GrubioError
        If no format has the ending.

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
    """Return outputs, all in the format given or each in that of its ending.

    Raises
    ------
    GrubioError
        If no format has the ending of a path.
    """
    return [Output(path, name or format_of(path)) for path in paths]


def require_proper(outputs: Sequence[Output]) -> None:
    """Refuse outputs that would overwrite one another or cannot be written.

    Raises
    ------
    GrubioError
        If two outputs are the same path, one has the ending of a compressed file, or the extra for
        a format is not installed.
    """
    refuse_outputs([output.path for output in outputs])
    for output in outputs:
        if extra := FORMATS[output.format].extra:
            require(extra, f"format {output.format}")
        ending = Path(output.path).suffix
        if ending.lower() in COMPRESSED:
            raise GrubioError(
                "outputs are not compressed",
                path=output.path,
                hint=f"leave out {ending} and compress the file afterwards, "
                "or write Parquet, which is compressed inside",
            )


def described_formats() -> str:
    """Return, in one sentence, the models that each format is for."""
    groups: dict[str, list[str]] = {}
    for name, known in FORMATS.items():
        if known.three_states:
            models = "secondary structure"
        elif known.topology:
            models = "membrane topology"
        elif not known.genome:
            models = "sequences"
        else:
            models = "any model" if known.sequences else "genome models"
        groups.setdefault(models, []).append(f"`{name}`" + " (a folder)" * known.folder)
    return "; ".join(f"{', '.join(names)} for {models}" for models, names in groups.items())
