"""Groups of runs and the tests between them, as tables, as a figure and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from grubio.files import table_text, write_text_whole
from grubio.metrics.bootstrap import Score
from grubio.report.figures import Dot, dot_plot
from grubio.runs.numbers import is_fraction
from grubio.runs.seed_groups import ADJUSTMENT, REPLICATES, PairedTest, RunGroup, SeedTest
from grubio.text import plural
from grubio.view.svg import write_svg

_GROUP_COLUMNS = (
    *("group", "runs", "seeds", "test_set", "score", "mean", "sd", "min", "max"),
    *("parameters", "training_rate", "labelling_rate"),
)
_TEST_COLUMNS = (
    *("first", "second", "test_set", "score", "chains", "difference", "low", "high"),
    *("p_wilcoxon", "p_adjusted"),
    *("seeds", "seed_difference", "seed_low", "seed_high", "p_seeds", "p_seeds_adjusted"),
)


def write_groups(
    groups: Sequence[RunGroup],
    runs: Sequence[Mapping[str, str]],
    pairs: Sequence[PairedTest],
    *,
    table: str | Path | None = None,
    figure: str | Path | None = None,
    tests: str | Path | None = None,
    data: str | Path | None = None,
) -> None:
    """Write the files asked for.

    ``table`` (TSV) and ``figure`` (SVG) have mean and spread of each group, ``tests`` (TSV) has one
    row per pair, and ``data`` (JSON) has all of it with the rows of the table of runs.

    Raises
    ------
    GrubioError
        If a file cannot be written.
    """
    group_rows = [_group_row(group) for group in groups]
    test_rows = [_test_row(test) for test in pairs]
    if table is not None:
        _write_tsv(table, _GROUP_COLUMNS, group_rows)
    if tests is not None:
        flat = [
            {
                **row,
                **test.difference.as_dict(),
                "difference": test.difference.value,
                **_seed_cells(test.over_seeds),
            }
            for row, test in zip(test_rows, pairs, strict=True)
        ]
        _write_tsv(tests, _TEST_COLUMNS, flat)
    if figure is not None:
        write_svg(Path(figure), groups_figure(groups), "Groups of runs")
    if data is not None:
        group_of = {place: group.name for group in groups for place in group.runs}
        content = {
            "runs": [{**run, "group": group_of.get(place)} for place, run in enumerate(runs)],
            "groups": group_rows,
            "tests": test_rows,
            "adjustment": ADJUSTMENT,
            "bootstrap": REPLICATES,
        }
        write_text_whole(data, json.dumps(content, indent=2) + "\n")


def cell_text(value: object) -> str:
    """Return a value as a cell: six digits, lists joined by commas, None empty."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ",".join(map(str, value))
    return f"{value:.6g}" if isinstance(value, float) else " ".join(str(value).split())


def groups_figure(groups: Sequence[RunGroup]) -> Figure:
    """Draw the mean of each group with the range of its runs."""
    dots = [
        Dot(
            group.name + (f" ({plural(len(group.runs), 'run')})" if len(group.runs) > 1 else ""),
            Score(group.mean, float(group.scores.min()), float(group.scores.max())),
        )
        for group in groups
    ]
    scores = " or ".join(dict.fromkeys(group.score_key for group in groups))
    plainly = any(is_fraction(group.score_key) for group in groups)
    unit = "" if plainly else " (%)"
    return dot_plot(dots, f"{scores} on the test set{unit}: mean and range over seeds")


def _group_row(group: RunGroup) -> dict[str, object]:
    return {
        "group": group.name,
        "runs": len(group.runs),
        "seeds": list(group.seeds),
        "test_set": group.test_set,
        "score": group.score_key,
        "mean": round(group.mean, 6),
        "sd": None if group.deviation is None else round(group.deviation, 6),
        "min": round(float(group.scores.min()), 6),
        "max": round(float(group.scores.max()), 6),
        "parameters": group.parameters,
        "training_rate": group.training_rate and round(group.training_rate),
        "labelling_rate": group.labelling_rate and round(group.labelling_rate),
    }


def _test_row(test: PairedTest) -> dict[str, object]:
    return {
        "first": test.first,
        "second": test.second,
        "test_set": test.test_set,
        "score": test.score_key,
        "chains": test.chains,
        "difference": test.difference.as_dict(),
        "p_wilcoxon": float(f"{test.p_value:.3g}"),
        "p_adjusted": float(f"{test.adjusted:.3g}"),
        "over_seeds": _seed_row(test.over_seeds),
    }


def _seed_row(test: SeedTest | None) -> dict[str, object] | None:
    if test is None:
        return None
    return {
        "seeds": test.seeds,
        "difference": test.difference.as_dict(),
        "p_t": float(f"{test.p_value:.3g}"),
        "p_adjusted": float(f"{test.adjusted:.3g}"),
    }


def _seed_cells(test: SeedTest | None) -> dict[str, object]:
    score = test.difference if test else Score()
    return {
        "seeds": test and test.seeds,
        "seed_difference": score.value,
        "seed_low": score.low,
        "seed_high": score.high,
        "p_seeds": test and test.p_value,
        "p_seeds_adjusted": test and test.adjusted,
    }


def _write_tsv(
    path: str | Path, names: Sequence[str], rows: Sequence[Mapping[str, object]]
) -> None:
    cells = ([cell_text(row[name]) for name in names] for row in rows)
    write_text_whole(path, table_text(names, cells))
