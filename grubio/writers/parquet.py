"""Parquet: one row per residue.

Columns ``id`` (string), ``position`` (int32, 1-based), ``residue``, ``label`` (strings) and
``p_<letter>`` (float32) for each class, and the columns of additional targets: of values one
(float32), such as ``rsa``, and if it is predicted their standard deviation; of classes the label
(string) and the probabilities (float32). A model of values alone has no labels. A model
that reads profiles adds ``depth`` (int32), the sequences in the alignment. Predictions of
labelled records may have two more after ``residue``: ``observed`` (label or value) and
``mask``, and at the end ``observed_<column>`` for each further target. The scheme's name and
classes, and the additional targets, are in the file's metadata, as ``grubio_scheme``,
``grubio_classes`` and ``grubio_targets`` (JSON), and the model as ``grubio_model``.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from grubio.files import written_whole
from grubio.inference.labelled_sequence import LabelledSequence
from grubio.sequences.record import Record
from grubio.sequences.scheme import UNKNOWN_LABEL, LabelScheme
from grubio.sequences.target import Target
from grubio.writers.parquet_groups import ParquetRows
from grubio.writers.text import Content


@contextlib.contextmanager
def open_table(path: str, content: Content) -> Iterator[Callable[[LabelledSequence], None]]:
    """Give a function that adds labelled sequences to a Parquet file."""
    with (
        written_whole(path) as temporary,
        ParquetPredictions(
            temporary,
            content.scheme,
            additional=content.additional,
            model=content.model,
            depth=content.depth,
        ) as table,
    ):
        yield table.write


class ParquetPredictions(ParquetRows):
    """Writes predictions to a Parquet file in groups of about a million rows.

    Parameters
    ----------
    path
        File to write.
    scheme
        Classes to write.
    observed
        Whether to write the observed labels and masks as well.
    additional
        The additional targets to write.
    model
        The model and what it was trained on, if it is known.
    depth
        Whether to write the depth of alignments.
    """

    def __init__(
        self,
        path: Path,
        scheme: LabelScheme,
        *,
        observed: bool = False,
        additional: Sequence[Target] = (),
        model: str = "",
        depth: bool = False,
    ) -> None:
        self._observed = observed
        self._additional = additional
        # The first target is in the column ``observed``, be it the labels or a value.
        self._further = additional[not scheme.size :] if observed else ()
        self._depth = depth
        kind = pa.string() if scheme.size else pa.float32()
        known = [("observed", kind), ("mask", pa.string())] if observed else []
        super().__init__(
            path,
            [
                ("id", pa.string()),
                ("position", pa.int32()),
                ("residue", pa.string()),
                *known,
                *[("label", pa.string())] * bool(scheme.size),
                *((f"p_{letter}", pa.float32()) for letter in scheme.letters),
                *(
                    (name, pa.string() if target.scheme and place == 0 else pa.float32())
                    for target in additional
                    for place, name in enumerate(target.columns)
                ),
                *([("depth", pa.int32())] if depth else []),
                *(
                    (f"observed_{target.heading}", pa.string() if target.scheme else pa.float32())
                    for target in self._further
                ),
            ],
            scheme,
            additional,
            model,
        )

    def write(self, sequence: LabelledSequence, record: Record | None = None) -> None:
        """Add the residues of one sequence; its record has the observed labels."""
        written = replace(
            sequence,
            additional=sequence.additional if self._additional else {},
            depth=(sequence.depth or 0) if self._depth else None,
        )
        table = written.columns()
        columns = [pa.array(column) for column in table.values()]
        if self._observed and record is not None:
            columns[3:3] = [self._known(record), pa.array(list(record.mask or "1" * len(record)))]
            columns += [_answer(record, target) for target in self._further]
        self.add_rows(columns)

    def _known(self, record: Record) -> pa.Array:
        if record.labels is not None or not self._additional:
            return pa.array(list(record.labels or ""))
        return _answer(record, self._additional[0])


def _answer(record: Record, target: Target) -> pa.Array:
    answer = record.answers.get(target.name)
    if target.scheme is not None:
        return pa.array(list(answer if isinstance(answer, str) else UNKNOWN_LABEL * len(record)))
    known = answer if isinstance(answer, np.ndarray) else np.full(len(record), np.nan)
    return pa.array(known.astype(np.float32))
