"""``grubio pool``."""

from pathlib import Path
from typing import Annotated

import typer

from grubio.cli.dry_run import RUN, new_folder
from grubio.cli.options import DeviceOption, ThreadsOption, settings_option
from grubio.config import EvaluationSettings


@settings_option(EvaluationSettings)
def pool(
    runs: Annotated[list[Path], typer.Argument(help="Folders of the runs, one a fold."), RUN],
    dataset: Annotated[
        list[Path], typer.Option("--dataset", "-d", help="Split dataset of each fold.")
    ],
    output: Annotated[Path, new_folder("Folder for the results.")],
    settings: EvaluationSettings,
    audit: Annotated[
        list[Path] | None, typer.Option("--audit", help="Leakage audit of each fold.")
    ] = None,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
) -> None:
    """Score the folds of a cross-validation together.

    Each record is labelled by the model that was not trained on its fold.

    Example: grubio pool cv-fold1 cv-fold2 -d split-fold1.parquet -d split-fold2.parquet -o cv
    """
    from grubio.evaluation.pool import pool_folds
    from grubio.runs.files import FOLDS_FILE

    pool_folds(runs, dataset, output, settings, audits=audit or (), device=device, threads=threads)
    typer.echo((output / FOLDS_FILE).read_text(encoding="utf-8"), nl=False)
