"""What the writers of text formats of a genome have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from grubio.inference.stretches import Stretch
from grubio.sequences.called_feature import CalledFeature


class GenomeTextFormat(Protocol):
    """A format that is written stretch by stretch to a text stream."""

    def header(self) -> str:
        """Return what stands once at the top of a file."""
        ...

    def text(self, stretch: Stretch, features: Sequence[CalledFeature]) -> str:
        """Return what a stretch and the features that became certain with it add."""
        ...

    def footer(self) -> str:
        """Return what stands once at the end of a file."""
        ...


class PlainGenomeFormat:
    """Base of the formats that have nothing but their lines."""

    def header(self) -> str:
        """Return nothing."""
        return ""

    def footer(self) -> str:
        """Return nothing."""
        return ""
