"""Alignments as FASTA: A3M, and FASTA with gaps.

The first sequence is the one whose profile is asked for. In A3M lower case and ``.`` are insertions
between its residues, and are left out. ColabFold and MMseqs2 put several alignments into one file,
with a zero byte after each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from grubio.errors import GrubioError
from grubio.profiles.named import NamedProfile
from grubio.profiles.weighting import profile_of_rows
from grubio.text import text_lines

_OF_HH_SUITE = {"ss_pred", "ss_conf", "ss_dssp", "sa_pred", "sa_dssp", "aa_pred", "aa_dssp"}
"""Names of rows of HH-suite that are no sequences of the alignment."""

_POINTS = str.maketrans("", "", ".")
_INSERTIONS = str.maketrans("", "", "abcdefghijklmnopqrstuvwxyz.")


def read_a3m(path: str | Path) -> Iterator[NamedProfile]:
    """Yield the profile of each alignment of an A3M file.

    Raises
    ------
    GrubioError
        With the first sequence of an alignment that is empty, or whose sequences do not have the
        same number of columns.
    """
    for entries in read_a3m_rows(path):
        yield _named(entries, path)


def read_a3m_rows(path: str | Path, *, insertions: bool = False) -> Iterator[list[tuple[str, str]]]:
    """Yield the titles and rows of each alignment of an A3M file, with insertions if asked for.

    Raises
    ------
    GrubioError
        If it is no FASTA.
    """
    for text in _texts(path):
        removed = _POINTS if insertions else _INSERTIONS
        yield [(title, row.translate(removed)) for title, row in _parsed(text)]


def read_aligned_fasta(path: str | Path) -> Iterator[NamedProfile]:
    """Yield the profile of the one alignment of a FASTA file.

    Raises
    ------
    GrubioError
        If it is empty, or its sequences do not have the same number of columns.
    """
    yield _named(_parsed("".join(_texts(path))), path)


def _texts(path: str | Path) -> Iterator[str]:
    # The parts of a file between zero bytes, one at a time.
    held: list[str] = []
    empty = True
    for _, line in text_lines(path, zeros=True):
        *ends, rest = line.split("\0")
        for end in ends:
            yield _required("".join((*held, end)), path)
            held, empty = [], False
        held.append(rest)
    last = "".join(held)
    if empty or last.strip():
        yield _required(last, path)


def _required(text: str, path: str | Path) -> str:
    if text.strip() and not text.lstrip().startswith((">", "#")):
        raise GrubioError("is no FASTA: '>' was expected", path=path)
    return text


def _parsed(text: str) -> Iterator[tuple[str, str]]:
    # Not grubio.readers.fasta: in an alignment ids may repeat.
    for entry in f"\n{text}".split("\n>")[1:]:
        title, _, rows = entry.partition("\n")
        yield title, "".join(rows.split())


def _named(entries: Iterable[tuple[str, str]], path: str | Path) -> NamedProfile:
    # HH-suite puts secondary structure before the sequences.
    named = ((title.split(maxsplit=1)[0] if title.strip() else "", row) for title, row in entries)
    found = [(first, row) for first, row in named if first not in _OF_HH_SUITE]
    name = found[0][0] if found else None
    try:
        return NamedProfile(name, profile_of_rows([row for _, row in found]))
    except ValueError as error:
        raise GrubioError(str(error), path=path, record=name) from None
