"""Features of a genome: GFF3, GTF and BED, plain or compressed.

GFF3 and GTF have nine columns, of which the fourth and fifth are 1-based and inclusive; BED has 3
to 12, of which the second and third are 0-based and half-open. Which of them a file is, is seen
from its first line of data. Comments, blank lines, ``track`` and ``browser`` lines are passed
over, and a GFF3 file ends at ``##FASTA``. Specifications: The Sequence Ontology, GFF3 1.26;
UCSC Genome Browser, "Data File Formats".
"""

from __future__ import annotations

import codecs
import difflib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import BinaryIO, Literal
from urllib.parse import unquote

from grubio.errors import GrubioError
from grubio.files import open_input

NO_STRAND: Literal["."] = "."
_STRANDS: Mapping[str, Literal["+", "-", "."]] = {"+": "+", "-": "-", ".": ".", "?": "."}
_GFF_COLUMNS = 9
_BED_COLUMNS = range(3, 13)
_SAYS_CIRCULAR = re.compile(r"[\t;]\s*Is_circular=true\b", re.IGNORECASE)


@dataclass(frozen=True)
class Feature:
    """One line of annotation.

    Attributes
    ----------
    contig
        Id of the contig.
    start, end
        First base and the base after the last one, 0-based, on the plus strand.
    strand
        ``+``, ``-``, or ``.`` where there is none.
    kind
        Type (GFF3, GTF) or name (BED; ``.`` if the file has no names).
    path, line
        The file, and the 1-based line in it.
    text
        The line; empty for BED.
    columns
        Of BED, ``name`` and ``score``.
    blocks
        Of BED with 12 columns, the start and end of each block, 0-based and half-open.
    circular
        Whether the contig is circular: GFF3 said so, on this line or before, with
        ``Is_circular=true``. Then ``end`` may lie past the end, by less than a turn.
    """

    contig: str
    start: int
    end: int
    strand: Literal["+", "-", "."]
    kind: str
    path: str | Path
    line: int
    text: str = ""
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    blocks: tuple[tuple[int, int], ...] = ()
    circular: bool = False

    @cached_property
    def attributes(self) -> Mapping[str, Sequence[str]]:
        """The values of each attribute; of BED, ``columns``."""
        if not self.text:
            return self.columns
        from gffutils.feature import feature_from_line

        return dict(feature_from_line(self.text).attributes.items())

    @property
    def transcripts(self) -> Sequence[str]:
        """What the feature is a part of: its parents (GFF3) or its transcript (GTF)."""
        return self.attributes.get("Parent") or self.attributes.get("transcript_id", ())

    def error(self, problem: str, hint: str | None = None) -> GrubioError:
        """Return an error about this line."""
        return GrubioError(problem, path=self.path, line=self.line, hint=hint)


def read_features(
    path: str | Path,
    lengths: Mapping[str, int],
    refuse: Callable[[GrubioError], None],
) -> Iterator[Feature]:
    """Yield the features of a GFF3, GTF or BED file, in order.

    Parameters
    ----------
    path
        The file; ``-`` is standard input.
    lengths
        Bases of each contig of the genome.
    refuse
        Is given the error of each line that has another number of columns, a coordinate that is
        no number or past the end, an end before the start, a strand that is none, or a contig
        that the genome does not have. It raises the error, or the line is passed over.

    Raises
    ------
    GrubioError
        If the file is missing, damaged, in another format, or holds no features.
    """
    read: Callable[[_Line], Feature] | None = None
    circular: set[str] = set()
    with open_input(path) as raw:
        for line in _data_lines(raw, path):
            read = read or _reader_of(line)
            try:
                feature = read(line)
                if feature.contig not in lengths:
                    # GFF3 escapes what its ids may not hold.
                    feature = replace(feature, contig=unquote(feature.contig))
                # A landmark stands before the features on it.
                if _SAYS_CIRCULAR.search(feature.text):
                    circular.add(feature.contig)
                if feature.contig in circular:
                    feature = replace(feature, circular=True)
                _require_on_genome(feature, lengths)
            except GrubioError as error:
                refuse(error)
                continue
            yield feature
    if read is None:
        raise GrubioError("holds no features", path=path)


@dataclass(frozen=True, slots=True)
class _Line:
    path: str | Path
    number: int
    text: str

    def cells(self) -> list[str]:
        # BED may be separated by spaces; the attributes of GFF3 may hold them.
        return self.text.split("\t") if "\t" in self.text else self.text.split()

    def error(self, problem: str, hint: str | None = None) -> GrubioError:
        return GrubioError(problem, path=self.path, line=self.number, hint=hint)

    def number_in(self, text: str, what: str) -> int:
        if not (text.isascii() and text.removeprefix("-").isdigit()):
            raise self.error(f"{what} '{text}' is no whole number")
        return int(text)

    def strand_in(self, text: str) -> Literal["+", "-", "."]:
        if text not in _STRANDS:
            raise self.error(f"strand '{text}'; one of + - . was expected")
        return _STRANDS[text]


