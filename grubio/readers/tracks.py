"""Values along a genome, from bedGraph or BigWig; bases that a file does not cover are unknown.

Specifications: UCSC Genome Browser, "bedGraph Track Format" and "bigWig Track Format". The files
have no strand: a value counts for both.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from grubio.errors import GrubioError
from grubio.text import text_lines

Interval: TypeAlias = tuple[str, int, int, float, int | None]
"""Contig, start, end (0-based, half-open), value, and the line if there are lines."""

_BIGWIG = (b"\x26\xfc\x8f\x88", b"\x88\x8f\xfc\x26")
_OTHERS = ("track", "browser", "#")


def read_track(path: str | Path, lengths: Mapping[str, int]) -> dict[str, npt.NDArray[np.float32]]:
    """Return the values of each contig, float32 ``(base,)``; NaN where there is none.

    Parameters
    ----------
    path
        bedGraph, plain or compressed, or BigWig; told apart by their content.
    lengths
        Bases of each contig; intervals of others are left out.

    Raises
    ------
    GrubioError
        With the line, if a line is not as expected, an interval lies outside of its contig or
        overlaps another one; or if no interval lies on one of the contigs.
    """
    values = {name: np.full(size, np.nan, dtype=np.float32) for name, size in lengths.items()}
    found = set()
    for contig, start, end, value, line in _intervals(path):
        own = values.get(contig)
        found.add(contig)
        if own is None:
            continue
        where = f"{contig}:{start}-{end}"
        if not 0 <= start < end <= len(own):
            problem = f"{where} is empty or outside of the {len(own)} bases of the contig"
            raise GrubioError(problem, path=path, line=line)
        if np.isfinite(own[start:end]).any():
            raise GrubioError(f"{where} overlaps another interval", path=path, line=line)
        own[start:end] = value
    if not found & values.keys():
        named = ", ".join(sorted(found)[:3]) or "none"
        raise GrubioError(
            f"has no values for the contigs of the genome; its contigs: {named}",
            path=path,
            hint="the names must be the same in both",
        )
    return values


def _intervals(path: str | Path) -> Iterator[Interval]:
    try:
        with open(path, "rb") as raw:
            binary = raw.read(4) in _BIGWIG
    except OSError as error:
        raise GrubioError(error.strerror or str(error), path=path) from error
    return _of_bigwig(path) if binary else _of_bedgraph(path)


def _of_bigwig(path: str | Path) -> Iterator[Interval]:
    import pybigtools

    try:
        with pybigtools.open(str(path)) as track:
            for contig in track.chroms():
                for start, end, value in track.records(contig):
                    if math.isfinite(value):
                        yield contig, start, end, value, None
    except (OSError, ValueError, RuntimeError, pybigtools.BBIReadError) as error:
        raise GrubioError(f"cannot be read as BigWig: {error}", path=path) from error


def _of_bedgraph(path: str | Path) -> Iterator[Interval]:
    for number, line in text_lines(path):
        if not line.strip() or line.startswith(_OTHERS):
            continue
        cells = line.split()
        if len(cells) != 4:
            problem = f"{len(cells)} cells; contig, start, end and value were expected"
            raise GrubioError(problem, path=path, line=number)
        try:
            contig, start, end, value = cells[0], int(cells[1]), int(cells[2]), float(cells[3])
        except ValueError as error:
            raise GrubioError(f"not a number: {error}", path=path, line=number) from None
        if math.isinf(value):
            raise GrubioError(f"'{cells[3]}' is too large", path=path, line=number)
        if not math.isnan(value):
            yield contig, start, end, value, number
