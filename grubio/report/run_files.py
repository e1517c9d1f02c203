"""The folder of a run, as the report reads it: what train and evaluate left there.

=========================  ========  ===========================================================
``model/model.json``       required  the model, its data, its settings
``metrics.json``           required  scores with intervals, baselines, scores by group
``history.csv``            optional  one row per validation
``per_chain.tsv``          optional  scores of each test chain and its nearest training chain
``confusion.tsv``          optional  counts of observed and predicted classes
``calibration.tsv``        optional  confidence against accuracy, before and after calibration
``test_predictions.parquet``  optional  every test residue with its probabilities
=========================  ========  ===========================================================
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from grubio.bundle import load_metadata
from grubio.errors import GrubioError
from grubio.report.numbers import Interval, interval_from
from grubio.scheme import LabelScheme, scheme_from_dict

MODEL_FOLDER = "model"
METRICS_FILE = "metrics.json"
HISTORY_FILE = "history.csv"
CHAINS_FILE = "per_chain.tsv"
CONFUSION_FILE = "confusion.tsv"
CALIBRATION_FILE = "calibration.tsv"
PREDICTIONS_FILE = "test_predictions.parquet"

_HEADLINE_KEYS = ("q3", "accuracy", "q8")

RowT = TypeVar("RowT")


@dataclass(frozen=True)
class ChainScore:
    """One test chain: its length, its score, and the nearest training chain if there is one."""

    id: str
    residues: int
    scored: int
    score: float | None
    nearest: str | None
    identity: float | None


@dataclass(frozen=True)
class CalibrationBin:
    """Residues of similar confidence: how sure the model was and how often it was right."""

    confidence: float
    accuracy: float
    count: int


@dataclass(frozen=True)
class GroupScore:
    """The headline score of a group of test chains."""

    name: str
    chains: int
    residues: int
    score: Interval


@dataclass(frozen=True)
class Run:
    """What is known about a trained and evaluated model.

    Attributes
    ----------
    folder, name
        Where the run is, and the last part of that path.
    model, metrics
        Content of ``model.json`` and of ``metrics.json``.
    scheme
        Classes of the model; the finest ones.
    score_key
        The metric of the headline: ``q3``, or ``accuracy`` for classes of one's own.
    history
        One mapping of column to number per validation.
    chains
        The test chains in the order of evaluation.
    confusion
        For each scheme, the counts of ``(observed letter, predicted letter)``.
    calibration
        Bins ``before`` and ``after`` calibration.
    predictions
        The file of test predictions. None here and above: the run has no such file.
    """

    folder: Path
    name: str
    model: Mapping[str, Any]
    metrics: Mapping[str, Any]
    scheme: LabelScheme
    score_key: str
    history: list[dict[str, float]] | None
    chains: list[ChainScore] | None
    confusion: dict[str, dict[tuple[str, str], int]] | None
    calibration: dict[str, list[CalibrationBin]] | None
    predictions: Path | None

    @property
    def training(self) -> Mapping[str, Any]:
        """How the model was trained, from ``model.json``."""
        return _mapping(self.model.get("training"))

    @property
    def chain_word(self) -> str:
        """What a record is called here."""
        return "chain" if self.model.get("alphabet") == "protein" else "sequence"

    @property
    def score_name(self) -> str:
        """Name of the headline score."""
        return "accuracy" if self.score_key == "accuracy" else self.score_key.upper()

    def score(self, key: str) -> Interval:
        """Return a top-level score; without a value if the run does not have it."""
        return interval_from(self.metrics.get(key), key)

    def baseline(self, name: str, key: str) -> Interval:
        """Return a score of a baseline; without a value if there is none."""
        of_baseline = _mapping(_mapping(self.metrics.get("baselines")).get(name))
        return interval_from(of_baseline.get(key), f"baselines.{name}.{key}")

    def groups(self, key: str) -> list[GroupScore]:
        """Return the headline score by group; ``key`` is ``by_length`` or ``by_identity``.

        Raises
        ------
        GrubioError
            If a group lacks what it should have.
        """
        try:
            return [
                GroupScore(
                    _group_name(row),
                    int(row["chains"]),
                    int(row["residues"]),
                    interval_from(row.get(self.score_key), key),
                )
                for row in self.metrics.get(key) or []
            ]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise GrubioError(
                f"{key}: a group is not as expected ({error!r})", path=self.folder / METRICS_FILE
            ) from error

    def scheme_named(self, name: str) -> LabelScheme:
        """Return the scheme of the model, or one that it reduces to, by name.

        Raises
        ------
        GrubioError
            If the model has no such scheme.
        """
        scheme: LabelScheme | None = self.scheme
        while scheme is not None:
            if scheme.name == name:
                return scheme
            scheme = scheme.coarse
        raise GrubioError(f"the model has no label scheme '{name}'", path=self.folder)


def read_run(folder: str | Path) -> Run:
    """Read what train and evaluate wrote about a run.

    Raises
    ------
    GrubioError
        If the model or the metrics are missing, or if a file is not as expected.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise GrubioError("no such folder", path=folder, hint="give the folder of a run")
    model = load_metadata(folder / MODEL_FOLDER)
    try:
        scheme = scheme_from_dict(model["scheme"])
    except (KeyError, ValueError) as error:
        raise GrubioError(
            f"has no label scheme that grubio knows: {error}", path=folder / MODEL_FOLDER
        ) from error
    metrics = _read_metrics(folder / METRICS_FILE)
    score_key = next((key for key in _HEADLINE_KEYS if key in metrics), None)
    if score_key is None:
        raise GrubioError(
            f"has none of {', '.join(_HEADLINE_KEYS)}",
            path=folder / METRICS_FILE,
            hint=f"make it again with: grubio evaluate {folder}",
        )
    predictions = folder / PREDICTIONS_FILE
    return Run(
        folder=folder,
        name=folder.resolve().name,
        model=model,
        metrics=metrics,
        scheme=scheme,
        score_key=score_key,
        history=_read_history(folder / HISTORY_FILE),
        chains=_read_chains(folder / CHAINS_FILE, score_key),
        confusion=_read_confusion(folder / CONFUSION_FILE),
        calibration=_read_calibration(folder / CALIBRATION_FILE),
        predictions=predictions if predictions.is_file() else None,
    )


