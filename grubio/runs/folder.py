"""A run as the report reads it: what train and evaluate left in its folder."""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from grubio.errors import GrubioError
from grubio.metrics.bootstrap import Score
from grubio.model.bundle import load_metadata
from grubio.runs import files, tables
from grubio.runs.metrics import Metrics, read_metrics
from grubio.runs.score_names import SCORES, SHARES_RIGHT
from grubio.sequences.scheme import NO_CLASSES, LabelScheme
from grubio.sequences.target import Target, target_from_dict

_MAIN_BASELINES = {"site_average_precision": "pwm", "base_mcc": "kmer_logistic"}


@dataclass(frozen=True)
class Run:
    """What is known about a trained and evaluated model.

    Attributes
    ----------
    folder, name
        The folder of the run, and the last part of its path.
    model, metrics
        Content of ``model.json``, and the metrics.
    main
        The main target of the model.
    scheme
        Classes of the model; the finest ones. None at all if it predicts values.
    score_key
        The headline score, a key of :data:`grubio.runs.score_names.SCORES`.
    chain_key
        The score of a single chain: the share of its residues right, or the headline of values.
    history, chains, confusion, calibration, deviations, reach
        What :mod:`grubio.runs.tables` reads; None if the run has no such file.
    labelling_rate
        Test residues that were labelled in a second; None if it was not measured.
    predictions
        The file of test predictions; None if the run has none.
    """

    folder: Path
    name: str
    model: Mapping[str, Any]
    metrics: Metrics
    main: Target
    scheme: LabelScheme
    score_key: str
    chain_key: str
    history: list[dict[str, float]] | None
    chains: list[tables.ChainScore] | None
    confusion: dict[str, dict[tuple[str, str], int]] | None
    calibration: dict[str, list[tables.CalibrationBin]] | None
    deviations: list[tables.DeviationGroup] | None
    predictions: Path | None
    reach: list[tables.Reach] | None
    labelling_rate: float | None

    @property
    def training(self) -> Mapping[str, Any]:
        """How the model was trained, from ``model.json``."""
        return self.model.get("training") or {}

    @property
    def training_rate(self) -> float | None:
        """Residues that were learned from in a second, the median over validations."""
        rates = [row.get("residues_per_second") for row in self.history or []]
        known = [rate for rate in rates if rate]
        return statistics.median(known) if known else None

    @cached_property
    def page(self) -> str | None:
        """Name of the page of this model in the folder of the run; None without."""
        path, digest = self.folder / files.PAGE_FILE, self.model.get("weights_sha256")
        if digest is None or not path.is_file():
            return None
        # An earlier model may have left its page.
        text = path.read_text(encoding="utf-8", errors="replace")
        return files.PAGE_FILE if files.told_weights(str(digest)) in text else None

    @property
    def of_values(self) -> bool:
        """Whether the main target is a value."""
        return self.main.kind == "value"

    @property
    def network(self) -> Mapping[str, Any]:
        """The network, its settings, and how many networks are averaged if there are several."""
        network, members = self.model["network"], self.model["members"]
        averaged = {"members": members} if members > 1 else {}
        return {"network": network["name"], **network["settings"], **averaged}

    @property
    def chain_word(self) -> str:
        """What is tested: a block, a chain or a sequence."""
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
        """What one letter of a sequence is: a base or a residue."""
        return "base" if self.genome else "residue"

    @property
    def tested(self) -> int | None:
        """How many chains or blocks were tested, if it is known."""
        counts = self.metrics.counts
        return counts.blocks if self.genome else counts.chains

    @property
    def main_baseline(self) -> str:
        """The baseline that the headline is compared with."""
        usual = "window_ridge" if self.of_values else "window_logistic"
        return _MAIN_BASELINES.get(self.score_key, usual)

    @property
    def gain(self) -> Score:
        """The headline score less that of the main baseline."""
        return self.score(f"gain_over_{self.main_baseline}")

    def score(self, key: str) -> Score:
        """Return a score of the whole test set; it has no value if the run lacks it."""
        return self.metrics.score(key)

    def baseline(self, name: str, key: str) -> Score:
        """Return a score of a baseline; it has no value if there is none."""
        return self.metrics.baselines.get(name, {}).get(key, Score())

    def scheme_named(self, name: str) -> LabelScheme:
        """Return the scheme of the model, or one that it reduces to, by name.

        Raises
        ------
        GrubioError
            If the model has no such scheme.
        """
        scheme: LabelScheme | None = self.scheme
        while scheme and scheme.name != name:
            scheme = scheme.coarse
        if scheme:
            return scheme
        raise GrubioError(f"the model has no label scheme '{name}'", path=self.folder)


