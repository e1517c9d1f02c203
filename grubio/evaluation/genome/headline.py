"""The headline score of a genome model, and a table of its main scores."""

from __future__ import annotations

from collections.abc import Mapping

from grubio.metrics.bootstrap import Score
from grubio.metrics.sites import FALSE_POSITIVES_PER_KB, HEADLINE_TOLERANCE, REGIONS, recall_name
from grubio.runs.metrics import DenseClass, Headline, Metrics, SiteClass

MODEL = "model"
HEADLINE_OF_SITES = "site_average_precision"
HEADLINE_OF_BASES = "base_mcc"


def summary_rows(metrics: Metrics) -> list[list[str]]:
    """Return a table of the main scores of each class and method, with its header."""
    columns = ("average_precision", "precision_at_k", *map(recall_name, FALSE_POSITIVES_PER_KB))
    rows = [["class", "region", "method", *columns]]
    for sites in (metrics.sites or {}).values():
        for region in REGIONS:
            for name, method in sites.methods.items():
                found = getattr(method, region).within(HEADLINE_TOLERANCE)
                rows.append([sites.name, region, name, *(_cell(found, c) for c in columns)])
    if metrics.dense:
        columns = ("average_precision", "mcc", "sensitivity", "precision", "f1")
        rows.append(["class", "region", "method", *columns])
        for bases in metrics.dense.values():
            for name, scores in bases.methods.items():
                rows.append([bases.name, "bases", name, *(_cell(scores, c) for c in columns)])
    return rows


def add_headline(metrics: Metrics) -> None:
    """Add the headline score of the model and of the baselines, and the gains over them.

    It is the average precision of the first class of sites that has known sites; without one, the
    MCC of the first class of varying width.
    """
    for letter, sites in (metrics.sites or {}).items():
        if sites.count:
            values = {
                name: method.genome.within(HEADLINE_TOLERANCE)["average_precision"]
                for name, method in sites.methods.items()
            }
            return _add(metrics, HEADLINE_OF_SITES, letter, sites, values)
    for letter, bases in (metrics.dense or {}).items():
        values = {name: scores["mcc"] for name, scores in bases.methods.items()}
        return _add(metrics, HEADLINE_OF_BASES, letter, bases, values)


def _add(
    metrics: Metrics,
    key: str,
    letter: str,
    of_class: SiteClass | DenseClass,
    values: Mapping[str, Score],
) -> None:
    metrics.headline = Headline(key=key, letter=letter, name=of_class.name)
    metrics.scores[key] = values[MODEL]
    for name, value in values.items():
        if name != MODEL:
            metrics.baselines.setdefault(name, {})[key] = value
    for name, score in of_class.gain.items():
        metrics.scores[f"gain_over_{name}"] = score


def _cell(scores: Mapping[str, Score], name: str) -> str:
    value = scores.get(name, Score()).value
    return "-" if value is None else f"{value:.3f}"
