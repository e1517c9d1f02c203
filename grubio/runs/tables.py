"""The tables that train and evaluate write for a run, as the report reads them.

Every reader returns None if there is no such file, and raises GrubioError with the line if a
row is not as expected.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from grubio.errors import GrubioError

RowT = TypeVar("RowT")

CHAIN_SCORES = ("q3", "accuracy", "q8", "sov")
"""Scores of a chain that evaluate may write."""


@dataclass(frozen=True)
class ChainScore:
    """One test chain: its length, its score, and the nearest training chain if there is one.

    ``others`` holds whichever of :data:`CHAIN_SCORES` the file has.
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
    """Residues of similar confidence: how sure the model was and how often it was right."""

    confidence: float
    accuracy: float
    count: int


def read_history(path: Path) -> list[dict[str, float]] | None:
    """Return one mapping of column to number per validation, or None without the file."""

    def row(cells: Mapping[str, str]) -> dict[str, float]:
        wanted = ("epoch", "train_loss", "valid_loss", "valid_score")
        return {column: float(cells[column]) for column in wanted}

    return _rows(path, row, ",")


def read_chains(path: Path, score_key: str) -> list[ChainScore] | None:
    """Return the test chains, with the score of column ``score_key``, or None without the file."""

    def row(cells: Mapping[str, str]) -> ChainScore:
        return ChainScore(
            cells["id"],
            int(cells["residues"]),
            int(cells["scored"]),
            _optional_number(cells[score_key]),
            cells["nearest"] or None,
            _optional_number(cells["identity"]),
            # Runs evaluated by grubio 0.1 lack these two.
            _optional_number(cells.get("coverage") or ""),
            _optional_number(cells.get("evalue") or ""),
            {key: _optional_number(cells[key]) for key in CHAIN_SCORES if key in cells},
        )

    return _rows(path, row)


def read_confusion(path: Path) -> dict[str, dict[tuple[str, str], int]] | None:
    """Return the counts of ``(observed, predicted)`` of each scheme, or None without the file."""

    def row(cells: Mapping[str, str]) -> tuple[str, str, str, int]:
        return cells["scheme"], cells["observed"], cells["predicted"], int(cells["count"])

    rows = _rows(path, row)
    if rows is None:
        return None
    counts: dict[str, dict[tuple[str, str], int]] = {}
    for scheme, observed, predicted, count in rows:
        counts.setdefault(scheme, {})[observed, predicted] = count
    return counts


def read_calibration(path: Path) -> dict[str, list[CalibrationBin]] | None:
    """Return the bins ``before`` and ``after`` that hold residues, or None without the file."""

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


def read_site_curve(path: Path) -> dict[tuple[str, str, str], list[tuple[float, float]]] | None:
    """Return points ``(recall, precision)`` by class, method and region, or None without the file.

    Points come with falling scores.
    """

    def row(cells: Mapping[str, str]) -> tuple[tuple[str, str, str], tuple[float, float]]:
        key = cells["class"], cells["method"], cells["region"]
        return key, (float(cells["recall"]), float(cells["precision"]))

    rows = _rows(path, row)
    if rows is None:
        return None
    curves: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    for key, point in rows:
        curves.setdefault(key, []).append(point)
    return curves


def _rows(
    path: Path, convert: Callable[[Mapping[str, str]], RowT], delimiter: str = "\t"
) -> list[RowT] | None:
    if not path.is_file():
        return None
    converted: list[RowT] = []
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
