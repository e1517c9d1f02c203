"""Text for people, and text files: the one place that checks their encoding and line ends.

UTF-8, and UTF-16 and UTF-32 with a byte-order mark, are read; so are line ends of Unix (LF),
Windows (CRLF) and old Macs (CR). Whatever else is found is refused with its line.
"""

import codecs
import io
import re
import sys
import unicodedata
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from grubio.errors import GrubioError
from grubio.files import open_input

# UTF-32 is asked first: in little-endian order its mark begins like that of UTF-16.
_ENCODINGS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_UNDECODED = re.compile("[\ud800-\udfff]")
_HEAD = 1 << 16
_BLOCK = 1 << 20


def text_lines(
    path: str | Path, piece: int = sys.maxsize, *, zeros: bool = False
) -> Iterator[tuple[int, str]]:
    r"""Yield the lines of a text file, decompressed, each with its 1-based number.

    Parameters
    ----------
    path
        The file; ``-`` is standard input.
    piece
        A longer line comes in pieces of at least this many characters. Only the last piece of a
        line ends in ``\n``.
    zeros
        Whether lines may hold zero bytes, as between the parts of a file of MMseqs2.

    Raises
    ------
    GrubioError
        If the file cannot be opened, is binary, is in another encoding, or mixes its line ends.
    """
    with open_input(path) as raw:
        head = raw.peek(_HEAD)[:_HEAD]
        encoding = next((e for mark, e in _ENCODINGS.items() if head.startswith(mark)), "utf-8")
        # A carriage return at its end may be half of a line end.
        start = head.decode(encoding, errors="ignore").removesuffix("\r")
        end, other = ("\r", "\n") if "\r" in start and "\n" not in start else ("\n", "\r")
        checked = partial(_checked, other=other, path=path, zeros=zeros)
        number, suspect = 1, False
        held: list[str] = []
        for block in _blocks(raw, encoding, path):
            *lines, rest = block.split(end)
            if lines:
                lines[0] = "".join((*held, lines[0]))
                held.clear()
            # Looking at each line only if something is wrong in its block takes half the time.
            suspect = suspect or not block.isascii() or other in block or "\0" in block
            for line in lines:
                yield number, (checked(line, number) if suspect else line) + "\n"
                number += 1
            held.append(rest)
            # A carriage return may be half of a line end.
            if sum(map(len, held)) >= piece and not rest.endswith("\r"):
                yield number, checked("".join(held), number)
                held.clear()
            suspect = suspect and any(held)
        if last := "".join(held):
            yield number, checked(last, number) + "\n"


def _blocks(raw: io.BufferedReader, encoding: str, path: str | Path) -> Iterator[str]:
    # Bytes that are not UTF-8 become surrogates, so that the line that holds them is known.
    errors = "surrogateescape" if encoding.startswith("utf-8") else "strict"
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    try:
        while block := raw.read1(_BLOCK):
            yield decoder.decode(block)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise GrubioError(f"is cut off or not {encoding.upper()}", path=path) from error


def read_text(path: str | Path) -> str:
    """Return the text of a whole file; see :func:`text_lines`."""
    return "".join(line for _, line in text_lines(path))


def plural(count: int, noun: str) -> str:
    """Write a count with its noun.

    Examples
    --------
    >>> plural(1, "chain"), plural(1200, "chain")
    ('1 chain', '1,200 chains')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def counts_text(items: int, length: int, item: str = "record", unit: str = "residue") -> str:
    """Write a number of items and their length together.

    Examples
    --------
    >>> counts_text(1, 2200)
    '1 record, 2,200 residues'
    """
    return f"{plural(items, item)}, {plural(length, unit)}"


def letter_name(letter: str) -> str:
    """Return a letter in quotes; with its code and name if it cannot be seen or is not ASCII.

    Examples
    --------
    >>> print(letter_name("x"), letter_name("\u200b"))
    'x' U+200B ZERO WIDTH SPACE
    """
    shown = f"'{letter}' " if letter.isprintable() and not letter.isspace() else ""
    if letter.isascii() and shown:
        return shown.strip()
    name = unicodedata.name(letter, "CONTROL CHARACTER")
    return f"{shown}U+{ord(letter):04X} {name}"


def refuse_invisible(text: str, path: str | Path, line: int) -> None:
    """Raise a GrubioError if residues or labels have an invisible letter among them."""
    if text.isascii():
        return
    for letter in text:
        if unicodedata.category(letter) == "Cf":
            raise GrubioError(
                f"the line contains an invisible letter, {letter_name(letter)}",
                path=path,
                line=line,
                hint=f"remove it: perl -CSD -pe 's/\\p{{Cf}}//g' {path} > NEW",
            )


def _checked(line: str, number: int, *, other: str, path: str | Path, zeros: bool) -> str:
    line = line.removesuffix("\r")
    if other in line:
        raise GrubioError(
            "the line contains a line end of another kind",
            path=path,
            line=number,
            hint=f"make all of them LF: tr '\\r' '\\n' < {path} > NEW",
        )
    if "\0ustar" in line:
        raise GrubioError("is a tar archive", path=path, hint=f"unpack it first: tar -xf {path}")
    if "\0" in line and not zeros:
        order = "BE" if line.startswith("\0") else "LE"
        raise GrubioError(
            "is a binary file, or UTF-16 without a byte-order mark",
            path=path,
            line=number,
            hint=f"for UTF-16: iconv -f UTF-16{order} -t UTF-8 {path} > NEW",
        )
    if not line.isascii() and (found := _UNDECODED.search(line)):
        raise GrubioError(
            f"byte 0x{ord(found[0]) & 0xFF:02x} is not UTF-8 text",
            path=path,
            line=number,
            hint=f"save the file as UTF-8; from Latin-1: iconv -f LATIN1 -t UTF-8 {path} > NEW",
        )
    return line
