"""Text files: the one place that judges their encoding and their line ends.

UTF-8, and UTF-16 and UTF-32 with a byte-order mark, are read; so are line ends of Unix (LF),
Windows (CRLF) and old Macs (CR). Whatever else is found is refused with its line.
"""

from __future__ import annotations

import codecs
import io
import re
import unicodedata
from collections.abc import Iterator
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


def text_lines(path: str | Path, piece: int = -1) -> Iterator[tuple[int, str]]:
    r"""Yield the lines of a text file, decompressed, each with its 1-based number.

    Parameters
    ----------
    path
        The file; ``-`` is standard input.
    piece
        A longer line comes in pieces of about this many characters. The last piece ends in
        ``\n``, whatever the file has.

    Raises
    ------
    GrubioError
        If the file cannot be opened, is binary, is in another encoding, or mixes its line ends.
    """
    with open_input(path) as raw:
        head = raw.peek(_HEAD)[:_HEAD]
        encoding = next((e for mark, e in _ENCODINGS.items() if head.startswith(mark)), "utf-8")
        start = head.decode(encoding, errors="ignore")[:-1]
        end, other = ("\r", "\n") if "\r" in start and "\n" not in start else ("\n", "\r")
        text = io.TextIOWrapper(
            raw,
            encoding,
            # Bytes that are no UTF-8 come as surrogates, and so the line that they are in is known.
            errors="surrogateescape" if encoding.startswith("utf-8") else "strict",
            newline=end,
        )
        number = 1
        try:
            while line := text.readline(piece):
                last = len(line) < piece or piece < 0
                if line.endswith("\r") and end == "\n":
                    # The piece may have cut a line end in two.
                    line += text.readline(1)
                ends = last or line.endswith(end)
                line = line.removesuffix(end).removesuffix("\r") + "\n" if ends else line
                _check(line, other, path, number)
                yield number, line
                number += ends
        except UnicodeDecodeError as error:
            raise GrubioError(f"is cut off or no {encoding.upper()}", path=path) from error
        finally:
            # Or standard input would be closed with it.
            text.detach()


def read_text(path: str | Path) -> str:
    """Return the text of a whole file; see :func:`text_lines`."""
    return "".join(line for _, line in text_lines(path))


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
                f"there is an invisible letter, {letter_name(letter)}",
                path=path,
                line=line,
                hint=f"take it out: perl -CSD -pe 's/\\p{{Cf}}//g' {path} > NEW",
            )


def _check(line: str, other: str, path: str | Path, number: int) -> None:
    if other in line[:-1]:
        raise GrubioError(
            "there is a line end of another kind within the line",
            path=path,
            line=number,
            hint=f"make all of them LF: tr '\\r' '\\n' < {path} > NEW",
        )
    if "\0" in line:
        raise GrubioError(
            "is a binary file, or UTF-16 without a byte-order mark",
            path=path,
            line=number,
            hint=f"for UTF-16: iconv -f UTF-16LE -t UTF-8 {path} > NEW",
        )
    if not line.isascii() and (found := _UNDECODED.search(line)):
        raise GrubioError(
            f"byte 0x{ord(found[0]) & 0xFF:02x} is not UTF-8 text",
            path=path,
            line=number,
            hint=f"save the file as UTF-8; from Latin-1: iconv -f LATIN1 -t UTF-8 {path} > NEW",
        )