def _data_lines(raw: BinaryIO, path: str | Path) -> Iterator[_Line]:
    for number, content in enumerate(raw, start=1):
        if number == 1:
            content = content.removeprefix(codecs.BOM_UTF8)
        if b"\0" in content:
            raise GrubioError("is a binary file, not GFF3, GTF or BED", path=path, line=number)
        try:
            text = content.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise GrubioError(
                f"byte 0x{content[error.start]:02x} is not UTF-8 text", path=path, line=number
            ) from error
        if text.startswith(("##FASTA", ">")):
            return
        first_word = text.split(maxsplit=1)[:1]
        if first_word and first_word[0] not in ("track", "browser") and text[0] != "#":
            yield _Line(path, number, text)


def _reader_of(line: _Line) -> Callable[[_Line], Feature]:
    cells = line.cells()
    if len(cells) in _BED_COLUMNS and cells[1].isdecimal() and cells[2].isdecimal():
        return partial(_bed_feature, columns=len(cells))
    if len(cells) == _GFF_COLUMNS and "\t" in line.text:
        return _gff_feature
    raise line.error(
        "is neither GFF3, GTF nor BED",
        hint="GFF3 and GTF have 9 columns between tabs; BED has 3 to 12: contig, start, end, "
        "name, score, strand and so on",
    )


def _gff_feature(line: _Line) -> Feature:
    cells = line.text.split("\t")
    if len(cells) != _GFF_COLUMNS:
        raise line.error(f"{len(cells)} columns between tabs; {_GFF_COLUMNS} were expected")
    return Feature(
        cells[0],
        line.number_in(cells[3], "start") - 1,
        line.number_in(cells[4], "end"),
        line.strand_in(cells[6]),
        cells[2],
        line.path,
        line.number,
        line.text,
    )


def _bed_feature(line: _Line, columns: int) -> Feature:
    cells = line.cells()
    if len(cells) != columns:
        raise line.error(f"{len(cells)} columns; {columns} were expected, as in the first line")
    start, end = line.number_in(cells[1], "start"), line.number_in(cells[2], "end")
    names = {"name": cells[3:4], "score": cells[4:5]}
    return Feature(
        cells[0],
        start,
        end,
        line.strand_in(cells[5]) if columns > 5 else NO_STRAND,
        cells[3] if columns > 3 else ".",
        line.path,
        line.number,
        columns={key: value for key, value in names.items() if value},
        blocks=_bed_blocks(line, cells, start, end) if columns == 12 else (),
    )


def _bed_blocks(
    line: _Line, cells: Sequence[str], start: int, end: int
) -> tuple[tuple[int, int], ...]:
    count = line.number_in(cells[9], "block count")
    sizes, starts = (
        [line.number_in(n, what) for n in text.rstrip(",").split(",")]
        for text, what in ((cells[10], "block size"), (cells[11], "block start"))
    )
    if not count == len(sizes) == len(starts):
        raise line.error(f"{count} blocks, but {len(sizes)} sizes and {len(starts)} starts")
    blocks = tuple((start + s, start + s + n) for s, n in zip(starts, sizes, strict=True))
    edges = [edge for block in blocks for edge in block]
    if edges != sorted(edges) or edges[0] < start or edges[-1] > end or min(sizes) < 1:
        raise line.error("the blocks overlap, are out of order, or leave the feature")
    return blocks


def _require_on_genome(feature: Feature, lengths: Mapping[str, int]) -> None:
    length = lengths.get(feature.contig)
    if length is None:
        near = _similar(feature.contig, lengths)
        guess = f"did you mean '{near}'? " if near else ""
        raise feature.error(
            f"contig '{feature.contig}' is not in the genome",
            hint=f"{guess}The names must be the same in both; --on-invalid skip leaves such "
            "lines out",
        )
    if feature.start >= feature.end:
        raise feature.error("the feature ends before it starts")
    if feature.start < 0:
        raise feature.error("the feature starts before the first base")
    if feature.circular and feature.start < length and feature.end - feature.start <= length:
        return
    if feature.end > length:
        raise feature.error(
            f"the feature ends {feature.end - length} bases past the end of '{feature.contig}' "
            f"({length} bases)",
            hint="was it made for another assembly? If the contig is circular, GFF3 must say so "
            "before, in the line of its region, with Is_circular=true; --on-invalid skip leaves "
            "such lines out",
        )


def _similar(contig: str, known: Collection[str]) -> str | None:
    # UCSC writes chr1 where Ensembl writes 1; RefSeq adds a version.
    bare = contig.removeprefix("chr").partition(".")[0]
    for name in known:
        if name.removeprefix("chr").partition(".")[0] == bare:
            return name
    return next(iter(difflib.get_close_matches(contig, known, 1)), None)
