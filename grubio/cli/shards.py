"""``grubio shards``: the steps of a prediction in shards, as the workflow runs them."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from grubio.cli.dry_run import READ, WRITTEN
from grubio.cli.notices import start_logging
from grubio.cli.options import FormatOption, LogOption, ModelOption, settings_option
from grubio.cli.step import HELP_NAMES, Step
from grubio.config import PredictionSettings
from grubio.config.formats import outputs_of, require_proper

logger = logging.getLogger(__name__)

app = typer.Typer(
    help="Predict in shards: cut the input, label each shard anywhere, gather the outputs.\n\n"
    "Example: grubio shards cut proteins.fasta --shards 16 --model protein-ss --output shards",
    add_completion=False,
    no_args_is_help=True,
    context_settings=HELP_NAMES,
)


@app.command(cls=Step)
@settings_option(PredictionSettings, only=["on_invalid", "alphabet"])
def cut(
    sequences: Annotated[
        str, typer.Argument(metavar="INPUT", help="FASTA, plain or compressed."), READ
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Folder for the shards.", file_okay=False),
        WRITTEN,
    ],
    shards: Annotated[int, typer.Option("--shards", help="Number of shards.", min=1)],
    model: ModelOption,
    settings: PredictionSettings,
    log: LogOption = None,
) -> None:
    """Check the records of an input and cut it into shards of about equal residues.

    Example: grubio shards cut proteins.fasta.gz --shards 16 --model protein-ss --output shards
    """
    start_logging(log)
    from grubio.model.zoo import find_model
    from grubio.prediction.shards.steps import cut_input

    plan = cut_input(sequences, output, shards, find_model(model), settings)
    logger.info(
        "%s records, %s residues; shards: %s, in %s",
        plan.tally.kept,
        plan.tally.residues,
        shards,
        output,
    )


@app.command(cls=Step)
@settings_option(PredictionSettings, only=["device", "threads", "genome"])
def label(
    shard: Annotated[Path, typer.Argument(help="K-of-N.records.parquet of grubio shards cut.")],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="File to write (Parquet).", dir_okay=False),
        WRITTEN,
    ],
    model: ModelOption,
    settings: PredictionSettings,
    log: LogOption = None,
) -> None:
    """Label the records of one shard.

    Example: grubio shards label shards/3-of-16.records.parquet --model protein-ss
    --output shards/3-of-16.probabilities.parquet
    """
    start_logging(log)
    from grubio.model.zoo import find_model
    from grubio.prediction.shards.steps import label_shard

    label_shard(shard, output, find_model(model), settings)


@app.command(cls=Step)
@settings_option(PredictionSettings, only=["scheme", "calls", "genome"])
def gather(
    shards: Annotated[
        list[Path], typer.Argument(help="All files of grubio shards label, in any order.")
    ],
    output: Annotated[
        list[str],
        typer.Option(
            "--output", "-o", help="File or folder/, as for grubio predict; may come several times."
        ),
        WRITTEN,
    ],
    model: ModelOption,
    settings: PredictionSettings,
    output_format: FormatOption = None,
    log: LogOption = None,
) -> None:
    """Write the outputs from all shards, in the order of the input.

    Example: grubio shards gather shards/*.probabilities.parquet --model protein-ss
    --output proteins.ss2 --output proteins.tsv
    """
    start_logging(log)
    from grubio.model.zoo import find_model
    from grubio.prediction.shards.steps import gather_shards

    outputs = outputs_of(output, output_format)
    require_proper(outputs)
    tally = gather_shards(shards, outputs, find_model(model), settings)
    logger.info("%s records, %s residues", tally.kept, tally.residues)
