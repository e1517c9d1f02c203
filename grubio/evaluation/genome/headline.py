"""What is told of a genome first: the headline score, and a table of the main scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grubio.metrics.sites import FALSE_POSITIVES_PER_KB, HEADLINE_TOLERANCE, REGIONS, recall_name

MODEL = "model"
HEADLINE_OF_SITES = "site_average_precision"
HEADLINE_OF_BASES = "base_mcc"

Scores = dict[str, Any]


def summary_rows(result: Mapping[str, Any]) -> list[list[str]]:
    """Return a table of the main scores of each class and method, with its header."""
    columns = ("average_precision", "precision_at_k", *map(recall_name, FALSE_POSITIVES_PER_KB))
    rows = [["class", "region", "method", *columns]]
    for scores in result["sites"].values():
        for region in REGIONS:
            for name, method in scores["methods"].items():
                found = method[region][f"tolerance_{HEADLINE_TOLERANCE}"]
                rows.append([scores["name"], region, name, *(_cell(found, c) for c in columns)])
    if result["dense"]:
        columns = ("average_precision", "mcc", "sensitivity", "precision", "f1")
        rows.append(["class", "region", "method", *columns])
    for scores in result["dense"].values():
        for name, method in scores["methods"].items():
            rows.append([scores["name"], "bases", name, *(_cell(method, c) for c in columns)])
    return rows


def site_headline(letter: str, scores: Scores) -> Scores:
    """Return the average precision of a class of sites, of the baselines, and the gains."""
    at = f"tolerance_{HEADLINE_TOLERANCE}"
    values = {
        name: method["genome"][at]["average_precision"]
        for name, method in scores["methods"].items()
    }
    return _headline(HEADLINE_OF_SITES, letter, scores, values)


def dense_headline(letter: str, scores: Scores) -> Scores:
    """Return the MCC of a class of varying width, of the baselines, and the gains."""
    values = {name: method["mcc"] for name, method in scores["methods"].items()}
    return _headline(HEADLINE_OF_BASES, letter, scores, values)


def _headline(key: str, letter: str, scores: Scores, values: Mapping[str, Scores]) -> Scores:
    return {
        "headline": {"key": key, "class": letter, "name": scores["name"]},
        key: values[MODEL],
        "baselines": {name: {key: value} for name, value in values.items() if name != MODEL},
        **{f"gain_over_{name}": value for name, value in scores.get("gain", {}).items()},
    }


def _cell(scores: Mapping[str, Scores], name: str) -> str:
    value = scores.get(name, {}).get("value")
    return "-" if value is None else f"{value:.3f}"
