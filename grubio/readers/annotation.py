"""Annotation of a genome: the lines of GFF3, GTF and BED files, plain or compressed.

The first line of data tells the format. Comments, blank lines, ``track`` and ``browser`` lines and
sequences are skipped. The features of a GFF3 file end at ``##FASTA``; a ``##gff-version`` after it
begins the next file of several that were joined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from grubio.errors import GrubioError
from grubio.readers.annotation_line import AnnotationLine
from grubio.readers.bed import LEAST_COLUMNS, BedLine
from grubio.readers.gff import GFF_COLUMNS, GffLine
from grubio.text import text_lines

_START_NAMES = {"start", "chromstart", "chrstart", "begin", "from"}
_END_NAMES = {"end", "chromend", "chrend", "stop", "to"}
# Tables with a width, of R's GRanges and of MACS, count from 1.
_WIDTH_NAMES = {"width", "length"}


def read_annotation(
    path: str | Path, leave_out: Callable[[GrubioError], None], note: Callable[[GrubioError], None]
) -> Iterator[AnnotationLine]:
    """Yield the lines of a GFF3, GTF or BED file, in order.

    Parameters
    ----------
    path
        The file; ``-`` is standard input.
    leave_out
        Called with the error of each line that has another number of columns; raises it, or the
        line is skipped.
    note
        Called with what is skipped and is not a comment: the header of a BED file.

    Raises
    ------
    GrubioError
        If the file is missing, damaged, in another format, or holds no features.
    """
    columns = 0
    kind: type[AnnotationLine] = BedLine
    for number, text in _data_lines(path):
        line = _line(path, number, text, kind)
        if not columns and _is_bed_header(line):
            note(line.error("a header line"))
            continue
        if not columns:
            kind, columns = _format_of(line, text), len(line.cells)
            line = _line(path, number, text, kind)
        if len(line.cells) == columns:
            yield line
        else:
            leave_out(_wrong_columns(line, columns))
    if not columns:
        raise GrubioError("holds no features", path=path)


def _line(path: str | Path, number: int, text: str, kind: type[AnnotationLine]) -> AnnotationLine:
    # BED may be separated by spaces; the attributes of GFF3 may hold them.
    by_tabs = kind is GffLine or "\t" in text
    return kind(path, number, text.split("\t") if by_tabs else text.split())


def _data_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    ended = in_sequence = False
    for number, line in text_lines(path):
        text = line.removesuffix("\n")
        if text.rstrip() == "##FASTA" or text.startswith("##gff-version"):
            ended = text.rstrip() == "##FASTA"
        first_word = text.split(maxsplit=1)[:1]
        if ended or not first_word or text[0] == "#" or first_word[0] in ("track", "browser"):
            continue
        in_sequence = text[0] == ">" or (in_sequence and "\t" not in text)
        if not in_sequence:
            yield number, text


def _is_bed_header(line: AnnotationLine) -> bool:
    names = [cell.strip('"').lower() for cell in line.cells]
    if len(names) < LEAST_COLUMNS or names[1] not in _START_NAMES or names[2] not in _END_NAMES:
        return False
    if _WIDTH_NAMES & set(names):
        raise line.error(
            "is a table with widths, which counts from 1, not BED",
            hint="write BED, for example with rtracklayer::export.bed, or subtract 1 from start "
            "and leave header and width out",
        )
    return True


def _format_of(line: AnnotationLine, text: str) -> type[AnnotationLine]:
    cells = line.cells
    if len(cells) >= LEAST_COLUMNS and cells[1].isdecimal() and cells[2].isdecimal():
        return BedLine
    if len(cells) == GFF_COLUMNS and "\t" in text:
        return GffLine
    raise line.error(
        "is neither GFF3, GTF nor BED",
        hint="GFF3 and GTF have 9 columns between tabs; BED has 3 or more: contig, start, end, "
        "name, score, strand and so on",
    )


def _wrong_columns(line: AnnotationLine, columns: int) -> GrubioError:
    found = len(line.cells)
    if isinstance(line, GffLine):
        return line.error(f"{found} columns between tabs; {columns} were expected")
    return line.error(f"{found} columns; {columns} were expected, as in the first line")