def baseline_name(key: str) -> str:
    """Return what a baseline is called in text."""
    return {
        "window_logistic": "window logistic regression",
        "window_ridge": "window ridge regression",
        "majority": "majority class",
        "mean": "mean of the training values",
        "pwm": "position weight matrix",
        "kmer_logistic": "k-mer logistic regression",
    }.get(key, key)


def read_run(folder: str | Path) -> Run:
    """Read what train and evaluate wrote about a run.

    Raises
    ------
    GrubioError
        If the model or the metrics are missing, the metrics are of another model, or a file is not
        as expected.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise GrubioError("no such folder", path=folder, hint="give the folder of a run")
    metrics = read_metrics(folder)
    model = _model_of(folder, metrics)
    try:
        main = target_from_dict(model["targets"][0])
    except (KeyError, ValueError) as error:
        raise GrubioError(
            f"has no label scheme that grubio knows: {error}", path=folder / files.MODEL_FOLDER
        ) from error
    keys = [metrics.headline.key] if metrics.headline else SHARES_RIGHT
    score_key = next((key for key in keys if key in metrics.scores and key in SCORES), None)
    if score_key is None:
        raise GrubioError(
            f"has none of {', '.join(keys)}",
            path=folder / files.METRICS_FILE,
            hint=f"make it again with: grubio evaluate {folder}",
        )
    chain_key = next((key for key in SHARES_RIGHT if key in metrics.scores), score_key)
    # Before it was divided into folds, the run may have left a model in its folder.
    alone = not metrics.folds
    predictions = folder / (files.TEST_PREDICTIONS_FILE if alone else files.OUT_OF_FOLD_FILE)
    return Run(
        folder=folder,
        name=folder.resolve().name,
        model=model,
        metrics=metrics,
        main=main,
        scheme=main.scheme or NO_CLASSES,
        score_key=score_key,
        chain_key=chain_key,
        history=tables.read_history(folder / files.HISTORY_FILE) if alone else None,
        chains=tables.read_chains(folder / files.CHAINS_FILE, chain_key),
        confusion=tables.read_confusion(folder / files.CONFUSION_FILE),
        calibration=tables.read_calibration(folder / files.CALIBRATION_FILE),
        deviations=tables.read_deviations(folder / files.DEVIATIONS_FILE),
        predictions=predictions if predictions.is_file() else None,
        reach=tables.read_reach(folder / files.REACH_FILE) if alone else None,
        labelling_rate=tables.read_speed(folder / files.SPEED_FILE) if alone else None,
    )


def require_scores_of(
    model: Mapping[str, Any],
    provenance: Mapping[str, Any],
    folder: Path,
    command: str = "evaluate",
) -> None:
    """Check that the metrics in a folder are of a model, by the checksum of its weights.

    Raises
    ------
    GrubioError
        If they are of another one.
    """
    known, scored = model.get("weights_sha256"), provenance.get("weights_sha256")
    # Metrics of the first releases do not say it.
    if scored not in (None, known):
        raise GrubioError(
            f"has the scores of another model: weights {str(scored)[:16]} were scored, those of "
            f"the model are {str(known)[:16]}",
            path=folder / files.METRICS_FILE,
            hint=f"score the model again: grubio {command}",
        )


def _model_of(folder: Path, metrics: Metrics) -> dict[str, Any]:
    # A cross-validation has no model of its own, but one for each fold; all are trained alike.
    if not metrics.folds:
        model = load_metadata(folder / files.MODEL_FOLDER)
        require_scores_of(model, metrics.provenance, folder)
        return model
    models = [load_metadata(folder / fold.run / files.MODEL_FOLDER) for fold in metrics.folds]
    for model, scored in zip(models, metrics.provenance.get("folds") or (), strict=False):
        require_scores_of(model, scored, folder, "pool")
    datasets = [str(model["training"].get("dataset_sha256")) for model in models]
    joined = hashlib.sha256(" ".join(datasets).encode()).hexdigest()
    shown = {key: value for key, value in models[0].items() if key != "weights_sha256"}
    return {**shown, "training": {**models[0]["training"], "dataset_sha256": joined}}
