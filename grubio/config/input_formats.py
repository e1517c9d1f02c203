"""The formats that ``prepare`` reads: the table for options, the configuration and readers.

Readers are named, not imported, so that reading the table loads no library. To add a format, write
its module in :mod:`grubio.readers` and its entry here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias


class InputFormat(NamedTuple):
    """What a format holds, and its reader.

    Attributes
    ----------
    holds
        What a file holds, in a few words.
    reader
        Function from a path to an iterator of records, as ``module.name`` within
        :mod:`grubio.readers`; empty if the format needs more than one file.
    counts
        Whether the reader takes ``left_out``, which counts what it leaves out without an error.
    many_files
        Whether there is a file for each record, so that a bad one may be skipped.
    """

    holds: str
    reader: str = ""
    counts: bool = False
    many_files: bool = False


INPUT_FORMATS = {
    "fasta": InputFormat("labels and masks in other FASTA files"),
    "tagged": InputFormat(
        "FASTA with SET= TARGET= MASK= in the header", "tagged_fasta.read_tagged_fasta", counts=True
    ),
    "three-line": InputFormat(
        "FASTA with a line of labels under each sequence", "three_line_fasta.read_three_line_fasta"
    ),
    "tsv": InputFormat("a table with tabs, commas or semicolons", "table.read_table"),
    "parquet": InputFormat("a table as Parquet", "parquet_table.read_parquet"),
    "dssp": InputFormat("DSSP output", "dssp.read_dssp", counts=True, many_files=True),
    "structure": InputFormat(
        "PDB or mmCIF, through mkdssp", "structure.read_structure", counts=True, many_files=True
    ),
    "genome": InputFormat("FASTA of contigs, labelled from annotation by `classes`"),
}

if TYPE_CHECKING:
    RecordFormat: TypeAlias = str
else:
    RecordFormat = Literal[tuple(INPUT_FORMATS)]


def described_input_formats() -> str:
    """Return the names of the formats and what they hold, for help texts."""
    return ", ".join(f"`{name}` ({known.holds})" for name, known in INPUT_FORMATS.items())
