"""``grubio train``."""

from pathlib import Path
from typing import Annotated

import typer

from grubio.cli.dry_run import MODEL, new_folder
from grubio.cli.notices import log_option, start_logging
from grubio.cli.options import DeviceOption, ThreadsOption, model_names, settings_option
from grubio.config import ModelSettings, TrainingSettings
from grubio.training.process_rank import process_rank


@settings_option(ModelSettings, "model_settings")
@settings_option(TrainingSettings, "training_settings")
def train(
    dataset: Annotated[Path, typer.Argument(help="Dataset written by grubio split.")],
    output: Annotated[Path, new_folder("Folder of the run.")],
    model_settings: ModelSettings,
    training_settings: TrainingSettings,
    teacher: Annotated[
        Path | None,
        typer.Option(
            "--teacher", help="Model whose probabilities are learned in addition to the labels."
        ),
    ] = None,
    parent: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Model to start from: name of a bundled model, or folder of a model. Its network "
            "and the heads that fit are taken over.",
            autocompletion=model_names,
        ),
        MODEL,
    ] = None,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    log: Annotated[Path | None, log_option()] = None,
) -> None:
    """Train a model on a dataset; an interrupted run is resumed.

    Writes the model bundle, history.csv and TensorBoard logs into the folder of the run.

    Example: grubio train split.parquet --output results/mine --hidden-size 128 --epochs 6
    """
    first = process_rank(training_settings).rank == 0
    if first:
        start_logging(log)
    from grubio.model.zoo import find_model
    from grubio.training.train import train_model

    model = train_model(
        dataset,
        output,
        model_settings,
        training_settings,
        teacher=teacher,
        parent=None if parent is None else find_model(parent),
        device=device,
        threads=threads,
    )
    if first:
        typer.echo(model)
