"""What all writers know before the first record, and what text writers share."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Generic, TypeVar

from grubio.sequences.kind import Kind
from grubio.sequences.locus import Strand
from grubio.sequences.scheme import LabelScheme
from grubio.sequences.target import Target

ItemT = TypeVar("ItemT")


@dataclass(frozen=True)
class Content:
    """What all records of an output share.

    Attributes
    ----------
    kind
        Kind of the model: a writer takes a
        :class:`grubio.inference.labelled_sequence.LabelledSequence` at a time, or a
        :class:`grubio.inference.called_features.CalledRegion` of a genome.
    scheme
        The classes.
    additional
        The additional targets of sequences; formats that can hold them write them.
    strands
        The labelled strands of a genome.
    model
        Name of the model and what it was trained on, in one line; empty if it is not known.
    depth
        Whether the model reads profiles, so that sequences have a depth.
    """

    kind: Kind
    scheme: LabelScheme
    additional: tuple[Target, ...] = ()
    strands: tuple[Strand, ...] = ()
    model: str = ""
    depth: bool = False

    @property
    def schemes(self) -> list[LabelScheme]:
        """The classes of the labels and of further targets."""
        further = [target.scheme for target in self.additional if target.scheme is not None]
        return [self.scheme, *further] if self.scheme.size else further

    @property
    def has_regions(self) -> bool:
        """Whether stretches of values are called, or further targets have labels."""
        return any(t.regions is not None or t.scheme is not None for t in self.additional)


class TextFormat(ABC, Generic[ItemT]):
    """A format that is written item by item to a text stream.

    Parameters
    ----------
    content
        What all items share.
    """

    def __init__(self, content: Content) -> None:
        self.content = content

    def header(self) -> str:
        """Return the top of a file: nothing, for most formats."""
        return ""

    @abstractmethod
    def text(self, item: ItemT) -> str:
        """Return one item as text."""

    def footer(self) -> str:
        """Return the end of a file: nothing, for most formats."""
        return ""


def file_name(text: str, taken: set[str]) -> str:
    """Return a file name that is not taken, and take it; two texts may differ in other characters.

    Examples
    --------
    >>> file_name("sp|P1", taken := set()), file_name("sp/p1", taken)
    ('sp_P1', 'sp_p1.2')
    """
    # File systems allow 255 bytes; a number, an ending and a temporary part may be appended.
    name = stem = (re.sub(r"[^A-Za-z0-9._-]", "_", text).lstrip(".") or "record")[:180]
    number = 1
    while name.lower() in taken:
        number += 1
        name = f"{stem}.{number}"
    taken.add(name.lower())
    return name


def tsv_line(*cells: object) -> str:
    r"""Return one line of a table; no cell of ours holds a tab.

    Examples
    --------
    >>> tsv_line("id", 1, "H")
    'id\t1\tH\n'
    """
    return "\t".join(map(str, cells)) + "\n"
