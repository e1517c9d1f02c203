"""Predictions read back from Parquet, as :mod:`grubio.writers.parquet` wrote them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from grubio.config import FORMER_TARGETS
from grubio.datasets.parquet import open_parquet
from grubio.errors import GrubioError
from grubio.inference.labelled_sequence import LabelledSequence
from grubio.sequences.runs_and_peaks import equal_runs
from grubio.sequences.scheme import (
    SCHEMES,
    UNKNOWN_LABEL,
    LabelScheme,
    custom_scheme,
    scheme_from_dict,
)
from grubio.sequences.target import Target, target_from_dict

_HINT = "give a file that grubio predict --output FILE.parquet wrote"


class PredictionsTable:
    """A Parquet file of predictions.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    GrubioError
        If it is missing, damaged, or holds something else.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = path
        self._file = open_parquet(path, "is not a Parquet file", _HINT)
        self._names = self._file.schema_arrow.names
        if "strand" in self._names:
            raise GrubioError(
                "holds the bases of a genome, which are too many for a page",
                path=path,
                hint="use grubio predict GENOME --output features.html, or --format igv",
            )
        missing = [name for name in ("id", "residue", "label") if name not in self._names]
        letters = "".join(name[2:] for name in self._names if name.startswith("p_"))
        if missing or len(letters) < 2:
            raise GrubioError(
                f"has no column '{missing[0] if missing else 'p_<class>'}'", path=path, hint=_HINT
            )
        self.scheme = self._scheme(letters)
        listed = (self._file.schema_arrow.metadata or {}).get(b"grubio_targets")
        targets = FORMER_TARGETS if listed is None else map(target_from_dict, json.loads(listed))
        self._further = [target for target in targets if set(target.columns) <= {*self._names}]

    def __iter__(self) -> Iterator[LabelledSequence]:
        """Yield the sequences in order, one at a time.

        Raises
        ------
        GrubioError
            If the file is damaged or empty.
        """
        found = False
        waiting: list[dict[str, Any]] = []
        try:
            for batch in self._file.iter_batches():
                for part in _by_id(batch):
                    if waiting and waiting[0]["id"] != part["id"]:
                        yield self._sequence(waiting)
                        waiting = []
                    waiting.append(part)
                    found = True
        except (OSError, ValueError, pa.ArrowException) as error:
            raise GrubioError(f"cannot be read: {error}", path=self._path) from error
        if not found:
            raise GrubioError("holds no predictions", path=self._path, hint=_HINT)
        yield self._sequence(waiting)

    def _scheme(self, letters: str) -> LabelScheme:
        about = self._file.schema_arrow.metadata or {}
        try:
            if classes := about.get(b"grubio_classes"):
                return scheme_from_dict(json.loads(classes))
            name = about.get(b"grubio_scheme", b"classes").decode()
            known = [scheme for scheme in SCHEMES.values() if scheme.letters == letters]
            return known[0] if known else custom_scheme(name, letters)
        except ValueError as error:
            raise GrubioError(str(error), path=self._path, hint=_HINT) from error

    def _sequence(self, parts: list[dict[str, Any]]) -> LabelledSequence:
        columns = {name: [part[name] for part in parts] for name in parts[0]}
        text = {
            name: "".join("".join(piece) for piece in columns[name])
            for name in ("residue", "label", "observed", "mask")
            if name in columns
        }
        probabilities = np.column_stack(
            [np.concatenate(columns[f"p_{letter}"]) for letter in self.scheme.letters]
        )
        observed = text.get("observed")
        if observed is not None and "mask" in text:
            observed = "".join(
                letter if counts == "1" else UNKNOWN_LABEL
                for letter, counts in zip(observed, text["mask"], strict=True)
            )
        further = {target: _further(target, columns) for target in self._further}
        return LabelledSequence(
            parts[0]["id"],
            text["residue"],
            text["label"],
            probabilities,
            self.scheme,
            further,
            observed,
        )


def _further(target: Target, columns: dict[str, list[Any]]) -> npt.NDArray[np.float32]:
    if target.scheme is None:
        return np.concatenate(columns[target.heading])
    return np.column_stack([np.concatenate(columns[name]) for name in target.columns[1:]])


def _by_id(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    ids = np.array(batch.column("id").to_pylist(), dtype=object)
    for first, last in equal_runs(ids).tolist():
        part = batch.slice(first, last - first)
        values: dict[str, Any] = {"id": ids[first]}
        for name in part.schema.names:
            column = part.column(name)
            if pa.types.is_floating(column.type):
                values[name] = column.to_numpy(zero_copy_only=False)
            elif name in ("residue", "label", "observed", "mask"):
                values[name] = column.to_pylist()
        yield values
