"""``grubio summary``."""

from pathlib import Path
from typing import Annotated

import typer


def summary(
    folders: Annotated[
        list[Path], typer.Argument(help="Folders of runs, or a folder that holds runs.")
    ],
) -> None:
    """Print the scores of evaluated runs and where their files are.

    Example: grubio summary results
    """
    from grubio.report.summary import find_runs, summary_lines

    blocks = ["\n".join(summary_lines(run)) for run in find_runs(folders)]
    typer.echo("\n\n".join(blocks))
