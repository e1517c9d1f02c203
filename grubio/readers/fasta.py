"""FASTA, plain or compressed.

A record is a line that begins with ``>`` and the lines up to the next one. The first word after
``>`` is the id, the rest of the line the description. Sequence lines are joined; white space
inside them is dropped. Ids are ASCII, descriptions any text that :mod:`grubio.text` reads. Every
record needs an id of its own and a sequence.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from grubio.errors import GrubioError
from grubio.files import STDIO
from grubio.readers.seen_ids import Repeat, SeenIds
from grubio.sequences.record import Record
from grubio.text import refuse_invisible, text_lines

_PIECE = 1 << 20
"""Letters of a line that are read at once."""

_JUDGED_ENTRIES = 5
_JUDGED_LINES = 1000
_LABELS = set("HGIEBTSCLPOMDNX?-.~_")
_LABELLED_RESIDUES = 9
"""A line with as many different letters is residues; one with fewer may be labels."""
_PLAIN_LABELS = set("CLIO-.~_")
"""Coil, inside or outside, and nothing: labels of real proteins have one of them."""
_LEAST_RUN = 2
"""Equal labels stand in runs, of 3 on average for SS8; a repeat such as GSGS does not."""

# The code of a PIR entry; then Biopython's names of formats, by how their files begin.
_PIR = re.compile(r"(P1|F1|D[LC]|R[LC]|N[13]|XX);[^=]*$", re.IGNORECASE)
_OTHER_FORMATS = {
    "LOCUS ": "genbank",
    "ID   ": "embl",
    "# STOCKHOLM": "stockholm",
    "CLUSTAL": "clustal",
    "MUSCLE (": "clustal",
    "#NEXUS": "nexus",
    "@": "fastq",
    "HEADER ": "pdb-seqres",
    "data_": "cif-seqres",
}


class Entry(NamedTuple):
    """A FASTA record as it stands in the file.

    Attributes
    ----------
    line
        1-based line of the header.
    id, description
        First word of the header, and the rest.
    text
        The lines below it, joined, without white space at their ends.
    ends
        Length of the text after each of its first lines that are not blank.
    """

    line: int
    id: str
    description: str
    text: str
    ends: tuple[int, ...]

    @property
    def half(self) -> int | None:
        """Length of half the text if a line ends there, else None."""
        half, odd = divmod(len(self.text), 2)
        return half if not odd and half in self.ends else None


def read_fasta(path: str | Path) -> Iterator[Record]:
    """Yield the records of a FASTA file, ``-`` for standard input, in order.

    Letters are not checked here; see :func:`grubio.datasets.validation.checked_records`.

    Raises
    ------
    GrubioError
        If the file is missing, damaged, empty or not FASTA, has a line of labels under each
        sequence, or if an id is missing, occurs twice or has characters that are not ASCII or do
        not print.
    """
    for entry in _judged(read_entries(path), path):
        text = entry.text
        if _PIR.match(entry.id):
            raise GrubioError(
                "is PIR, not FASTA",
                path=path,
                line=entry.line,
                hint=_convert("pir", path)
                if text.endswith("*")
                else "end each sequence with * and convert it, or take the code and its semicolon "
                "out of the headers and the titles out of the sequences",
            )
        # A copy of a chromosome is worth avoiding.
        whole = text if text.isalpha() else "".join(text.split())
        record = Record(entry.id, entry.description, whole)
        del entry, text, whole
        yield record
        # While the next one is read, a chromosome would still be held.
        del record


def read_entries(path: str | Path) -> Iterator[Entry]:
    """Yield the records of a FASTA file as they stand in it.

    Raises
    ------
    GrubioError
        As :func:`read_fasta`, except for lines of labels.
    """
    seen = SeenIds(None if str(path) == STDIO else lambda number: _id_of(path, number))
    number = 0
    for line, title, text, ends in _blocks(path):
        number += 1
        name, description = _parts(title)
        if not name:
            raise GrubioError("the header has no id", path=path, line=line)
        if not name.isprintable():
            raise GrubioError("the id has control characters", path=path, line=line)
        if not name.isascii():
            raise GrubioError(
                "the id has characters outside ASCII",
                path=path,
                line=line,
                record=name,
                hint="rename it; descriptions may have any characters",
            )
        _refuse(seen.add(name), path)
        yield Entry(line, name, description, text, ends)
        del text
    _refuse(seen.finish(), path)
    if not number:
        raise GrubioError(
            "holds no records", path=path, hint="give a FASTA file: >id, then residues"
        )


def _judged(entries: Iterator[Entry], path: str | Path) -> Iterator[Entry]:
    # Entries are held back until one of them is not a sequence above a line of labels.
    held: list[Entry] = []
    for entry in entries:
        held.append(entry)
        if not _is_labelled(entry) or len(held) == _JUDGED_ENTRIES:
            break
    if all(map(_is_labelled, held)) and _read_like_labels(held):
        wrapped = len(held[0].ends) > 2
        alone = "" if wrapped else f"; the sequences alone: awk 'NR % 3' {path} > NEW"
        raise GrubioError(
            "has a line of labels under each sequence (three-line FASTA)",
            path=path,
            line=held[0].line + 2 + held[0].ends.index(held[0].half or 0),
            hint=f"grubio prepare reads it with --format three-line{alone}. If the labels are "
            "residues, write each sequence on one line",
        )
    del entry
    while held:
        yield held.pop(0)
    yield from entries


def _parts(title: str) -> tuple[str, str]:
    name, _, description = title.strip().partition(" ")
    name, tab, more = name.partition("\t")
    return name, (more + " " * bool(tab and description) + description).strip()


def _id_of(path: str | Path, number: int) -> str:
    titles = (title for _, title, _, _ in _blocks(path))
    return _parts(next(itertools.islice(titles, number - 1, None), ""))[0]


def _refuse(repeat: Repeat | None, path: str | Path) -> None:
    if repeat is not None:
        raise GrubioError(
            f"the id occurs twice, as records {repeat.first} and {repeat.second}",
            path=path,
            record=repeat.id,
            hint="give every record an id of its own",
        )


def _blocks(path: str | Path) -> Iterator[tuple[int, str, str, tuple[int, ...]]]:
    """Yield the line of each header, the header without ``>``, and what is below it.

    Biopython's parser keeps the lines of a record: those of a chromosome take three times its
    bases. Here they are joined as they come.
    """
    title: str | None = None
    first, begins, in_header = 0, True, False
    ends: list[int] = []
    text = bytearray()
    for number, piece in text_lines(path, _PIECE):
        complete = piece.endswith("\n")
        if begins and piece.startswith(">"):
            if title is not None:
                yield first, title, _taken(text), tuple(ends)
            first, title, in_header, ends = number, piece[1:], True, []
        elif in_header and title is not None:
            title += piece
        elif title is not None:
            refuse_invisible(piece, path, number)
            # A piece of a line keeps its spaces, so that a > after them is not taken for a header.
            text += (piece.rstrip() if complete else piece).encode()
            if complete and len(ends) < _JUDGED_LINES and len(text) > (ends[-1] if ends else 0):
                ends.append(len(text))
        elif piece.strip():
            raise _no_header(piece, path, number)
        begins = complete
        in_header = in_header and not complete
    if title is not None:
        yield first, title, _taken(text), tuple(ends)


def _taken(text: bytearray) -> str:
    taken = text.decode()
    text.clear()
    return taken


def _no_header(piece: str, path: str | Path, number: int) -> GrubioError:
    kind = next((kind for start, kind in _OTHER_FORMATS.items() if piece.startswith(start)), None)
    if kind == "embl" and piece.rstrip().endswith(" AA."):
        kind = "swiss"
    return GrubioError(
        f"there is text before the first header: {piece.strip()[:40]!r}",
        path=path,
        line=number,
        hint=_convert(kind, path) if kind else "a FASTA record starts with a line '>id'",
    )


def _convert(kind: str, path: str | Path) -> str:
    return (
        f"this looks like {kind}; convert it: python -c "
        f"\"from Bio import SeqIO; SeqIO.convert('{path}', '{kind}', 'new.fasta', 'fasta')\""
    )


def _is_labelled(entry: Entry) -> bool:
    """Whether an entry is lines of residues and as many letters that look like labels."""
    if entry.half is None:
        return False
    text = entry.text.upper()
    residues, labels = set(text[: entry.half]), set(text[entry.half :])
    return len(residues) >= _LABELLED_RESIDUES > len(labels) and labels <= _LABELS


def _read_like_labels(entries: Sequence[Entry]) -> bool:
    labels = [entry.text[entry.half :].upper() for entry in entries]
    runs = sum(1 for line in labels for _ in itertools.groupby(line))
    is_plain = not _PLAIN_LABELS.isdisjoint("".join(labels))
    return is_plain and runs * _LEAST_RUN <= sum(map(len, labels))
