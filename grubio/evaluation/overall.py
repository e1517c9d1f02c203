"""The scores that all datasets have, of sequences and of genomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from grubio.config import EvaluationSettings, Metric
from grubio.datasets.audit import NEAREST_COLUMNS, AuditRow
from grubio.errors import GrubioError
from grubio.evaluation.bands import by_identity, by_length
from grubio.evaluation.scoring import (
    SchemeScores,
    accuracy_name,
    calibration_errors,
    calibration_table,
    confusion_table,
    gain,
    reliabilities,
    score_key,
)
from grubio.evaluation.sklearn_report import report_tables
from grubio.files import table_text
from grubio.metrics.bootstrap import Floats, Score, bootstrap_weights
from grubio.metrics.headline import headline_metric
from grubio.model.bundle import Bundle, Calibration
from grubio.runs.files import CALIBRATION_FILE, CHAINS_FILE, CONFUSION_FILE
from grubio.runs.metrics import Counts, Headline, Metrics
from grubio.sequences.record import Record, scored_classes
from grubio.sequences.scheme import LabelScheme

Probabilities = npt.NDArray[np.float32]


def score_predictions(
    records: Sequence[Record],
    probabilities: Sequence[Probabilities],
    baselines: Mapping[str, Sequence[Probabilities]],
    bundle: Bundle,
    settings: EvaluationSettings,
    audit: Mapping[str, AuditRow],
    *,
    blocks: Sequence[int] | None = None,
    headline: Metric | None = None,
    calibrations: Sequence[Calibration] | None = None,
) -> tuple[Metrics, dict[str, str]]:
    """Return the metrics of predictions, and the text of tables by file name.

    Parameters
    ----------
    records
        Labelled records.
    probabilities
        Calibrated probabilities ``(residue, class)`` of each record.
    baselines
        The same for each baseline.
    bundle
        The model; its scheme and temperature are used.
    settings
        Number of bootstrap samples and their seed.
    audit
        Nearest training record of each record by id, or empty.
    blocks
        For records of a genome, the index of the block of each: then blocks are resampled, and
        there are neither segment overlap nor bands of length.
    headline
        The score that comes first; by default :func:`grubio.metrics.headline.headline_metric`.
    calibrations
        How each record was calibrated; by default all as by the model.

    Raises
    ------
    GrubioError
        If no residue can be scored.
    """
    scheme = bundle.scheme
    observed = [scored_classes(record, scheme) for record in records]
    usable = [i for i, classes in enumerate(observed) if (classes < scheme.size).any()]
    if not usable:
        raise GrubioError("no residue of the split has a known label")
    segments = blocks is None
    # Baselines know no grammar.
    schemes, *others = (
        _scores([observed[i] for i in usable], [rows[i] for i in usable], own, segments)
        for rows, own in (
            (probabilities, scheme),
            *((rows, scheme.with_grammar(None)) for rows in baselines.values()),
        )
    )
    coarse = schemes[0]
    first = headline or headline_metric(coarse.scheme, coarse.per_chain.sum(axis=(0, 2)))
    key = score_key(first, coarse.scheme)
    weights = _weights(usable if blocks is None else [blocks[i] for i in usable], settings)
    chosen = [observed[i] for i in usable], [probabilities[i] for i in usable]
    calibrations = calibrations or [bundle.calibration()] * len(records)
    calibration = reliabilities(*chosen, [calibrations[i] for i in usable])
    lengths = [len(records[i]) for i in usable]
    identities = [audit[records[i].id].identity for i in usable] if audit else []
    theirs = dict(zip(baselines, others, strict=True))

    def of_chains(chosen: Sequence[int]) -> Score:
        return coarse.estimate(first, weights, chosen).score

    metrics = Metrics(
        classes={scores.scheme.name: scores.classes(weights) for scores in schemes},
        baselines={name: _overall(scores, first, weights) for name, scores in theirs.items()},
        by_length=by_length(key, of_chains, lengths) if segments else [],
        by_identity=by_identity(key, of_chains, lengths, identities) if audit else [],
        counts=Counts(
            chains=len(records),
            scored_chains=len(usable),
            residues=sum(len(record) for record in records),
            scored_residues=int(coarse.per_chain.sum()),
        ),
        reduction=_reduction(scheme),
    )
    metrics.add(_overall(schemes, first, weights))
    metrics.add(calibration_errors(calibration, weights))
    for name, scores in theirs.items():
        metrics.scores[f"gain_over_{name}"] = gain(first, coarse, scores[0], weights)
    if first != "accuracy":
        metrics.headline = Headline(key=key)
    return metrics, {
        CHAINS_FILE: _chains_table(records, usable, schemes, audit),
        CONFUSION_FILE: confusion_table(schemes),
        CALIBRATION_FILE: calibration_table(calibration),
        **report_tables(schemes),
    }


def tables_of_no_classes() -> dict[str, str]:
    """Return the tables about classes, by file name, of a model without: a header line alone."""
    return {
        CONFUSION_FILE: confusion_table([]),
        CALIBRATION_FILE: calibration_table({}),
        **report_tables([]),
    }


def class_scores(
    records: Sequence[Record],
    probabilities: Sequence[Probabilities],
    scheme: LabelScheme,
    settings: EvaluationSettings,
) -> dict[str, Score]:
    """Return the scores in one scheme, with intervals over records; none if no label is known."""
    observed = [scored_classes(record, scheme) for record in records]
    usable = [i for i, classes in enumerate(observed) if (classes < scheme.size).any()]
    if not usable:
        return {}
    chosen = [observed[i] for i in usable], [probabilities[i] for i in usable]
    schemes = _scores(*chosen, scheme)
    first = headline_metric(schemes[0].scheme, schemes[0].per_chain.sum(axis=(0, 2)))
    return _overall(schemes, first, _weights(usable, settings))


def _weights(units: Sequence[int], settings: EvaluationSettings) -> Floats:
    # How often the unit of each chain is drawn, (replicate, chain).
    places = np.unique(units, return_inverse=True)[1]
    return bootstrap_weights(max(places) + 1, settings.bootstrap, settings.seed)[:, places]


def _reduction(scheme: LabelScheme) -> str:
    if scheme is scheme.headline:
        return f"{scheme.name}, not reduced"
    letters = ", ".join(f"{fine} to {coarse}" for fine, coarse in scheme.reduction.items())
    return f"{scheme.headline.name} from {scheme.name}: {letters}"


def _scores(
    observed: Sequence[npt.NDArray[np.uint8]],
    probabilities: Sequence[Probabilities],
    scheme: LabelScheme,
    segments: bool = True,
) -> list[SchemeScores]:
    # In the headline scheme, then in the scheme itself if that is finer.
    headline, fine = scheme.headline, SchemeScores(scheme, observed, probabilities, segments)
    if headline is scheme:
        return [fine]
    classes = [scheme.reduced_classes(one, headline) for one in observed]
    reduced = [rows @ scheme.reduction_matrix(headline) for rows in probabilities]
    return [SchemeScores(headline, classes, reduced, segments), fine]


def _overall(
    schemes: Sequence[SchemeScores], headline: Metric, weights: Floats
) -> dict[str, Score]:
    coarse, *finer = schemes
    scores = coarse.overall(weights)
    name = accuracy_name(coarse.scheme)
    scores[f"{name}_chain_mean"] = scores.pop("chain_mean")
    if headline != "accuracy":
        scores[headline] = coarse.estimate(headline, weights).score
    for fine in finer:
        theirs = fine.overall(weights)
        scores[accuracy_name(fine.scheme)] = theirs[accuracy_name(fine.scheme)]
        scores |= {f"{key}_{fine.scheme.name}": theirs[key] for key in ("sov", "mcc", "macro_f1")}
    if name == "accuracy":
        # Segment overlap is a measure of secondary structure.
        scores = {key: value for key, value in scores.items() if not key.startswith("sov")}
    return scores


def _chains_table(
    records: Sequence[Record],
    usable: Sequence[int],
    schemes: Sequence[SchemeScores],
    audit: Mapping[str, AuditRow],
) -> str:
    coarse = schemes[0]
    columns = {accuracy_name(scores.scheme): scores.accuracies() for scores in schemes}
    if coarse.segments:
        columns |= coarse.overlaps
    scored = coarse.per_chain.sum(axis=(1, 2))
    values = {
        index: [scored[row], *(f"{column[row]:.4f}" for column in columns.values())]
        for row, index in enumerate(usable)
    }
    rows = []
    for index, record in enumerate(records):
        found = audit.get(record.id)
        known = found is not None and found.identity is not None
        nearest = found.nearest_cells() if found and known else [None] * len(NEAREST_COLUMNS)
        none = [0, *(None for _ in columns)]
        rows.append([record.id, len(record), *values.get(index, none), *nearest])
    return table_text(["id", "residues", "scored", *columns, *NEAREST_COLUMNS], rows)
