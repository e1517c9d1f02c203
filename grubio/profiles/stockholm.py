"""Alignments in Stockholm format, one or many in a file; Biopython reads them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

from grubio.errors import GrubioError
from grubio.extras import needs
from grubio.profiles.named import COPY, NamedProfile
from grubio.profiles.weighting import profile_of_rows
from grubio.text import read_text

_BEGIN = re.compile(r"^# STOCKHOLM", re.MULTILINE)
_END = re.compile(r"^//\s*$", re.MULTILINE)
_PLACE = re.compile(r"/\d+-\d+$")


def read_stockholm(path: str | Path) -> Iterator[NamedProfile]:
    """Yield the profile of the first sequence of each alignment, without the place in its id.

    Raises
    ------
    GrubioError
        If the file holds no alignment, or something else, or is cut off.
    """
    with needs("train", "reading a Stockholm alignment"):
        from Bio import AlignIO

    text, name = read_text(path), None
    # Biopython takes the end of the file for the end of the alignment.
    if len(_BEGIN.findall(text)) > len(_END.findall(text)):
        raise GrubioError("is cut off: an alignment does not end with //", path=path, hint=COPY)
    try:
        for alignment in AlignIO.parse(io.StringIO(text), "stockholm"):
            name = _PLACE.sub("", alignment[0].id)
            yield NamedProfile(name, profile_of_rows([str(row.seq) for row in alignment]))
    except (ValueError, AssertionError) as error:
        raise GrubioError(f"is no Stockholm alignment: {error}", path=path, record=name) from error
    if name is None:
        raise GrubioError("the alignment is empty", path=path)
