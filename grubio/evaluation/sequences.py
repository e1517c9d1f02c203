"""Evaluation of sequences: bootstrap over chains, with a window of residues as the baseline."""

from __future__ import annotations

from collections.abc import Sequence

from grubio.config import EvaluationSettings, Metric
from grubio.evaluation.baselines import WindowLogisticRegression
from grubio.evaluation.overall import Probabilities
from grubio.model.bundle import Bundle
from grubio.runs.metrics import Metrics
from grubio.sequences.record import Record


class SequenceEvaluation:
    """How chains are scored; see :class:`grubio.evaluation.evaluate.Evaluation`."""

    blocks: Sequence[int] | None = None

    def __init__(
        self, bundle: Bundle, test: Sequence[Record], settings: EvaluationSettings
    ) -> None:
        self._bundle, self._test, self._settings = bundle, test, settings
        self.baseline_residues = 0

    @property
    def headline(self) -> Metric | None:
        """The score that chose the model in training, if the bundle says which that was."""
        score: Metric | None = self._bundle.metadata["training"].get("score")
        return score

    def baselines(self, train: Sequence[Record]) -> dict[str, list[Probabilities]]:
        """Return the probabilities of a logistic regression on a window of residues."""
        bundle = self._bundle
        window = WindowLogisticRegression(
            bundle.alphabet, bundle.scheme, self._settings.baseline_window, self._settings.seed
        ).fit(train)
        self.baseline_residues = window.training_residues
        return {"window_logistic": [window.probabilities(record.sequence) for record in self._test]}

    def add_scores(
        self,
        metrics: Metrics,
        probabilities: Sequence[Probabilities],
        train: Sequence[Record],
        valid: Sequence[Record],
    ) -> dict[str, str]:
        """Return no tables: chains have only the scores that all datasets have."""
        return {}
