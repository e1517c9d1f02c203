"""Three-line FASTA: a header, the sequence on one line, and its labels on the next.

Both may be wrapped, in the same way.

The predictors of membrane proteins and signal peptides of DTU (DeepTMHMM, SignalP) write it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from grubio.errors import GrubioError
from grubio.readers.fasta import read_entries
from grubio.sequences.record import Record


def read_three_line_fasta(path: str | Path) -> Iterator[Record]:
    """Yield the records of a three-line FASTA file.

    Raises
    ------
    GrubioError
        With the line, if a record does not have two lines below its header.
    """
    for entry in read_entries(path):
        residues = entry.ends[0] if len(entry.ends) == 2 else entry.half
        if residues is None:
            raise GrubioError(
                "one line of residues and one of labels were expected below the header",
                path=path,
                line=entry.line,
                record=entry.id,
            )
        sequence, labels = entry.text[:residues], entry.text[residues:]
        yield Record(entry.id, entry.description, sequence, labels)
