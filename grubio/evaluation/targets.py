"""Scores of additional targets, each over the residues whose answer is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from grubio.config import EvaluationSettings
from grubio.evaluation.overall import class_scores
from grubio.evaluation.scored_values import further_value_scores, scored_target
from grubio.inference.predictor import Additional
from grubio.metrics.bootstrap import Score
from grubio.model.bundle import Bundle
from grubio.sequences.record import Record, answered_record
from grubio.sequences.target import Target

Values = npt.NDArray[np.float32]


def additional_scores(
    records: Sequence[Record],
    predicted: Sequence[Additional],
    known: Sequence[Target],
    train: Sequence[Record],
    bundle: Bundle,
    settings: EvaluationSettings,
    *,
    units: Sequence[int] | None = None,
) -> dict[str, dict[str, Score]]:
    """Return the scores of the targets besides the main one, by name.

    Parameters
    ----------
    records
        Records with their answers.
    predicted
        Predictions of the model for each record.
    known
        Targets of the dataset. A target that the dataset lacks, or has with other classes or
        another range, is not scored.
    train
        Training records with their answers, for the baselines of values.
    bundle
        The model.
    settings
        Number of bootstrap samples, their seed, and the window of the baseline.
    units
        What is resampled: the index of the block of each record of a genome.
    """
    scores = {}
    theirs = {target.name: target for target in known}
    for target in bundle.targets[1:]:
        there = [place for place, one in enumerate(records) if target.name in one.answers]
        if not there or target not in predicted[0] or not target.is_like(theirs[target.name]):
            continue
        chains, found = [records[at] for at in there], [predicted[at][target] for at in there]
        if target.scheme is None:
            own = None if units is None else [units[at] for at in there]
            scored = scored_target(target, chains, found, train, bundle, settings, own)
            if scored is not None:
                scores[target.name] = further_value_scores(scored)
        elif not target.shares:
            answered = [answered_record(chain, target.name) for chain in chains]
            scores[target.name] = class_scores(answered, found, target.scheme, settings)
    return scores
