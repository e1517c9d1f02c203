"""``grubio combine``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grubio.cli.dry_run import WRITTEN
from grubio.cli.notices import start_logging
from grubio.cli.options import LogOption, ThreadsOption


def combine(
    models: Annotated[
        list[Path], typer.Argument(metavar="MODEL...", help="Models to combine.", file_okay=False)
    ],
    dataset: Annotated[Path, typer.Option("--dataset", help="Dataset they were trained on.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the run.", file_okay=False), WRITTEN
    ],
    threads: ThreadsOption = None,
    log: LogOption = None,
) -> None:
    """Make one model of several of the same shape; its answer is the mean of theirs.

    Probabilities are calibrated anew on the validation records.

    Example: grubio combine a/model b/model --dataset split.parquet --output ensemble
    """
    start_logging(log)
    from grubio.training.ensemble import combine_models

    typer.echo(combine_models(models, dataset, output, threads=threads))
