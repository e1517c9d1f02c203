"""FASTA, plain or compressed.

A record is a line that begins with ``>`` and the lines up to the next one. The first word after
``>`` is the id, the rest of the line the description. Sequence lines are joined; white space
inside them is dropped. Line ends may be LF or CRLF, and a byte-order mark at the start of the file
is passed over. Text is UTF-8; ids are ASCII. Every record needs an id of its own and a sequence.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from Bio.SeqIO.FastaIO import SimpleFastaParser

from grubio.errors import GrubioError
from grubio.files import open_input
from grubio.readers.seen_ids import Repeat, SeenIds
from grubio.sequences.record import Record

_PIECE = 1 << 20
"""Bytes of a line that are read at once."""


def read_fasta(path: str | Path) -> Iterator[Record]:
    """Yield the records of a FASTA file, ``-`` for standard input, in order.

    Letters are not checked here; see :func:`grubio.datasets.validation.checked_records`.

    Raises
    ------
    GrubioError
        If the file is missing, damaged, empty or no FASTA, or if an id is missing, comes twice
        or has characters that are not ASCII or do not print.
    """
    seen = SeenIds()
    number = 0
    with open_input(path) as raw:
        for title, sequence in SimpleFastaParser(_joined_lines(raw, path)):
            number += 1
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
            # A copy of a chromosome is worth avoiding.
            whole = sequence if sequence.isalpha() else "".join(sequence.split())
            yield Record(name, description.strip(), whole)
            # While the next one is read, a chromosome would still be held; enumerate holds it too.
            del sequence, whole
    _refuse(seen.finish(), path)
    if not number:
        raise GrubioError(
            "holds no records", path=path, hint="give a FASTA file: >id, then residues"
        )


def _refuse(repeat: Repeat | None, path: str | Path) -> None:
    if repeat is not None:
        raise GrubioError(
            f"the id comes twice, as records {repeat.first} and {repeat.second}",
            path=path,
            record=repeat.id,
            hint="give every record an id of its own",
        )


def _joined_lines(raw: BinaryIO, path: str | Path) -> Iterator[str]:
    """Yield each header, and all that follows it as one line.

    Biopython's parser keeps the lines of a record: those of a chromosome take three times its
    bases. A single line it passes on as it is.
    """
    number, at_start, in_record = 1, True, False
    sequence = bytearray()
    while piece := raw.readline(_PIECE):
        if number == 1 and at_start:
            piece = piece.removeprefix(codecs.BOM_UTF8)
        header = at_start and piece.startswith(b">")
        # A piece of a long line may end inside a character.
        if not piece.endswith(b"\n") and (header or not piece.isascii()):
            piece += raw.readline()
        _check(piece, path, number)
        if header:
            if sequence:
                yield _taken(sequence)
            in_record = True
            yield piece.decode("utf-8")
        elif in_record:
            # A piece of a line keeps its spaces: after them a > is no header.
            sequence += piece.rstrip() if piece.endswith(b"\n") else piece
        elif piece.decode("utf-8").strip():
            raise GrubioError(
                "there is text before the first header",
                path=path,
                line=number,
                hint="a FASTA record starts with a line '>id'",
            )
        at_start = piece.endswith(b"\n")
        number += at_start
    if sequence:
        yield _taken(sequence)


def _taken(sequence: bytearray) -> str:
    text = sequence.decode("utf-8")
    sequence.clear()
    return text


def _check(piece: bytes, path: str | Path, number: int) -> None:
    if b"\0" in piece:
        raise GrubioError("is a binary file, not FASTA", path=path, line=number)
    if piece.isascii():
        return
    try:
        piece.decode("utf-8")
    except UnicodeDecodeError as error:
        raise GrubioError(
            f"byte 0x{piece[error.start]:02x} is not UTF-8 text",
            path=path,
            line=number,
            hint="save the file as UTF-8",
        ) from error
