"""``grubio report``."""

from pathlib import Path
from typing import Annotated

import typer

from grubio.cli.dry_run import RUN, new_file


def report(
    run: Annotated[Path, typer.Argument(help="Folder of a trained and evaluated run."), RUN],
    output: Annotated[
        Path | None,
        new_file("HTML file to write.", show_default="report.html in the folder of the run"),
    ] = None,
) -> None:
    """Write a report on a run: one HTML file that opens offline.

    Example: grubio report results/mine --output report.html
    """
    from grubio.report.page import write_report
    from grubio.runs.files import REPORT_FILE

    output = output or run / REPORT_FILE
    write_report(run, output)
    typer.echo(output)
