"""The dataset on disk: records as Parquet, with alphabet, scheme and sources in its metadata.

Columns ``id, description, sequence, labels, mask, group, split, fold``, all strings, one for each
additional target, null where a record has no answer: a string of labels, a list of values (NaN
where unknown), or the bytes of the shares of classes, uint8 ``(residue, class)`` in C order. If
labels are soft, ``soft_labels`` holds such shares of their classes and ``label_weights`` the bytes
of the weights of residues, uint8 ``(residue,)``, null where a record has none. If the records have
profiles, ``profile_frequencies`` holds the bytes of float16 ``(residue, 20)``, and
``profile_depth`` and ``profile_neff`` are numbers. The file's key-value metadata has one key,
``grubio``, a JSON object with ``alphabet``, ``scheme``, ``targets`` (see
:class:`grubio.sequences.target.Target`), ``sources`` (file name to SHA-256), ``sites`` and
``profiles`` (see :class:`DatasetHeader`) and ``version``.

Datasets of grubio 0.1 do not list their targets; their values are digits, tenths of the range.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from grubio.extras import needs

with needs("train", "a dataset"):
    import pyarrow as pa
    import pyarrow.parquet as pq

from grubio import __version__
from grubio.config import FORMER_TARGETS
from grubio.errors import GrubioError
from grubio.files import written_whole
from grubio.profiles.weighting import own_profile
from grubio.sequences.alphabet import ALPHABETS, PROTEIN, Alphabet
from grubio.sequences.kind import Kind, kind_of
from grubio.sequences.profile import Profile, profile_from
from grubio.sequences.record import Record
from grubio.sequences.scheme import NO_CLASSES, LabelScheme, scheme_from_dict
from grubio.sequences.target import (
    LABELS,
    SOFT_COLUMN,
    WEIGHT_COLUMN,
    Answer,
    Target,
    target_from_dict,
    values_of_tenths,
)

COLUMNS = ("id", "description", "sequence", "labels", "mask", "group", "split")
_FOLD = "fold"
"""A column that datasets of earlier versions do not have."""
SPLITS = ("train", "valid", "test")
PROFILE_COLUMNS = {
    "profile_frequencies": pa.binary(),
    "profile_depth": pa.int32(),
    "profile_neff": pa.float64(),
}
"""Columns of a dataset whose records have profiles."""

_SOFT_COLUMNS = (SOFT_COLUMN, WEIGHT_COLUMN)
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
    profiles
        How the profiles of the records were made; None if they have none.
    soft_labels
        Whether some records have soft labels.
    """

    alphabet: Alphabet
    scheme: LabelScheme
    sources: Mapping[str, str] = field(default_factory=dict)
    sites: Mapping[str, int] | None = None
    targets: Sequence[Target] = ()
    profiles: Mapping[str, Any] | None = None
    soft_labels: bool = False

    @property
    def has_profiles(self) -> bool:
        """Whether :func:`read_records` can give every record a profile."""
        return self.profiles is not None or self.target_of_profiles is not None

    @property
    def target_of_profiles(self) -> Target | None:
        """The target whose answers are profiles, if there is one: shares of the amino acids."""
        letters = PROTEIN.letters
        return next(
            (t for t in self.targets if t.shares and t.scheme and t.scheme.letters == letters), None
        )

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
        "profiles": header.profiles,
        "soft_labels": header.soft_labels,
        "version": __version__,
    }
    columns = [(name, pa.string()) for name in (*COLUMNS, _FOLD)]
    columns += [(target.name, _arrow_type(target)) for target in header.targets]
    columns += [(name, pa.binary()) for name in _SOFT_COLUMNS] if header.soft_labels else []
    columns += list(PROFILE_COLUMNS.items()) if header.profiles is not None else []
    schema = pa.schema(columns, {"grubio": json.dumps(content, sort_keys=True)})
    with (
        written_whole(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for rows in _groups(records, header):
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
        soft = bool(content.get("soft_labels", False))
        if missing := {*(t.name for t in targets), *(_SOFT_COLUMNS if soft else ())} - names:
            raise ValueError(f"there is no column '{min(missing)}'")
        return DatasetHeader(
            ALPHABETS[content["alphabet"]],
            scheme,
            content["sources"],
            content.get("sites"),
            targets,
            content.get("profiles"),
            soft,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise GrubioError(f"has a damaged header: {error}", path=path) from error


def read_records(
    path: str | Path, split: str | None = None, *, targets: bool = False, profiles: bool = False
) -> Iterator[Record]:
    """Yield the records of a dataset in order; only those of one split if it is given.

    Soft labels and answers for additional targets are read if ``targets`` is true, profiles, if the
    dataset has any, if ``profiles`` is.

    Raises
    ------
    GrubioError
        If the file is missing or is not a dataset of grubio.
    """
    header = read_header(path)
    additional = header.targets if targets else ()
    source = header.target_of_profiles if profiles and header.profiles is None else None
    own = [*PROFILE_COLUMNS] if profiles and header.profiles is not None else []
    soft = _SOFT_COLUMNS if targets and header.soft_labels else ()
    with open_parquet(path, *_NO_DATASET) as file:
        texts = [name for name in (*COLUMNS, _FOLD) if name in file.schema_arrow.names]
        names = [*texts, *own, *soft, *(t.name for t in additional)]
        names += [source.name] if source else []
        wanted = list(dict.fromkeys(names))
        try:
            for batch in file.iter_batches(_ROWS_READ, columns=wanted):
                for number, row in enumerate(batch.select(texts).to_pylist()):
                    if split is None or row["split"] == split:
                        cells = (
                            (target, batch.column(target.name)[number]) for target in additional
                        )
                        answers = {t.name: _answer(cell, t) for t, cell in cells if cell.is_valid}
                        if soft and batch.column(SOFT_COLUMN)[number].is_valid:
                            answers[LABELS] = _soft_labels(
                                *(batch.column(name)[number].as_py() for name in soft)
                            )
                        record = Record(**row, answers=answers)
                        if source is not None:
                            record = _with_shares(record, batch.column(source.name)[number])
                        elif own:
                            found = [batch.column(name)[number].as_py() for name in own]
                            record = _with_profile(record, *found)
                        yield record
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


def _soft_labels(shares: bytes, weights: bytes) -> npt.NDArray[np.uint8]:
    parts = [np.frombuffer(part, dtype=np.uint8) for part in (shares, weights)]
    return np.column_stack((parts[0].reshape(len(weights), -1), parts[1]))


def _soft_cells(answer: Answer | None) -> dict[str, Any]:
    if not isinstance(answer, np.ndarray):
        return dict.fromkeys(_SOFT_COLUMNS)
    parts = (answer[:, :-1], answer[:, -1])
    return {name: part.tobytes() for name, part in zip(_SOFT_COLUMNS, parts, strict=True)}


def _cell(answer: Answer | None) -> Answer | bytes | None:
    return answer.tobytes() if isinstance(answer, np.ndarray) and answer.ndim == 2 else answer


def _with_profile(record: Record, content: bytes, depth: int | None, neff: float | None) -> Record:
    stored = np.frombuffer(content, dtype=np.float16).reshape(len(record), -1)
    return replace(record, profile=Profile(record.sequence.upper(), stored, depth, neff))


def _with_shares(record: Record, cell: pa.Scalar) -> Record:
    # Shares are zeros where they are not known.
    shares = np.zeros((len(record), PROTEIN.channels))
    if cell.is_valid:
        shares = np.frombuffer(cell.as_py(), dtype=np.uint8).reshape(shares.shape).astype(float)
    unknown = ~shares.any(axis=1)
    if unknown.any():
        shares[unknown] = own_profile(record.sequence).frequencies[unknown]
    return replace(record, profile=profile_from(record.sequence, shares))


def _profile_cells(record: Record) -> dict[str, Any]:
    profile = record.profile or own_profile(record.sequence)
    return dict(
        zip(
            PROFILE_COLUMNS,
            (profile.stored.tobytes(), profile.depth, profile.neff),
            strict=True,
        )
    )


def _groups(records: Iterable[Record], header: DatasetHeader) -> Iterator[list[dict[str, Any]]]:
    rows = (
        {name: getattr(record, name) for name in (*COLUMNS, _FOLD)}
        | {target.name: _cell(record.answers.get(target.name)) for target in header.targets}
        | (_soft_cells(record.answers.get(LABELS)) if header.soft_labels else {})
        | (_profile_cells(record) if header.profiles is not None else {})
        for record in records
    )
    while group := list(islice(rows, _ROWS_PER_GROUP)):
        yield group
