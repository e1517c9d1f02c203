"""Several runs side by side: one table, one figure, one page."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from grubio.errors import GrubioError
from grubio.files import table_text, write_text_whole
from grubio.metrics.bootstrap import Score
from grubio.overwriting import keep_apart, require_once
from grubio.report.comparison import Comparison
from grubio.report.comparison_page import render_comparison
from grubio.report.figures import Dot, comparison_plot
from grubio.report.group_tables import cell_text, write_groups
from grubio.runs.files import read_files
from grubio.runs.folder import Run, baseline_name, read_run
from grubio.runs.numbers import axis_label, is_fraction
from grubio.runs.seed_groups import grouped_runs, paired_tests
from grubio.view.svg import write_svg

logger = logging.getLogger(__name__)

_DIGITS_OF_HASH = 8


def compare_runs(
    run_folders: Sequence[str | Path],
    output: str | Path,
    *,
    figure: str | Path | None = None,
    page: str | Path | None = None,
    groups: str | Path | None = None,
    groups_figure: str | Path | None = None,
    tests: str | Path | None = None,
    data: str | Path | None = None,
) -> Comparison:
    """Write a table of runs, and the other files asked for.

    Parameters
    ----------
    run_folders
        Folders written by ``grubio train`` and ``grubio evaluate``, in the order of the rows.
    output
        TSV file to write, one row per run.
    figure, page
        SVG and HTML file to write.
    groups, groups_figure
        TSV and SVG file to write: mean and spread of each group of runs that differ only in their
        seed.
    tests
        TSV file to write: one row per pair of groups; see :mod:`grubio.runs.seed_groups`.
    data
        JSON file to write with runs, groups and tests.

    Raises
    ------
    GrubioError
        If no run is given, or one twice, a run is incomplete or damaged, or a file cannot be
        written.
    """
    if not run_folders:
        raise GrubioError("no runs to compare", hint="give the folders of two runs or more")
    require_once(run_folders)
    keep_apart(
        [list(read_files(Path(folder))) for folder in run_folders],
        [output, figure, page, groups, groups_figure, tests, data],
    )
    runs = [read_run(folder) for folder in run_folders]
    comparison = Comparison(runs, _unique_names(runs), [_test_set(run) for run in runs])
    if comparison.notice:
        logger.warning("%s", comparison.notice)
    header, rows = comparison_table(comparison)
    write_text_whole(output, table_text(header, rows))
    if figure is not None:
        write_svg(Path(figure), comparison_figure(comparison), "Comparison of runs")
    if page or groups or groups_figure or tests or data:
        found = grouped_runs(comparison.runs, comparison.names, comparison.test_sets)
        pairs = paired_tests(found) if page or tests or data else []
        if page is not None:
            drawn = comparison_figure(comparison)
            text = render_comparison(comparison, header, rows, drawn, Path(page), found, pairs)
            write_text_whole(page, text)
        write_groups(
            found,
            [dict(zip(header, row, strict=True)) for row in rows],
            pairs,
            table=groups,
            figure=groups_figure,
            tests=tests,
            data=data,
        )
    return comparison


def comparison_table(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """Return the header and one row of text per run; a value that a run lacks is empty.

    Headline scores have an interval, in columns such as ``q3``, ``q3_low``, ``q3_high``: ``q3`` of
    secondary structure, ``accuracy`` of custom classes, ``site_average_precision`` or ``base_mcc``
    of a genome, ``spearman`` of values.
    """
    keys = list(dict.fromkeys(run.score_key for run in comparison.runs))
    wanted = ["q8", "sov", "mcc", "ece"]
    if any(run.of_values for run in comparison.runs):
        wanted += ["spearman", "pearson", "mean_absolute_error", "coverage"]
    others = [key for key in wanted if key not in keys]
    header = ["run", "dataset", "test_set", "hidden_size", "layers", "parameters", "seed", "chains"]
    header += [f"{key}{end}" for key in keys for end in ("", "_low", "_high")]
    header += [*others, "seconds"]
    rows = []
    for run, name, test_set in zip(
        comparison.runs, comparison.names, comparison.test_sets, strict=True
    ):
        network, training = run.network, run.training
        settings = training.get("settings") or {}
        scores = [run.score(key) if key == run.score_key else Score() for key in keys]
        rows.append(
            [
                name,
                str(training.get("dataset_sha256", ""))[:_DIGITS_OF_HASH],
                test_set,
                *map(cell_text, (network.get("hidden_size"), network.get("layers"))),
                cell_text(run.model.get("parameters")),
                *map(cell_text, (settings.get("seed"), training.get("chains"))),
                *(_score_cell(end) for s in scores for end in (s.value, s.low, s.high)),
                *(_score_cell(run.score(key).value) for key in others),
                cell_text(training.get("seconds")),
            ]
        )
    return header, rows


def comparison_figure(comparison: Comparison) -> Figure:
    """Draw the score of each run with its interval, and its baseline as a hollow diamond."""
    dots = []
    for run, name, test_set in zip(
        comparison.runs, comparison.names, comparison.test_sets, strict=True
    ):
        label = f"{name} (test set {comparison.marks[test_set]})" if comparison.notice else name
        baseline = run.baseline(run.main_baseline, run.score_key)
        dots.append(Dot(label, run.score(run.score_key), baseline))
    scores = " or ".join(dict.fromkeys(run.score_name for run in comparison.runs))
    names = dict.fromkeys(baseline_name(run.main_baseline) for run in comparison.runs)
    fractions = [run.score_key for run in comparison.runs if is_fraction(run.score_key)]
    label = axis_label(fractions[0] if fractions else "", f"{scores} on the test set")
    return comparison_plot(dots, label, " or ".join(names))


def _unique_names(runs: Sequence[Run]) -> list[str]:
    """Return the shortest ends of the paths that are unique."""
    parts = [run.folder.resolve().parts for run in runs]
    for depth in range(1, max(map(len, parts)) + 1):
        names = ["/".join(path[-depth:]) for path in parts]
        if len(set(names)) == len(set(parts)):
            return names
    return [run.name for run in runs]


def _test_set(run: Run) -> str:
    if run.chains is None:
        # Without the list of test chains, runs on the same dataset have the same test set.
        content = [str(run.training.get("dataset_sha256"))]
    else:
        content = sorted(f"{chain.id}\t{chain.residues}\t{chain.scored}" for chain in run.chains)
    content.append(run.main.name if run.of_values else run.scheme.headline.letters)
    return hashlib.sha256("\n".join(content).encode()).hexdigest()[:_DIGITS_OF_HASH]


def _score_cell(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