def _read_metrics(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise GrubioError(
            f"has no {METRICS_FILE}", path=path.parent, hint="evaluate the run first: grubio evaluate"
        ) from error
    except (OSError, ValueError) as error:
        raise GrubioError(f"cannot be read: {error}", path=path) from error
    if not isinstance(content, dict):
        raise GrubioError("a JSON object was expected", path=path)
    return content


def _read_history(path: Path) -> list[dict[str, float]] | None:
    def row(cells: Mapping[str, str]) -> dict[str, float]:
        wanted = ("epoch", "train_loss", "valid_loss", "valid_score")
        return {column: float(cells[column]) for column in wanted}

    return _rows(path, row, ",")


def _read_chains(path: Path, score_key: str) -> list[ChainScore] | None:
    def row(cells: Mapping[str, str]) -> ChainScore:
        return ChainScore(
            cells["id"],
            int(cells["residues"]),
            int(cells["scored"]),
            _optional_number(cells[score_key]),
            cells["nearest"] or None,
            _optional_number(cells["identity"]),
        )

    return _rows(path, row)


def _read_confusion(path: Path) -> dict[str, dict[tuple[str, str], int]] | None:
    def row(cells: Mapping[str, str]) -> tuple[str, str, str, int]:
        return cells["scheme"], cells["observed"], cells["predicted"], int(cells["count"])

    rows = _rows(path, row)
    if rows is None:
        return None
    counts: dict[str, dict[tuple[str, str], int]] = {}
    for scheme, observed, predicted, count in rows:
        counts.setdefault(scheme, {})[observed, predicted] = count
    return counts


def _read_calibration(path: Path) -> dict[str, list[CalibrationBin]] | None:
    def row(cells: Mapping[str, str]) -> tuple[str, CalibrationBin | None]:
        count = int(cells["count"])
        if not count:
            return cells["set"], None
        confidence, accuracy = float(cells["confidence"]), float(cells["accuracy"])
        return cells["set"], CalibrationBin(confidence, accuracy, count)

    rows = _rows(path, row)
    if rows is None:
        return None
    sets: dict[str, list[CalibrationBin]] = {}
    for name, filled_bin in rows:
        if filled_bin is not None:
            sets.setdefault(name, []).append(filled_bin)
    return sets


def _rows(
    path: Path, convert: Callable[[Mapping[str, str]], RowT], delimiter: str = "\t"
) -> list[RowT] | None:
    if not path.is_file():
        return None
    converted = []
    with open(path, encoding="utf-8", newline="") as handle:
        # Identifiers may hold quotation marks; grubio quotes nothing.
        for cells in csv.DictReader(handle, delimiter=delimiter, quoting=csv.QUOTE_NONE):
            line = len(converted) + 2
            try:
                converted.append(convert(cells))
            except KeyError as error:
                raise GrubioError(f"has no column {error}", path=path, line=1) from error
            except (TypeError, ValueError) as error:
                raise GrubioError(f"is not as expected: {error}", path=path, line=line) from error
    return converted


def _optional_number(text: str) -> float | None:
    return float(text) if text and text.lower() not in ("nan", "na", "none") else None


def _group_name(row: Mapping[str, Any]) -> str:
    if "band" in row:
        return str(row["band"])
    return f"{row['from']}+" if row.get("to") is None else f"{row['from']}-{row['to']}"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
