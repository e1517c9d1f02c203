"""``grubio report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grubio.cli.dry_run import RUN, WRITTEN
from grubio.cli.notices import start_logging
from grubio.cli.options import LogOption


def report(
    run: Annotated[Path, typer.Argument(help="Folder of a trained and evaluated run."), RUN],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="HTML file to write.",
            dir_okay=False,
            show_default="report.html in the folder of the run",
        ),
        WRITTEN,
    ] = None,
    log: LogOption = None,
) -> None:
    """Write what a run is worth as one HTML file that opens offline.

    Example: grubio report results/mine --output report.html
    """
    start_logging(log)
    from grubio.report.page import write_report
    from grubio.runs.files import REPORT_FILE

    output = output or run / REPORT_FILE
    write_report(run, output)
    typer.echo(output)
