"""Motif databases in MEME, JASPAR, HOMER and TRANSFAC format, as position frequency matrices.

Biopython's readers are not used: they round MEME's frequencies to counts, and where a matrix (or a
row of JASPAR) is missing they take that of the next motif.

Formats: https://meme-suite.org/doc/meme-format.html, https://jaspar.elixir.no/docs,
http://homer.ucsd.edu/homer/motif/creatingCustomMotifs.html and
https://meme-suite.org/doc/transfac-format.html
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from grubio.errors import GrubioError
from grubio.sequences.alphabet import DNA
from grubio.text import text_lines

Matrix = npt.NDArray[np.float64]

_FORMATS = "MEME, JASPAR, HOMER or TRANSFAC"
_TABLE_HEADS = ("P0", "PO", "Pos")
_NAME_KEYS = ("NA", "ID", "AC", "Motif")
_MEME_MATRIX = "letter-probability matrix:"
_LETTER_ROW = re.compile(r"([ACGTU])\b[\s:|]*\[?([^\[\]]*)\]?\s*", re.IGNORECASE)


@dataclass
class _Entry:
    # A motif as in the file: its rows are places, or bases in JASPAR.
    line: int
    name: str
    identifier: str = ""
    is_homer: bool = False
    width: int | None = None
    rows: list[list[float]] = field(default_factory=list)
    letters: str = DNA.letters
    rows_are_bases: bool = False


def read_database(path: Path) -> dict[str, Matrix]:
    """Return the motifs of a file, frequencies ``(place, base)`` by name.

    Names that occur more than once are made unique with the identifier or the number of the motif.

    Raises
    ------
    GrubioError
        If the format is unknown, or a motif has no matrix or a place without counts.
    """
    text = _Text(path)
    entries = list(text.entries())
    if not entries:
        raise GrubioError("holds no motifs", path=path, hint=f"give {_FORMATS}")
    names = _distinct_names(entries)
    return {name: text.matrix(entry) for name, entry in zip(names, entries, strict=True)}


def _distinct_names(entries: Sequence[_Entry]) -> list[str]:
    uses = Counter(entry.name for entry in entries)
    named = Counter((entry.name, entry.identifier) for entry in entries)
    names = []
    for number, entry in enumerate(entries, start=1):
        more = entry.identifier if named[entry.name, entry.identifier] == 1 else f"motif {number}"
        names.append(f"{entry.name} ({more})" if uses[entry.name] > 1 else entry.name)
    return names


class _Text:
    """The lines of a motif database."""

    def __init__(self, path: Path) -> None:
        self.path = path
        stripped = ((number, line.strip()) for number, line in text_lines(path))
        self.lines = [(number, line) for number, line in stripped if line]

    def error(self, line: int, problem: str, hint: str | None = None) -> GrubioError:
        return GrubioError(problem, path=self.path, line=line, hint=hint)

    def entries(self) -> Iterator[_Entry]:
        """Yield the motifs; the first lines tell the format."""
        if any(line.startswith("MEME version") for _, line in self.lines):
            return self._of_meme()
        first = next((line for _, line in self.lines if line[0] != "#"), "")
        if first.startswith(">"):
            return self._of_jaspar_or_homer()
        if any(line.split()[0] in _TABLE_HEADS for _, line in self.lines):
            return self._of_transfac()
        raise GrubioError(
            "cannot be read as motifs: the format is not known",
            path=self.path,
            hint=f"give {_FORMATS}",
        )

    def numbers(self, line: int, words: Sequence[str]) -> list[float]:
        """Return the numbers of a row."""
        values = []
        for word in words:
            try:
                values.append(float(word))
            except ValueError:
                raise self.error(line, f"'{word[:40]}' is not a number") from None
            if not (math.isfinite(values[-1]) and 0 <= values[-1] < 1e15):
                raise self.error(
                    line,
                    f"{word[:40]} is neither a count nor a frequency",
                    hint="motifs are matrices of counts or frequencies, not of scores",
                )
        return values

    def four_numbers(self, line: int, words: Sequence[str]) -> list[float]:
        """Return the four numbers of a place."""
        if len(words) != len(DNA.letters):
            raise self.error(line, f"{len(words)} numbers at a place; 4 were expected")
        return self.numbers(line, words)

    def matrix(self, entry: _Entry) -> Matrix:
        """Return the frequencies of a motif, ``(place, base)``."""
        if not entry.rows or not entry.rows[0]:
            raise self.error(
                entry.line,
                f"motif '{entry.name}' has no matrix",
                hint="give frequencies or counts of each base at each place",
            )
        if entry.width not in (None, len(entry.rows)):
            raise self.error(
                entry.line,
                f"motif '{entry.name}' has {len(entry.rows)} rows of four numbers; w= says "
                f"{entry.width}",
            )
        if len({len(row) for row in entry.rows}) > 1:
            raise self.error(entry.line, f"the rows of motif '{entry.name}' differ in length")
        rows = np.array(entry.rows, dtype=np.float64)
        matrix = (rows.T if entry.rows_are_bases else rows)[:, np.argsort(list(entry.letters))]
        totals = matrix.sum(axis=1, keepdims=True)
        if not (totals > 0).all():
            raise self.error(entry.line, f"motif '{entry.name}' has a place without any base")
        return np.asarray(matrix / totals)

    def _of_meme(self) -> Iterator[_Entry]:
        entry: _Entry | None = None
        expected = 0
        for number, line in self.lines:
            words = line.split()
            if words[0].startswith("ALPHABET") and not self._is_of_bases(line):
                raise self.error(number, "the motifs are not of DNA or RNA")
            if words[0] == "MOTIF":
                if entry:
                    yield entry
                entry = _Entry(number, words[1] if len(words) > 1 else f"line {number}")
                expected = 0
            elif entry and line.startswith(_MEME_MATRIX):
                width = re.search(r"\bw\s*=\s*(\d{1,9})\b", line)
                entry.width = int(width[1]) if width else None
                expected = len(self.lines) if entry.width is None else entry.width
            elif entry and len(entry.rows) < expected:
                if line[0] in ".-+" or line[0].isdigit():
                    entry.rows.append(self.four_numbers(number, words))
                else:
                    expected = 0
        if entry:
            yield entry

    @staticmethod
    def _is_of_bases(line: str) -> bool:
        stated = line.removeprefix("ALPHABET").strip(" =\t")
        return stated.upper() in ("ACGT", "ACGU") or any(
            f"{name}-LIKE" in stated or f'"{name}"' in stated for name in ("DNA", "RNA")
        )

    def _of_jaspar_or_homer(self) -> Iterator[_Entry]:
        entry, letters = _Entry(0, ""), ""
        for number, line in self.lines:
            if line[0] == ">":
                if entry.line:
                    yield self._turned(entry, letters)
                entry, letters = _named(number, line), ""
            elif line[0] != "#":
                lettered = _LETTER_ROW.fullmatch(line)
                if lettered:
                    letters += lettered[1].upper().replace("U", "T")
                words = lettered[2] if lettered else line.strip("[]")
                entry.rows.append(self.numbers(number, words.split()))
        yield self._turned(entry, letters)

    def _turned(self, entry: _Entry, letters: str) -> _Entry:
        """Set whether the rows of a motif are bases (JASPAR) or places (HOMER)."""
        rows = entry.rows
        width = {len(row) for row in rows}
        if letters:
            if sorted(letters) != sorted(DNA.letters) or len(rows) != len(letters):
                raise self.error(entry.line, f"motif '{entry.name}' lacks the row of a base")
            entry.rows_are_bases, entry.letters = True, letters
        elif len(rows) == len(DNA.letters) and (width != {len(DNA.letters)} or not entry.is_homer):
            entry.rows_are_bases = True
        elif rows and width != {len(DNA.letters)}:
            raise self.error(
                entry.line,
                f"motif '{entry.name}' has neither four rows (JASPAR) nor four columns (HOMER)",
            )
        return entry

    def _of_transfac(self) -> Iterator[_Entry]:
        names: dict[str, str] = {}
        entry: _Entry | None = None
        for number, line in self.lines:
            key, *words = line.split()
            if key in _TABLE_HEADS:
                letters = "".join(words[:4]).upper().replace("U", "T")
                if sorted(letters) != sorted(DNA.letters):
                    raise self.error(number, "the columns of the matrix are not A, C, G and T")
                name = next((names[k] for k in _NAME_KEYS if k in names), "")
                entry = _Entry(number, name or f"line {number}", names.get("AC", ""))
                entry.letters = letters
            elif entry and key.isdecimal():
                entry.rows.append(self.four_numbers(number, words[:4]))
            elif key in _NAME_KEYS or key == "//":
                if entry:
                    yield entry
                    entry, names = None, {}
                if words:
                    names[key] = words[0]
        if entry:
            yield entry


def _named(number: int, header: str) -> _Entry:
    # HOMER: consensus, name, threshold between tabs; JASPAR: identifier and name.
    cells = [cell.strip() for cell in header[1:].split("\t")]
    if len(cells) > 2 and cells[1]:
        return _Entry(number, cells[1], cells[0], is_homer=True)
    words = header[1:].split()
    identifier = words[0] if words else f"line {number}"
    return _Entry(number, words[1] if len(words) > 1 else identifier, identifier)
