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
    average_weights: Annotated[
        bool,
        typer.Option(
            "--average-weights",
            help="Write one network of the mean weights of models that were trained from one model "
            "(--from), instead of an ensemble that holds them all.",
        ),
    ] = False,
    weight_precision: WeightPrecisionOption = None,
    threads: ThreadsOption = None,
) -> None:
    """Average several models of the same targets into one.

    Its probabilities are calibrated anew on the validation records.

    Example: grubio combine a/model b/model --dataset split.parquet --output both
    """
    from grubio.training.ensemble import combine_models

    typer.echo(
        combine_models(
            models,
            dataset,
            output,
            average_weights=average_weights,
            weight_precision=weight_precision,
            threads=threads,
        )
    )
