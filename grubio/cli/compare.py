"""``grubio compare``."""

from pathlib import Path
from typing import Annotated

import typer

from grubio.cli.dry_run import RUN, new_file


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Folders of evaluated runs."), RUN],
    output: Annotated[Path, new_file("Table to write (TSV).")],
    figure: Annotated[Path | None, new_file("Figure to write (SVG).", "--figure")] = None,
    html: Annotated[Path | None, new_file("Page to write (HTML).", "--html")] = None,
    groups: Annotated[
        Path | None,
        new_file("Table of runs grouped over seeds: mean and spread (TSV).", "--groups"),
    ] = None,
    groups_figure: Annotated[
        Path | None, new_file("Figure of these groups (SVG).", "--groups-figure")
    ] = None,
    tests: Annotated[
        Path | None, new_file("Table of paired tests between these groups (TSV).", "--tests")
    ] = None,
    data: Annotated[Path | None, new_file("All of it (JSON).", "--data")] = None,
) -> None:
    """Compare runs: a table, and a figure and a page if asked for.

    Example: grubio compare results/a results/b --output runs.tsv --figure runs.svg
    """
    from grubio.report.compare import compare_runs

    others = {
        "figure": figure,
        "page": html,
        "groups": groups,
        "groups_figure": groups_figure,
        "tests": tests,
        "data": data,
    }
    compare_runs(runs, output, **others)
    for path in filter(None, (output, *others.values())):
        typer.echo(path)
