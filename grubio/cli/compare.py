"""``grubio compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grubio.cli.dry_run import RUN, WRITTEN
from grubio.cli.notices import start_logging
from grubio.cli.options import LogOption


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Folders of evaluated runs."), RUN],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Table to write (TSV).", dir_okay=False), WRITTEN
    ],
    figure: Annotated[
        Path | None,
        typer.Option("--figure", help="Figure to write (SVG).", dir_okay=False),
        WRITTEN,
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Page to write (HTML).", dir_okay=False), WRITTEN
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            "--groups",
            help="Table of runs that differ in their seed alone, taken together (TSV).",
            dir_okay=False,
        ),
        WRITTEN,
    ] = None,
    groups_figure: Annotated[
        Path | None,
        typer.Option("--groups-figure", help="Figure of these groups (SVG).", dir_okay=False),
        WRITTEN,
    ] = None,
    tests: Annotated[
        Path | None,
        typer.Option(
            "--tests", help="Table of paired tests between these groups (TSV).", dir_okay=False
        ),
        WRITTEN,
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="All of it (JSON).", dir_okay=False), WRITTEN
    ] = None,
    log: LogOption = None,
) -> None:
    """Put runs side by side: a table, and a figure and a page if asked for.

    Example: grubio compare results/a results/b --output runs.tsv --figure runs.svg
    """
    start_logging(log)
    from grubio.report.compare import compare_runs

    compare_runs(
        runs,
        output,
        figure=figure,
        page=html,
        groups=groups,
        groups_figure=groups_figure,
        tests=tests,
        data=data,
    )
    for path in (output, figure, html, groups, groups_figure, tests, data):
        if path is not None:
            typer.echo(path)
