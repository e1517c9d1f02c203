"""A run as the report reads it: what train and evaluate left in its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grubio.errors import GrubioError
from grubio.model.bundle import load_metadata
from grubio.runs.files import (
    CALIBRATION_FILE,
    CHAINS_FILE,
    CONFUSION_FILE,
    HISTORY_FILE,
    METRICS_FILE,
    MODEL_FOLDER,
    TEST_PREDICTIONS_FILE,
)
from grubio.runs.numbers import Interval, interval_from
from grubio.runs.tables import (
    CalibrationBin,
    ChainScore,
    read_calibration,
    read_chains,
    read_confusion,
    read_history,
)
from grubio.sequences.scheme import LabelScheme, scheme_from_dict

_HEADLINE_KEYS = ("q3", "accuracy", "q8")
# Of a genome's rare classes accuracy says little: these come first where they are there.
_GENOME_KEYS = ("site_average_precision", "base_mcc")
_MAIN_BASELINES = {"site_average_precision": "pwm", "base_mcc": "kmer_logistic"}


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
        The metric of the headline: ``q3``, or ``accuracy`` for classes of one's own; of a genome,
        ``site_average_precision`` or ``base_mcc``.
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
        """What the unit of testing is called here."""
        if self.genome:
            return "block"
        return "chain" if self.model.get("alphabet") == "protein" else "sequence"

    @property
    def score_name(self) -> str:
        """Name of the headline score."""
        if self.score_key in _MAIN_BASELINES:
            of = _mapping(self.metrics.get("headline")).get("name", "sites")
            kind = "MCC" if self.score_key == "base_mcc" else "average precision"
            return f"{kind} of {of}"
        return "accuracy" if self.score_key == "accuracy" else self.score_key.upper()

    @property
    def genome(self) -> bool:
        """Whether the test records are both strands of blocks of a genome."""
        return self.metrics.get("sites") is not None

    @property
    def unit_word(self) -> str:
        """What one letter of a sequence is called here."""
        return "base" if self.genome else "residue"

    @property
    def tested(self) -> int | None:
        """How many chains or blocks were tested, if it is known."""
        counts = _mapping(self.metrics.get("counts"))
        return counts.get("blocks" if self.genome else "chains")

    @property
    def main_baseline(self) -> str:
        """The baseline that the headline is compared with."""
        return _MAIN_BASELINES.get(self.score_key, "window_logistic")

    @property
    def gain(self) -> Interval:
        """The headline score less that of the main baseline."""
        return self.score(f"gain_over_{self.main_baseline}")

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


def baseline_name(key: str) -> str:
    """Return how a baseline is called in text."""
    return {
        "window_logistic": "window logistic regression",
        "majority": "majority class",
        "pwm": "position weight matrix",
        "kmer_logistic": "k-mer logistic regression",
    }.get(key, key)


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
    score_key = next((key for key in (*_GENOME_KEYS, *_HEADLINE_KEYS) if key in metrics), None)
    if score_key is None:
        raise GrubioError(
            f"has none of {', '.join(_HEADLINE_KEYS)}",
            path=folder / METRICS_FILE,
            hint=f"make it again with: grubio evaluate {folder}",
        )
    predictions = folder / TEST_PREDICTIONS_FILE
    return Run(
        folder=folder,
        name=folder.resolve().name,
        model=model,
        metrics=metrics,
        scheme=scheme,
        score_key=score_key,
        history=read_history(folder / HISTORY_FILE),
        chains=read_chains(
            folder / CHAINS_FILE, "accuracy" if score_key in _MAIN_BASELINES else score_key
        ),
        confusion=read_confusion(folder / CONFUSION_FILE),
        calibration=read_calibration(folder / CALIBRATION_FILE),
        predictions=predictions if predictions.is_file() else None,
    )


def _read_metrics(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise GrubioError(
            f"has no {METRICS_FILE}",
            path=path.parent,
            hint="evaluate the run first: grubio evaluate",
        ) from error
    except (OSError, ValueError) as error:
        raise GrubioError(f"cannot be read: {error}", path=path) from error
    if not isinstance(content, dict):
        raise GrubioError("a JSON object was expected", path=path)
    return content


def _group_name(row: Mapping[str, Any]) -> str:
    if "band" in row:
        return str(row["band"])
    return f"{row['from']}+" if row.get("to") is None else f"{row['from']}-{row['to']}"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
