"""Tables and curves of the sites of a genome, and tables of its classes of varying width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from grubio.metrics.bootstrap import Score
from grubio.report import figures
from grubio.runs.files import SITE_CURVE_FILE
from grubio.runs.folder import Run, baseline_name
from grubio.runs.metrics import Region, SiteMethod
from grubio.runs.numbers import percent
from grubio.runs.tables import read_site_curve
from grubio.sequences.scheme import LabelScheme
from grubio.text import plural
from grubio.view.svg import inline_svg

Rows = list[tuple[str, list[Score]]]

SITE_COLUMNS = (
    ((0, "average_precision"), "Average precision, exact"),
    ((3, "average_precision"), "within 3 bases"),
    ((10, "average_precision"), "within 10 bases"),
    ((3, "precision_at_k"), "Precision at k"),
    ((3, "recall_at_0.1_per_kb"), "Recall at 0.1 false per kb"),
    ((3, "recall_at_1_per_kb"), "Recall at 1 false per kb"),
    ((None, "base_average_precision"), "Average precision of bases"),
)
"""Tolerance in bases and key of each score; scores of single bases have no tolerance."""
DENSE_COLUMNS = (
    ("mcc", "MCC"),
    ("sensitivity", "Sensitivity"),
    ("precision", "Precision"),
    ("f1", "F1"),
    ("average_precision", "Average precision"),
)
REGIONS = (("genome", "over the whole test blocks"), ("near_known", "near known sites"))

_METHODS = ("model", "pwm", "kmer_logistic", "prevalence")


@dataclass(frozen=True)
class SiteTables:
    """Results for a class of fixed width.

    Attributes
    ----------
    name
        The class.
    finding
        A sentence on the number and width of its sites and the sequence scanned.
    tables
        A title and rows of methods for each region; columns are :data:`SITE_COLUMNS`.
    strands
        Strand consistency by method.
    curves
        A precision-recall curve and its caption for each region.
    """

    name: str
    finding: str
    tables: list[tuple[str, Rows]]
    strands: list[tuple[str, Score]]
    curves: list[tuple[Markup, str]]


class DenseTable(NamedTuple):
    """Results for a class of varying width; columns are :data:`DENSE_COLUMNS`."""

    name: str
    bases: int
    rows: Rows


def site_classes(run: Run) -> list[SiteTables]:
    """Return the results for each class of fixed width.

    Raises
    ------
    GrubioError
        If a score or a line of ``site_curve.tsv`` is not as expected.
    """
    curves = read_site_curve(run.folder / SITE_CURVE_FILE) or {}
    shown = []
    for letter, scores in (run.metrics.sites or {}).items():
        name, methods, scanned = scores.name, scores.methods, scores.kilobases
        tables = [
            (f"Sites of {name}, {title}", _site_rows(methods, region)) for region, title in REGIONS
        ]
        finding = (
            f"{plural(scores.count, 'known site')} of {plural(scores.width, 'base')} in "
            f"{scanned['genome']:,.0f} kb of test blocks; {scanned['near_known']:,.0f} kb lie "
            "near one."
        )
        drawn = []
        for region, title in REGIONS:
            found = {
                _method(method): curves[letter, method, region]
                for method in _METHODS
                if (letter, method, region) in curves
            }
            if found:
                drawn.append(
                    (_curve(run.scheme, letter, region, found), f"Sites of {name}, {title}.")
                )
        strands = [
            (_method(method), methods[method].strand_consistency)
            for method in _METHODS
            if method in methods and methods[method].strand_consistency.known
        ]
        shown.append(SiteTables(name, finding, tables, strands, drawn))
    return shown


def dense_classes(run: Run) -> list[DenseTable]:
    """Return the results for each class of varying width."""
    return [
        DenseTable(scores.name, scores.count, _dense_rows(scores.methods))
        for scores in (run.metrics.dense or {}).values()
    ]


def _curve(
    scheme: LabelScheme,
    letter: str,
    region: str,
    curves: Mapping[str, Sequence[tuple[float, float]]],
) -> Markup:
    at = scheme.letters.index(letter)
    ends = "; ".join(
        f"{method} reaches a recall of {percent(points[-1][0])} at a precision of "
        f"{percent(points[-1][1])}"
        for method, points in curves.items()
    )
    text = f"Precision against recall of sites of {scheme.class_names[at]}: {ends}"
    figure = figures.precision_recall(curves, scheme.colours[at])
    return inline_svg(figure, f"sites-{at}-{region}", text)


def _site_rows(methods: Mapping[str, SiteMethod], region: str) -> Rows:
    rows: Rows = []
    for name in _METHODS:
        if name in methods:
            found: Region = getattr(methods[name], region)
            cells = [
                found.base_average_precision
                if bases is None
                else found.within(bases).get(key, Score())
                for (bases, key), _ in SITE_COLUMNS
            ]
            rows.append((_method(name), cells))
    return rows


def _dense_rows(methods: Mapping[str, Mapping[str, Score]]) -> Rows:
    return [
        (_method(name), [methods[name].get(key, Score()) for key, _ in DENSE_COLUMNS])
        for name in _METHODS
        if name in methods
    ]


def _method(name: str) -> str:
    return "this model" if name == "model" else baseline_name(name)
