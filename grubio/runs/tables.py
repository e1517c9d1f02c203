"""The tables that train and evaluate write for a run, as the report reads them.

Every reader returns None if there is no such file, and raises GrubioError with the line if a row is
not as expected.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grubio.errors import GrubioError

CHAIN_SCORES = (
    *("q3", "accuracy", "q8", "sov"),
    *("spearman", "pearson", "mean_absolute_error"),
)
"""Scores of a chain that evaluate may write."""
# Runs evaluated by grubio 0.1 lack these two.
_OF_NEAREST = ("coverage", "evalue")
_OF_TRAINING = ("residues_per_second", "gradient_norm", "clipped_share")

_Columns = dict[str, Callable[[str], Any]]


@dataclass(frozen=True)
class ChainScore:
    """One test chain: its length, its score, and the nearest training chain if there is one.

    ``others`` holds those of :data:`CHAIN_SCORES` that the file has.
    """

    id: str
    residues: int
    scored: int
    score: float | None
    nearest: str | None
    identity: float | None
    coverage: float | None = None
    evalue: float | None = None
    others: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class CalibrationBin:
    """Residues of similar confidence: their mean confidence, and how often the model was right."""

    confidence: float
    accuracy: float
    count: int


def read_history(path: Path) -> list[dict[str, float]] | None:
    """Return one mapping of column to number per validation, or None without the file."""
    wanted = ("epoch", "train_loss", "valid_loss", "valid_score")
    return _rows(path, dict.fromkeys(wanted, float), _OF_TRAINING, delimiter=",")


def read_chains(path: Path, score_key: str) -> list[ChainScore] | None:
    """Return the test chains, with the score of column ``score_key``, or None without the file."""
    columns: _Columns = {"id": str, "residues": int, "scored": int}
    columns |= {"nearest": lambda cell: cell or None, "identity": _number}
    rows = _rows(path, {**columns, score_key: _number}, (*CHAIN_SCORES, *_OF_NEAREST))
    if rows is None:
        return None
    return [
        ChainScore(
            score=row[score_key],
            others={key: row[key] for key in CHAIN_SCORES if key in row},
            **{key: row[key] for key in (*columns, *_OF_NEAREST) if key in row},
        )
        for row in rows
    ]


def read_confusion(path: Path) -> dict[str, dict[tuple[str, str], int]] | None:
    """Return the counts of ``(observed, predicted)`` of each scheme, or None without the file."""
    rows = _rows(path, {"scheme": str, "observed": str, "predicted": str, "count": int})
    counts: dict[str, dict[tuple[str, str], int]] = {}
    for row in rows or ():
        counts.setdefault(row["scheme"], {})[row["observed"], row["predicted"]] = row["count"]
    return None if rows is None else counts


def read_calibration(path: Path) -> dict[str, list[CalibrationBin]] | None:
    """Return the bins ``before`` and ``after`` that hold residues, or None without the file."""
    columns: _Columns = {"set": str, "confidence": float, "accuracy": float, "count": int}
    rows = _rows(path, columns, skipped=lambda cells: not int(cells["count"]))
    sets: dict[str, list[CalibrationBin]] = {}
    for row in rows or ():
        sets.setdefault(row.pop("set"), []).append(CalibrationBin(**row))
    return None if rows is None else sets


@dataclass(frozen=True)
class DeviationGroup:
    """Residues of like predicted deviation: root mean squares of deviations and of errors."""

    deviation: float
    error: float
    count: int


def read_deviations(path: Path) -> list[DeviationGroup] | None:
    """Return the groups from the least deviation on, or None without the file."""
    rows = _rows(path, {"deviation": float, "error": float, "count": int})
    return None if rows is None else [DeviationGroup(**row) for row in rows]


@dataclass(frozen=True)
class Reach:
    """The norm of the gradient between residues at a distance, with its interval."""

    distance: int
    gradient: float
    low: float
    high: float
    pairs: int


def read_reach(path: Path) -> list[Reach] | None:
    """Return the reach of the gradient by distance, or None without the file."""
    numbers = dict.fromkeys(("gradient", "low", "high"), float)
    rows = _rows(path, {"distance": int, **numbers, "pairs": int})
    return None if rows is None else [Reach(**row) for row in rows]


def read_speed(path: Path) -> float | None:
    """Return the residues that were labelled in a second, or None without the file."""
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return float(content["residues"]) / max(float(content["seconds"]), 1e-9)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise GrubioError(f"is not as expected: {error}", path=path) from error


def read_site_curve(path: Path) -> dict[tuple[str, str, str], list[tuple[float, float]]] | None:
    """Return points ``(recall, precision)`` by class, method and region, or None without the file.

    Points are in the order of falling scores.
    """
    keys = ("class", "method", "region")
    rows = _rows(path, {**dict.fromkeys(keys, str), "recall": float, "precision": float})
    curves: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    for row in rows or ():
        key = row["class"], row["method"], row["region"]
        curves.setdefault(key, []).append((row["recall"], row["precision"]))
    return None if rows is None else curves


def _rows(
    path: Path,
    columns: _Columns,
    numbers: Collection[str] = (),
    *,
    delimiter: str = "\t",
    skipped: Callable[[Mapping[str, str]], bool] = lambda _: False,
) -> list[dict[str, Any]] | None:
    if not path.is_file():
        return None
    rows: list[dict[str, Any]] = []
    with open(path, encoding="utf-8", newline="") as handle:
        # Ids may hold quotation marks; grubio quotes nothing.
        reader = csv.DictReader(handle, delimiter=delimiter, quoting=csv.QUOTE_NONE)
        for cells in reader:
            present = {**{key: _number for key in numbers if key in cells}, **columns}
            try:
                if not skipped(cells):
                    rows.append({key: convert(cells[key]) for key, convert in present.items()})
            except KeyError as error:
                raise GrubioError(f"has no column {error}", path=path, line=1) from error
            except (TypeError, ValueError) as error:
                message = f"is not as expected: {error}"
                raise GrubioError(message, path=path, line=reader.line_num) from error
    return rows


def _number(text: str) -> float | None:
    return float(text) if text and text.lower() not in ("nan", "na", "none") else None
