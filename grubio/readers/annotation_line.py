"""One line of annotation as it stands in the file, and the feature that it describes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from grubio.errors import GrubioError

NO_STRAND: Literal["."] = "."
_STRANDS: Mapping[str, Literal["+", "-", "."]] = {"+": "+", "-": "-", ".": ".", "?": "."}


@dataclass(frozen=True)
class AnnotatedFeature:
    """A feature, as one line of annotation describes it.

    Attributes
    ----------
    contig
        Id of the contig.
    start, end
        First base and the base after the last one, 0-based, on the plus strand. On a circular
        contig ``end`` may lie past the end, by less than one turn.
    strand
        ``+``, ``-``, or ``.`` where there is none.
    line
        Its line.
    blocks
        Of BED with 12 columns, the start and end of each block, 0-based and half-open.
    summit
        Of narrowPeak, the base of the summit, 0-based; None where the line has none.
    circular
        Whether the contig is circular.
    """

    contig: str
    start: int
    end: int
    strand: Literal["+", "-", "."]
    line: AnnotationLine
    blocks: tuple[tuple[int, int], ...] = ()
    summit: int | None = None
    circular: bool = False

    @property
    def parts(self) -> Sequence[tuple[int, int]]:
        """The start and end of each block, or of the whole."""
        return self.blocks or ((self.start, self.end),)


@dataclass(frozen=True, eq=False)
class AnnotationLine(ABC):
    """One line, of which nothing but the number of columns has been checked.

    Attributes
    ----------
    path, number
        The file, and the 1-based line in it.
    cells
        The columns.
    """

    path: str | Path
    number: int
    cells: Sequence[str]

    @property
    def contig(self) -> str:
        """The first column."""
        return self.cells[0]

    @property
    @abstractmethod
    def kind(self) -> str:
        """Type (GFF3, GTF) or name (BED; ``.`` if the file has no names)."""

    @cached_property
    @abstractmethod
    def attributes(self) -> Mapping[str, Sequence[str]]:
        """The values of each attribute; of BED, ``name`` and ``score``."""

    @property
    def ids(self) -> Sequence[str]:
        """The names that other lines give as their parent."""
        return ()

    @property
    def parents(self) -> Sequence[str]:
        """The names of the features that it is part of."""
        return ()

    @property
    def transcripts(self) -> Sequence[str]:
        """The names of the transcripts that it is an exon of."""
        return ()

    @property
    def says_circular(self) -> bool:
        """Whether the line says that its contig is circular."""
        return False

    @abstractmethod
    def feature(self) -> AnnotatedFeature:
        """Return the feature.

        Raises
        ------
        GrubioError
            If a coordinate is not a number, or the strand is not one.
        """

    def error(self, problem: str, hint: str | None = None) -> GrubioError:
        """Return an error about this line."""
        return GrubioError(problem, path=self.path, line=self.number, hint=hint)

    def whole_number(self, text: str, what: str) -> int:
        """Return the number in a cell; errors call it ``what``."""
        # Longer ones are not coordinates, and Python refuses more than 4,300 digits.
        if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) < 20):
            raise self.error(f"{what} '{text[:40]}' is not a whole number")
        return int(text)

    def strand_in(self, text: str) -> Literal["+", "-", "."]:
        """Return the strand that a cell names."""
        if text not in _STRANDS:
            raise self.error(f"strand '{text[:40]}'; one of + - . was expected")
        return _STRANDS[text]
