"""Scores of further targets, each by the residues whose answer is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from grubio.config import EvaluationSettings
from grubio.evaluation.overall import class_scores
from grubio.evaluation.values import value_scores
from grubio.inference.predictor import Further
from grubio.metrics.bootstrap import Score, bootstrap_weights
from grubio.sequences.record import Record
from grubio.sequences.target import Target


def further_scores(
    records: Sequence[Record],
    predicted: Sequence[Further],
    known: Sequence[Target],
    settings: EvaluationSettings,
) -> dict[str, dict[str, Score]]:
    """Return the scores of further targets, by name.

    Parameters
    ----------
    records
        With their answers.
    predicted
        What the model predicts of each record.
    known
        Further targets of the dataset. What the model predicts and the dataset does not have, or
        has in other classes or another range, is not scored.
    settings
        Number of bootstrap samples and their seed.
    """
    scores = {}
    theirs = {target.name: target for target in known}
    for target in predicted[0]:
        answers: list[Any] = [record.answers.get(target.name) for record in records]
        there = [place for place, answer in enumerate(answers) if answer is not None]
        if not there or not target.is_like(theirs[target.name]):
            continue
        found = [predicted[place][target] for place in there]
        if target.scheme is None:
            weights = bootstrap_weights(len(there), settings.bootstrap, settings.seed)
            scores[target.name] = value_scores([answers[i] for i in there], found, weights)
        elif not target.shares:
            chains = [replace(records[i], labels=answers[i], mask=None) for i in there]
            scores[target.name] = class_scores(chains, found, target.scheme, settings)
    return scores
