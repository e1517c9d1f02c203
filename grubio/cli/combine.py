"""``grubio combine``."""

from pathlib import Path
from typing import Annotated

import typer

from grubio.cli.dry_run import new_folder
from grubio.cli.options import ThreadsOption, WeightPrecisionOption


def combine(
    models: Annotated[
        list[Path], typer.Argument(metavar="MODEL...", help="Models to combine.", file_okay=False)
    ],
    dataset: Annotated[Path, typer.Option("--dataset", help="Dataset they were trained on.")],
    output: Annotated[Path, new_folder("Folder of the run.")],
    weight_precision: WeightPrecisionOption = None,
    threads: ThreadsOption = None,
) -> None:
    """Average several models of the same targets into one.

    Its probabilities are calibrated anew on the validation records.

    Example: grubio combine a/model b/model --dataset split.parquet --output ensemble
    """
    from grubio.training.ensemble import combine_models

    typer.echo(
        combine_models(models, dataset, output, weight_precision=weight_precision, threads=threads)
    )
