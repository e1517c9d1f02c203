"""The dataset on disk: records as Parquet, with alphabet, scheme and sources in its metadata.

Columns ``id, description, sequence, labels, mask, group, split``, all strings, and one for each
additional target, null where a record has no answer: a string of labels, a list of values (NaN
where unknown), or the bytes of the shares of classes, uint8 ``(residue, class)`` in C order. The
file's key-value metadata has one key, ``grubio``, a JSON object with ``alphabet``, ``scheme``,
``targets`` (see :class:`grubio.sequences.target.Target`), ``sources`` (file name to SHA-256),
``sites`` (see :class:`DatasetHeader`) and ``version``.

Datasets of grubio 0.1 do not list their targets; their values are digits, tenths of the range.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from grubio.extras import needs

with needs("train", "a dataset"):
    import pyarrow as pa
    import pyarrow.parquet as pq

from grubio import __version__
from grubio.config import FORMER_TARGETS
from grubio.errors import GrubioError
from grubio.files import written_whole
from grubio.sequences.alphabet import ALPHABETS, Alphabet
from grubio.sequences.kind import Kind, kind_of
from grubio.sequences.record import Record
from grubio.sequences.scheme import NO_CLASSES, LabelScheme, scheme_from_dict
from grubio.sequences.target import LABELS, Answer, Target, target_from_dict, values_of_tenths

COLUMNS = ("id", "description", "sequence", "labels", "mask", "group", "split")
SPLITS = ("train", "valid", "test")

_NO_DATASET = ("is not a Parquet file", "make a dataset with: grubio prepare")
_ROWS_PER_GROUP = 10_000
_ROWS_READ = 1_000


@dataclass(frozen=True)
class DatasetHeader:
    """What holds for all records of a dataset.

    Attributes
    ----------
    alphabet
        Kind of residue.
    scheme
        Classes of the labels; :data:`grubio.sequences.scheme.NO_CLASSES` of records without.
    sources
        SHA-256 of each file that the records came from.
    sites
        For records cut out of a genome, both strands of each block, whose ids are loci
        (:mod:`grubio.sequences.locus`): the width of each class whose features all have the same
        one, by letter. None for other records.
    targets
        What can be learned besides the labels, or instead of them.
    """

    alphabet: Alphabet
    scheme: LabelScheme
    sources: Mapping[str, str] = field(default_factory=dict)
    sites: Mapping[str, int] | None = None
    targets: Sequence[Target] = ()

    @property
    def main(self) -> Target:
        """The main target: the labels, or the first target of records without labels."""
        if self.scheme is NO_CLASSES:
            return self.targets[0]
        return Target(LABELS, "classes", self.scheme)

    @property
    def additional(self) -> Sequence[Target]:
        """The targets besides the main one."""
        return self.targets[1:] if self.scheme is NO_CLASSES else self.targets

    @property
    def kind(self) -> Kind:
        """Whether the records are sequences or strands of a genome."""
        return kind_of(self.sites)


def write_dataset(path: str | Path, header: DatasetHeader, records: Iterable[Record]) -> None:
    """Write records to a Parquet file, in their order, in one step.

    Raises
    ------
    GrubioError
        If the file cannot be written.
    """
    content = {
        "alphabet": header.alphabet.name,
        "scheme": header.scheme.as_dict(),
        "sources": dict(header.sources),
        "sites": header.sites and dict(header.sites),
        "targets": [target.as_dict() for target in header.targets],
        "version": __version__,
    }
    columns = [(name, pa.string()) for name in COLUMNS]
    columns += [(target.name, _arrow_type(target)) for target in header.targets]
    schema = pa.schema(columns, {"grubio": json.dumps(content, sort_keys=True)})
    with (
        written_whole(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for rows in _groups(records, header.targets):
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))


def read_header(path: str | Path) -> DatasetHeader:
    """Return the header of a dataset.

    Raises
    ------
    GrubioError
        If the file is missing or is not a dataset of grubio.
    """
    with open_parquet(path, *_NO_DATASET) as file:
        raw = (file.schema_arrow.metadata or {}).get(b"grubio")
        names = set(file.schema_arrow.names)
    if raw is None or not names.issuperset(COLUMNS):
        raise GrubioError(
            "is Parquet but not a dataset of grubio",
            path=path,
            hint="make one with: grubio prepare",
        )
    try:
        content: dict[str, Any] = json.loads(raw)
        listed = content.get("targets")
        targets = FORMER_TARGETS if listed is None else tuple(map(target_from_dict, listed))
        scheme = scheme_from_dict(content["scheme"])
        if scheme is NO_CLASSES and not targets:
            raise ValueError("it has neither labels nor targets")
        if missing := {target.name for target in targets} - names:
            raise ValueError(f"there is no column '{min(missing)}'")
        return DatasetHeader(
            ALPHABETS[content["alphabet"]],
            scheme,
            content["sources"],
            content.get("sites"),
            targets,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise GrubioError(f"has a damaged header: {error}", path=path) from error


def read_records(
    path: str | Path, split: str | None = None, *, targets: bool = False
) -> Iterator[Record]:
    """Yield the records of a dataset in order; only those of one split if it is given.

    Answers for additional targets are read if ``targets`` is true.

    Raises
    ------
    GrubioError
        If the file is missing or is not a dataset of grubio.
    """
    header = read_header(path)
    additional = header.targets if targets else ()
    with open_parquet(path, *_NO_DATASET) as file:
        wanted = [*COLUMNS, *(target.name for target in additional)]
        try:
            for batch in file.iter_batches(_ROWS_READ, columns=wanted):
                for number, row in enumerate(batch.select(list(COLUMNS)).to_pylist()):
                    if split is None or row["split"] == split:
                        cells = (
                            (target, batch.column(target.name)[number]) for target in additional
                        )
                        answers = {t.name: _answer(cell, t) for t, cell in cells if cell.is_valid}
                        yield Record(**row, answers=answers)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise GrubioError(f"is damaged: {error}", path=path) from error


def require_splits(path: str | Path, records: Sequence[Record], split: str) -> None:
    """Raise GrubioError if a split that a step needs has no records."""
    if not records:
        raise GrubioError(
            f"has no records in split '{split}'",
            path=path,
            hint="divide it first: grubio split",
        )


def open_parquet(path: str | Path, problem: str, hint: str) -> pq.ParquetFile:
    """Open a Parquet file.

    Raises
    ------
    GrubioError
        If it is missing, or with the problem and the hint if it is no Parquet file.
    """
    try:
        file = pq.ParquetFile(path)
        # Names of columns that are not UTF-8 are found when they are asked for.
        _ = file.schema_arrow.names
    except FileNotFoundError as error:
        raise GrubioError("no such file", path=path) from error
    except (OSError, ValueError, pa.ArrowException) as error:
        raise GrubioError(problem, path=path, hint=hint) from error
    return file


def _arrow_type(target: Target) -> pa.DataType:
    if target.kind == "value":
        return pa.list_(pa.float32())
    return pa.binary() if target.shares else pa.string()


def _answer(cell: pa.Scalar, target: Target) -> Answer:
    if isinstance(cell, pa.ListScalar):
        return np.asarray(cell.values.to_numpy(zero_copy_only=False), dtype=np.float32)
    if isinstance(cell, pa.BinaryScalar) and not isinstance(cell, pa.StringScalar):
        return np.frombuffer(cell.as_py(), dtype=np.uint8).reshape(-1, target.size)
    text = str(cell.as_py())
    return text if target.kind == "classes" else values_of_tenths(text, target)


def _cell(answer: Answer | None) -> Answer | bytes | None:
    return answer.tobytes() if isinstance(answer, np.ndarray) and answer.ndim == 2 else answer


def _groups(records: Iterable[Record], targets: Sequence[Target]) -> Iterator[list[dict[str, Any]]]:
    rows = (
        {name: getattr(record, name) for name in COLUMNS}
        | {target.name: _cell(record.answers.get(target.name)) for target in targets}
        for record in records
    )
    while group := list(islice(rows, _ROWS_PER_GROUP)):
        yield group
