"""Tables of a genome, TSV and Parquet: one row per base and strand, sorted by position.

Columns ``id`` (the contig), ``position`` (1-based, of the plus strand), ``strand``, ``residue``
(the letter on that strand), ``label`` and ``p_<letter>`` for each
class, in TSV to four decimals, and columns of values. Where both strands are written, the row of
the plus strand comes first. A base that is N has no row.
"""

import contextlib
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from grubio.files import written_whole
from grubio.inference.called_features import CalledRegion
from grubio.inference.labelled_region import LabelledRegion, additional_columns
from grubio.sequences.locus import Strand, reverse_complement
from grubio.writers.text import Content, TextFormat, tsv_line


class GenomeTsvFormat(TextFormat[CalledRegion]):
    """A row per base and strand, as text."""

    def header(self) -> str:
        """Return the line of column names."""
        names = ["id", "position", "strand", "residue", *["label"] * bool(self.content.scheme.size)]
        names += [f"p_{letter}" for letter in self.content.scheme.letters]
        return tsv_line(*names, *(name for t in self.content.additional for name in t.columns))

    def text(self, item: CalledRegion) -> str:
        """Return the rows of a region."""
        positions, strands, residues, labels, probabilities = _rows(item.region)
        numbers = "\t%.4f" * probabilities.shape[1] + "\n"
        return "".join(
            f"{item.region.contig}\t{position}\t{strand}\t{residue}{label}{numbers % tuple(row)}"
            for position, strand, residue, label, row in zip(
                positions.tolist(),
                strands,
                residues,
                [f"\t{label}" for label in labels] if labels else [""] * len(strands),
                probabilities.tolist(),
                strict=True,
            )
        )


@contextlib.contextmanager
def open_table(path: str, content: Content) -> Iterator[Callable[[CalledRegion], None]]:
    """Give a function that adds regions to a Parquet file, in groups of about a million rows.

    ``position`` is int64 and probabilities are float32, the rest strings. The scheme is in the
    file's metadata.
    """
    import pyarrow as pa

    from grubio.writers.parquet_groups import ParquetRows

    fields = [
        ("id", pa.string()),
        ("position", pa.int64()),
        ("strand", pa.string()),
        ("residue", pa.string()),
        *[("label", pa.string())] * bool(content.scheme.size),
        *((f"p_{letter}", pa.float32()) for letter in content.scheme.letters),
        *((name, pa.float32()) for target in content.additional for name in target.columns),
    ]
    with (
        written_whole(path) as temporary,
        ParquetRows(
            temporary, fields, content.scheme, content.additional, model=content.model
        ) as table,
    ):

        def write(item: CalledRegion) -> None:
            positions, strands, residues, labels, probabilities = _rows(item.region)
            columns = [[item.region.contig] * len(positions), positions, strands, residues]
            columns += [labels] * bool(content.scheme.size)
            columns += [*np.ascontiguousarray(probabilities.T)]
            table.add_rows([pa.array(column) for column in columns])

        yield write


def _rows(
    region: LabelledRegion,
) -> tuple[npt.NDArray[np.int64], list[Strand], list[str], list[str], npt.NDArray[np.float32]]:
    # Positions, strands, residues, labels and numbers (row, column), base by base: probabilities,
    # then values.
    known = np.flatnonzero(region.known)
    strands = list(region.probabilities)
    probabilities = np.stack([p[known] for p in region.probabilities.values()], axis=1)
    probabilities = probabilities.reshape(len(known) * len(strands), region.scheme.size)
    classes = np.stack([region.classes(strand)[known] for strand in strands], axis=1)
    texts = [
        region.residues if strand == "+" else reverse_complement(region.residues)[::-1]
        for strand in strands
    ]
    return (
        np.repeat(region.start + 1 + known, len(strands)),
        strands * len(known),
        [text[base] for base in known.tolist() for text in texts],
        list(region.scheme.decode(classes.ravel())) if region.scheme.size else [],
        np.concatenate((probabilities, _values(region, known)), axis=1),
    )


def _values(region: LabelledRegion, known: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
    # The columns of targets besides the labels, (row, column), strand by strand for each base.
    strands = list(region.probabilities)
    columns = [list(additional_columns(region.additional, s).values()) for s in strands]
    if not columns[0]:
        return np.zeros((len(known) * len(strands), 0), dtype=np.float32)
    stacked = np.stack([np.column_stack(one)[known] for one in columns], axis=1)
    return np.asarray(stacked.reshape(len(known) * len(strands), -1))
