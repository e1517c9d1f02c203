"""FASTA, plain or compressed.

A record is a line that begins with ``>`` and the lines up to the next one. The first word after
``>`` is the id, the rest of the line the description. Sequence lines are joined; white space
inside them is dropped. Line ends may be LF or CRLF, and a byte-order mark at the start of the file
is passed over. Text is UTF-8; ids are ASCII. Every record needs an id of its own and a sequence.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from grubio.errors import GrubioError
from grubio.files import open_input
from grubio.readers.seen_ids import Repeat, SeenIds
from grubio.record import Record


def read_fasta(path: str | Path) -> Iterator[Record]:
    """Yield the records of a FASTA file, ``-`` for standard input, in order.

    Letters are not checked here; see :func:`grubio.checking.checked_records`.

    Raises
    ------
    GrubioError
        If the file is missing, damaged, empty or no FASTA, or if an id is missing, comes twice
        or has characters that are not ASCII or do not print.
    """
    seen = SeenIds()
    number = 0
    with open_input(path) as raw:
        for number, (title, sequence) in enumerate(_titled(_checked_lines(raw, path)), start=1):
            name, _, description = title.strip().partition(" ")
            name, tab, more = name.partition("\t")
            description = more + " " * bool(tab and description) + description
            if not name:
                raise GrubioError("the header has no id", path=path, record=f"number {number}")
            if not name.isprintable():
                raise GrubioError(
                    "the id has control characters",
                    path=path,
                    record=f"number {number}",
                    hint="lines must end in LF or CRLF; for those of old Macs: tr '\\r' '\\n'",
                )
            if not name.isascii():
                raise GrubioError(
                    "the id has characters outside ASCII",
                    path=path,
                    record=name,
                    hint="rename it; descriptions may have any characters",
                )
            _refuse(seen.add(name), path)
            yield Record(name, description.strip(), sequence)
    _refuse(seen.finish(), path)
    if not number:
        raise GrubioError(
            "holds no records", path=path, hint="give a FASTA file: >id, then residues"
        )


def _titled(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield title and sequence of each record.

    Biopython's parsers keep the lines of a record while it is used, which for a chromosome is
    twice its text.
    """
    title: str | None = None
    content = bytearray()
    for line in lines:
        if not line.startswith(">"):
            content += "".join(line.split()).encode()
            continue
        if title is not None:
            yield title, _taken(content)
        title = line[1:]
    line = ""
    if title is not None:
        yield title, _taken(content)


def _taken(content: bytearray) -> str:
    text = content.decode()
    content.clear()
    return text


def _refuse(repeat: Repeat | None, path: str | Path) -> None:
    if repeat is not None:
        raise GrubioError(
            f"the id comes twice, as records {repeat.first} and {repeat.second}",
            path=path,
            record=repeat.id,
            hint="give every record an id of its own",
        )


def _checked_lines(raw: BinaryIO, path: str | Path) -> Iterator[str]:
    in_record = False
    for number, line in enumerate(raw, start=1):
        content = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
        if b"\0" in content:
            raise GrubioError("is a binary file, not FASTA", path=path, line=number)
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise GrubioError(
                f"byte 0x{content[error.start]:02x} is not UTF-8 text",
                path=path,
                line=number,
                hint="save the file as UTF-8",
            ) from error
        if not in_record and text.strip() and not text.startswith(">"):
            raise GrubioError(
                "there is text before the first header",
                path=path,
                line=number,
                hint="a FASTA record starts with a line '>id'",
            )
        in_record = in_record or text.startswith(">")
        yield text
