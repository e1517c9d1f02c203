"""Reading predictions that :mod:`grubio.writers.parquet` wrote."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from grubio.extras import needs

with needs("parquet", "a file of predictions"):
    import pyarrow as pa

from grubio.config import FORMER_TARGETS
from grubio.datasets.parquet import open_parquet
from grubio.errors import GrubioError
from grubio.inference.labelled_sequence import LabelledSequence
from grubio.sequences.runs_and_peaks import equal_runs
from grubio.sequences.scheme import (
    NO_CLASSES,
    SCHEMES,
    UNKNOWN_LABEL,
    LabelScheme,
    custom_scheme,
    scheme_from_dict,
)
from grubio.sequences.target import target_from_dict

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
                "holds the bases of a genome, too many for a page",
                path=path,
                hint="use grubio predict GENOME --output features.html, or --format igv",
            )
        letters = "".join(name[2:] for name in self._names if name.startswith("p_"))
        about = self._file.schema_arrow.metadata or {}
        try:
            classes = about.get(b"grubio_classes") if not letters else None
            unlabelled = classes and scheme_from_dict(json.loads(classes)) is NO_CLASSES
            self._texts = ("id", "residue") if unlabelled else ("id", "residue", "label")
            missing = [name for name in self._texts if name not in self._names]
            if missing or (len(letters) < 2 and not unlabelled):
                raise GrubioError(
                    f"has no column '{missing[0] if missing else 'p_<class>'}'",
                    path=path,
                    hint=_HINT,
                )
            self.scheme = NO_CLASSES if unlabelled else _scheme(about, letters)
            listed = about.get(b"grubio_targets")
            targets = (
                FORMER_TARGETS if listed is None else [*map(target_from_dict, json.loads(listed))]
            )
        except (TypeError, ValueError) as error:
            raise GrubioError(f"its metadata: {error}", path=path, hint=_HINT) from error
        self._additional = [target for target in targets if set(target.columns) <= {*self._names}]

    def __iter__(self) -> Iterator[LabelledSequence]:
        """Yield the sequences in order, one at a time.

        Raises
        ------
        GrubioError
            If the file is damaged or empty, a cell is empty, or rows are not in order.
        """
        seen: set[str] = set()
        try:
            for table in self._tables():
                name = table["id"][0].as_py()
                places = table["position"].to_numpy() if "position" in self._names else None
                if name in seen or (places is not None and (np.diff(places) != 1).any()):
                    raise GrubioError(
                        "its residues are not in order, or not next to one another",
                        path=self._path,
                        record=name,
                        hint="sort the rows by id and position",
                    )
                seen.add(name)
                yield self._sequence(table)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise GrubioError(f"cannot be read: {error}", path=self._path) from error
        if not seen:
            raise GrubioError("holds no predictions", path=self._path, hint=_HINT)

    def _tables(self) -> Iterator[pa.Table]:
        # Consecutive rows of one id.
        waiting: list[pa.RecordBatch] = []
        last = None
        for batch in self._file.iter_batches():
            ids = np.array(batch.column("id").to_pylist(), dtype=object)
            for first, end in equal_runs(ids).tolist():
                if waiting and ids[first] != last:
                    yield pa.Table.from_batches(waiting)
                    waiting = []
                waiting.append(batch.slice(first, end - first))
                last = ids[first]
        if waiting:
            yield pa.Table.from_batches(waiting)

    def _sequence(self, table: pa.Table) -> LabelledSequence:
        for column in (
            *self._texts,
            *(f"p_{letter}" for letter in self.scheme.letters),
        ):
            if table[column].null_count:
                raise GrubioError(
                    f"has an empty cell in column '{column}'",
                    path=self._path,
                    record=table["id"][0].as_py(),
                    hint="a residue without a label is written as ?",
                )

        def text(name: str) -> str:
            return "".join(table[name].to_pylist())

        def numbers(names: Iterable[str]) -> npt.NDArray[np.float32]:
            return np.column_stack([table[name].to_numpy() for name in names])

        known = "observed" in self._names and self.scheme.size > 0
        observed = text("observed") if known else None
        if observed is not None and "mask" in self._names:
            observed = "".join(
                letter if counts == "1" else UNKNOWN_LABEL
                for letter, counts in zip(observed, text("mask"), strict=True)
            )
        return LabelledSequence(
            table["id"][0].as_py(),
            text("residue"),
            text("label") if self.scheme.size else "",
            numbers(f"p_{letter}" for letter in self.scheme.letters)
            if self.scheme.size
            else np.zeros((len(table), 0), dtype=np.float32),
            self.scheme,
            {
                target: numbers(target.columns[1:] if target.scheme else target.columns)
                if target.scheme or target.spread
                else table[target.heading].to_numpy()
                for target in self._additional
            },
            observed,
        )


def _scheme(about: Mapping[bytes, bytes], letters: str) -> LabelScheme:
    if classes := about.get(b"grubio_classes"):
        return scheme_from_dict(json.loads(classes))
    name = about.get(b"grubio_scheme", b"classes").decode()
    known = [scheme for scheme in SCHEMES.values() if scheme.letters == letters]
    return known[0] if known else custom_scheme(name, letters)
