"""Tables of a genome, TSV and Parquet: one row per base and strand, sorted by position.

Columns ``id`` (the contig), ``position`` (1-based, of the plus strand), ``strand``, ``residue``
(the letter on that strand), ``label`` (the most probable class) and ``p_<letter>`` for each
class, in TSV to four decimals. Where both strands are written, the row of the plus strand comes
first. A base that is N has no row.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from grubio.inference.stretches import Stretch
from grubio.sequences.called_feature import CalledFeature
from grubio.sequences.locus import Strand, reverse_complement
from grubio.sequences.scheme import LabelScheme
from grubio.writers.genome_text import PlainGenomeFormat
from grubio.writers.parquet_rows import ParquetRows


class GenomeTsvFormat(PlainGenomeFormat):
    """See the module's text."""

    def __init__(self, scheme: LabelScheme) -> None:
        self._scheme = scheme

    def header(self) -> str:
        """Return the line of column names."""
        names = ["id", "position", "strand", "residue", "label"]
        return "\t".join([*names, *(f"p_{letter}" for letter in self._scheme.letters)]) + "\n"

    def text(self, stretch: Stretch, features: Sequence[CalledFeature]) -> str:
        """Return the rows of a stretch."""
        positions, strands, residues, labels, probabilities = _rows(stretch)
        numbers = "\t%.4f" * self._scheme.size + "\n"
        return "".join(
            f"{stretch.contig}\t{position}\t{strand}\t{residue}\t{label}{numbers % tuple(row)}"
            for position, strand, residue, label, row in zip(
                positions.tolist(), strands, residues, labels, probabilities.tolist(), strict=True
            )
        )


class GenomeParquet(ParquetRows):
    """Writes stretches to a Parquet file in groups of about a million rows.

    ``position`` is int64 and probabilities are float32, the rest strings. The scheme's name is in
    the file's metadata.

    Parameters
    ----------
    path
        File to write.
    scheme
        The classes.
    """

    def __init__(self, path: Path, scheme: LabelScheme) -> None:
        super().__init__(
            path,
            [
                ("id", pa.string()),
                ("position", pa.int64()),
                ("strand", pa.string()),
                ("residue", pa.string()),
                ("label", pa.string()),
                *((f"p_{letter}", pa.float32()) for letter in scheme.letters),
            ],
            scheme,
        )

    def write(self, stretch: Stretch, features: Sequence[CalledFeature]) -> None:
        """Add the rows of a stretch."""
        positions, strands, residues, labels, probabilities = _rows(stretch)
        columns = [
            pa.array([stretch.contig] * len(positions)),
            pa.array(positions),
            pa.array(strands),
            pa.array(residues),
            pa.array(labels),
            *(pa.array(column) for column in np.ascontiguousarray(probabilities.T)),
        ]
        self.add_rows(columns)


def _rows(
    stretch: Stretch,
) -> tuple[npt.NDArray[np.int64], list[Strand], list[str], list[str], npt.NDArray[np.float32]]:
    # Positions, strands, residues, labels and probabilities (row, class), base by base.
    known = np.flatnonzero(stretch.known)
    strands = list(stretch.probabilities)
    probabilities = np.stack([p[known] for p in stretch.probabilities.values()], axis=1)
    probabilities = probabilities.reshape(-1, stretch.scheme.size)
    texts = [
        stretch.residues if strand == "+" else reverse_complement(stretch.residues)[::-1]
        for strand in strands
    ]
    return (
        np.repeat(stretch.start + 1 + known, len(strands)),
        strands * len(known),
        [text[base] for base in known.tolist() for text in texts],
        list(stretch.scheme.decode(probabilities.argmax(axis=1))),
        probabilities,
    )
