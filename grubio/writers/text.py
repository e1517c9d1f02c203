"""What the writers of text formats have in common."""

from __future__ import annotations

from typing import Protocol, TextIO

from grubio.errors import GrubioError
from grubio.inference.labelled_sequence import LabelledSequence
from grubio.sequences.scheme import SS3, LabelScheme


class TextFormat(Protocol):
    """A format that is written record by record to a text stream.

    Attributes
    ----------
    suffix
        Ending of file names, with the dot.
    """

    suffix: str

    def header(self, scheme: LabelScheme) -> str:
        """Return what stands once at the top of a file."""
        ...

    def write(self, out: TextIO, sequence: LabelledSequence) -> None:
        """Write one sequence."""
        ...

    def footer(self) -> str:
        """Return what stands once at the end of a file."""
        ...


class PlainFormat:
    """Base of the formats that have nothing but their records."""

    def header(self, scheme: LabelScheme) -> str:
        """Return nothing."""
        return ""

    def footer(self) -> str:
        """Return nothing."""
        return ""


def require_three_states(scheme: LabelScheme, format_name: str) -> None:
    """Raise GrubioError unless a scheme is SS3, the only one that PSIPRED's formats can hold."""
    if scheme.name != SS3.name:
        raise GrubioError(
            f"format {format_name} holds helix, strand and coil; it cannot hold {scheme.name}",
            hint="use --scheme ss3 with a model of secondary structure, or --format tsv",
        )
