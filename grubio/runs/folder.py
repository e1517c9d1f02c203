"""A run as the report reads it: what train and evaluate left in its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grubio.errors import GrubioError
from grubio.metrics.bootstrap import Score
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
from grubio.runs.metrics import Metrics, read_metrics
from grubio.runs.score_names import SCORES, SHARES_RIGHT
from grubio.runs.tables import (
    CalibrationBin,
    ChainScore,
    read_calibration,
    read_chains,
    read_confusion,
    read_history,
)
from grubio.sequences.scheme import LabelScheme, scheme_from_dict

_MAIN_BASELINES = {"site_average_precision": "pwm", "base_mcc": "kmer_logistic"}


@dataclass(frozen=True)
class Run:
    """What is known about a trained and evaluated model.

    Attributes
    ----------
    folder, name
        Where the run is, and the last part of that path.
    model, metrics
        Content of ``model.json``, and the metrics.
    scheme
        Classes of the model; the finest ones.
    score_key
        The headline score, a key of :data:`grubio.runs.score_names.SCORES`.
    chain_key
        The score of a single chain: the share of its residues right.
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
    metrics: Metrics
    scheme: LabelScheme
    score_key: str
    chain_key: str
    history: list[dict[str, float]] | None
    chains: list[ChainScore] | None
    confusion: dict[str, dict[tuple[str, str], int]] | None
    calibration: dict[str, list[CalibrationBin]] | None
    predictions: Path | None

    @property
    def training(self) -> Mapping[str, Any]:
        """How the model was trained, from ``model.json``."""
        return self.model.get("training") or {}

    @property
    def network(self) -> Mapping[str, Any]:
        """Which network it is, its settings, and how many of them are averaged if several are."""
        network, members = self.model["network"], self.model["members"]
        averaged = {"members": members} if members > 1 else {}
        return {"network": network["name"], **network["settings"], **averaged}

    @property
    def chain_word(self) -> str:
        """What the unit of testing is called here."""
        if self.genome:
            return "block"
        return "chain" if self.model.get("alphabet") == "protein" else "sequence"

    @property
    def score_name(self) -> str:
        """Name of the headline score."""
        name, headline = SCORES[self.score_key].inline, self.metrics.headline
        return f"{name} of {headline.name}" if headline and headline.name else name

    @property
    def chain_score_name(self) -> str:
        """Name of the score of a single chain."""
        return SCORES[self.chain_key].inline

    @property
    def genome(self) -> bool:
        """Whether the test records are both strands of blocks of a genome."""
        return bool(self.metrics.sites)

    @property
    def unit_word(self) -> str:
        """What one letter of a sequence is called here."""
        return "base" if self.genome else "residue"

    @property
    def tested(self) -> int | None:
        """How many chains or blocks were tested, if it is known."""
        counts = self.metrics.counts
        return counts.blocks if self.genome else counts.chains

    @property
    def main_baseline(self) -> str:
        """The baseline that the headline is compared with."""
        return _MAIN_BASELINES.get(self.score_key, "window_logistic")

    @property
    def gain(self) -> Score:
        """The headline score less that of the main baseline."""
        return self.score(f"gain_over_{self.main_baseline}")

    def score(self, key: str) -> Score:
        """Return a score of the whole test set; without a value if the run does not have it."""
        return self.metrics.score(key)

    def baseline(self, name: str, key: str) -> Score:
        """Return a score of a baseline; without a value if there is none."""
        return self.metrics.baselines.get(name, {}).get(key, Score())

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
        scheme = scheme_from_dict(model["targets"][0]["scheme"])
    except (KeyError, ValueError) as error:
        raise GrubioError(
            f"has no label scheme that grubio knows: {error}", path=folder / MODEL_FOLDER
        ) from error
    metrics = read_metrics(folder)
    keys = [metrics.headline.key] if metrics.headline else SHARES_RIGHT
    score_key = next((key for key in keys if key in metrics.scores and key in SCORES), None)
    if score_key is None:
        raise GrubioError(
            f"has none of {', '.join(keys)}",
            path=folder / METRICS_FILE,
            hint=f"make it again with: grubio evaluate {folder}",
        )
    chain_key = next((key for key in SHARES_RIGHT if key in metrics.scores), score_key)
    predictions = folder / TEST_PREDICTIONS_FILE
    return Run(
        folder=folder,
        name=folder.resolve().name,
        model=model,
        metrics=metrics,
        scheme=scheme,
        score_key=score_key,
        chain_key=chain_key,
        history=read_history(folder / HISTORY_FILE),
        chains=read_chains(folder / CHAINS_FILE, chain_key),
        confusion=read_confusion(folder / CONFUSION_FILE),
        calibration=read_calibration(folder / CALIBRATION_FILE),
        predictions=predictions if predictions.is_file() else None,
    )
