"""The metrics and tables of a model whose main target is a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from grubio.config import EvaluationSettings, Metric
from grubio.config.model import VALUE_METRICS
from grubio.datasets.audit import NEAREST_COLUMNS, AuditRow
from grubio.errors import GrubioError
from grubio.evaluation.bands import by_identity, by_length
from grubio.evaluation.overall import tables_of_no_classes
from grubio.evaluation.scored_values import ScoredTarget, scored_target
from grubio.files import table_text
from grubio.inference.predictor import Prediction
from grubio.metrics.bootstrap import Score, scores_of
from grubio.model.bundle import Bundle, Calibration
from grubio.runs.files import CHAINS_FILE, DEVIATIONS_FILE
from grubio.runs.metrics import Counts, Headline, Metrics
from grubio.sequences.record import Record

_DEVIATION_BINS = 15


def score_values(
    records: Sequence[Record],
    predictions: Sequence[Prediction],
    train: Sequence[Record],
    bundle: Bundle,
    settings: EvaluationSettings,
    audit: Mapping[str, AuditRow],
    *,
    headline: Metric | None = None,
    units: Sequence[int] | None = None,
    calibrations: Sequence[Calibration] | None = None,
) -> tuple[Metrics, dict[str, str], int]:
    """Return the metrics of a model whose main target is a value, tables, and training residues.

    Parameters
    ----------
    records, predictions
        Labelled records, and what is predicted for them.
    train
        Training records, for the baselines.
    bundle, settings, units
        As for :func:`scored_target`.
    audit
        Nearest training record of each record by id, or empty.
    headline
        The score that comes first, ``spearman`` by default.
    calibrations
        How each record was calibrated; by default all as by the model.

    Returns
    -------
    tuple
        The metrics, the text of tables by file name, and the residues that the baselines were
        fitted to.

    Raises
    ------
    GrubioError
        If no residue can be scored.
    """
    target = bundle.targets[0]
    predicted = [one.additional[target] for one in predictions]
    scored = scored_target(target, records, predicted, train, bundle, settings, units)
    if scored is None:
        raise GrubioError(f"no residue of the split has a known value of {target.name}")
    model, weights = scored.model, scored.weights
    first = headline if headline in VALUE_METRICS else VALUE_METRICS[0]
    overall = model.overall(weights)
    lengths = [len(records[at]) for at in scored.places]
    identities = [audit[records[at].id].identity for at in scored.places] if audit else []

    def of_chains(chosen: Sequence[int]) -> Score:
        return model.estimate(first, weights, chosen).score

    metrics = Metrics(
        headline=Headline(key=first, name=target.name),
        baselines={
            name: scores_of(one.overall(weights)) | one.chain_means(weights)
            for name, one in scored.baselines.items()
        },
        by_length=by_length(first, of_chains, lengths) if units is None else [],
        by_identity=by_identity(first, of_chains, lengths, identities) if audit else [],
        counts=Counts(
            chains=len(records),
            scored_chains=len(scored.places),
            residues=sum(map(len, records)),
            scored_residues=int(model.counts.sum()),
        ),
    )
    metrics.add(scores_of(overall) | model.chain_means(weights))
    if scored.standardised is not None:
        calibrations = calibrations or [bundle.calibration(target)] * len(records)
        before = scored.coverage([1 / calibrations[at].deviation for at in scored.places])
        metrics.add({"coverage": scored.coverage(), "coverage_uncalibrated": before})
    for name, baseline in scored.baselines.items():
        gain = (overall[first] - baseline.estimate(first, weights)).score
        if gain.known:
            metrics.scores[f"gain_over_{name}"] = gain
    tables = {
        CHAINS_FILE: _chains_table(records, scored, audit),
        DEVIATIONS_FILE: _deviations_table(scored, predicted),
        **tables_of_no_classes(),
    }
    return metrics, tables, scored.training_residues


def _chains_table(
    records: Sequence[Record], scored: ScoredTarget, audit: Mapping[str, AuditRow]
) -> str:
    columns = scored.model.of_chains
    rows: list[list[object]] = []
    place_of = {at: place for place, at in enumerate(scored.places)}
    for at, record in enumerate(records):
        cells: list[object] = [0, *(None for _ in columns)]
        if (place := place_of.get(at)) is not None:
            values = (column[place] for column in columns.values())
            cells = [int(scored.model.counts[place]), *(_cell(value) for value in values)]
        found = audit.get(record.id)
        known = found is not None and found.identity is not None
        nearest = found.nearest_cells() if found and known else [None] * len(NEAREST_COLUMNS)
        rows.append([record.id, len(record), *cells, *nearest])
    return table_text(["id", "residues", "scored", *columns, *NEAREST_COLUMNS], rows)


def _cell(value: float) -> str | None:
    return f"{value:.4f}" if np.isfinite(value) else None


def _deviations_table(scored: ScoredTarget, predicted: Sequence[npt.NDArray[np.float32]]) -> str:
    # Residues in groups of equal number by predicted deviation: its root mean square, and that of
    # the errors. A header line alone if no deviations are predicted.
    names = ("deviation", "error", "count")
    if scored.standardised is None:
        return table_text(names, [])
    pairs = [
        np.column_stack((predicted[at][:, 1], observed - predicted[at][:, 0]))
        for at, observed in zip(scored.places, scored.model.observed, strict=True)
    ]
    together = np.concatenate(pairs).astype(np.float64)
    together = together[np.isfinite(together[:, 1])]
    ordered = together[np.argsort(together[:, 0], kind="stable")]
    rows = []
    for group in np.array_split(ordered, min(_DEVIATION_BINS, len(ordered))):
        deviation, error = np.sqrt((group**2).mean(axis=0))
        rows.append((f"{deviation:.6g}", f"{error:.6g}", len(group)))
    return table_text(names, rows)
