"""``grubio shards``: the steps of a prediction in shards, as the workflow runs them."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from grubio.cli.dry_run import READ, WRITTEN
from grubio.cli.notices import start_logging
from grubio.cli.options import (
    DeviceOption,
    FormatOption,
    LogOption,
    ModelOption,
    ThreadsOption,
    settings_option,
)
from grubio.cli.step import HELP_NAMES, Step
from grubio.config import CallSettings, GenomeSettings, OnInvalid

logger = logging.getLogger(__name__)

app = typer.Typer(
    help="Predict in shards: cut the input, label each shard anywhere, gather the outputs.\n\n"
    "Example: grubio shards cut proteins.fasta --shards 16 --model protein-ss --output shards",
    add_completion=False,
    no_args_is_help=True,
    context_settings=HELP_NAMES,
)


@app.command(cls=Step)
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
    on_invalid: Annotated[
        OnInvalid,
        typer.Option("--on-invalid", help="Records with invalid letters, as for grubio predict."),
    ] = "error",
    log: LogOption = None,
) -> None:
    """Check the records of an input and cut it into shards of about equal residues.

    Example: grubio shards cut proteins.fasta.gz --shards 16 --model protein-ss --output shards
    """
    start_logging(log)
    from grubio.model.zoo import find_model
    from grubio.prediction.shards.steps import cut_input

    plan = cut_input(sequences, output, shards, model=find_model(model), on_invalid=on_invalid)
    logger.info(
        "%s records, %s residues; shards: %s, in %s",
        plan.tally.kept,
        plan.tally.residues,
        shards,
        output,
    )


@app.command(cls=Step)
@settings_option(GenomeSettings, "genome")
def label(
    shard: Annotated[Path, typer.Argument(help="K-of-N.records.parquet of grubio shards cut.")],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="File to write (Parquet).", dir_okay=False),
        WRITTEN,
    ],
    model: ModelOption,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    log: LogOption = None,
    *,
    genome: GenomeSettings,
) -> None:
    """Label the records of one shard.

    Example: grubio shards label shards/3-of-16.records.parquet --model protein-ss
    --output shards/3-of-16.probabilities.parquet
    """
    start_logging(log)
    from grubio.model.zoo import find_model
    from grubio.prediction.shards.steps import label_shard

    label_shard(
        shard, output, model=find_model(model), device=device, threads=threads, genome=genome
    )


@app.command(cls=Step)
@settings_option(GenomeSettings, "genome")
@settings_option(CallSettings, "calls")
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
    output_format: FormatOption = None,
    scheme: Annotated[
        str | None,
        typer.Option("--scheme", help="Labels to write.", show_default="the model's coarsest"),
    ] = None,
    log: LogOption = None,
    *,
    genome: GenomeSettings,
    calls: CallSettings,
) -> None:
    """Write the outputs from all shards, in the order of the input.

    Example: grubio shards gather shards/*.probabilities.parquet --model protein-ss
    --output proteins.ss2 --output proteins.tsv
    """
    start_logging(log)
    from grubio.model.zoo import find_model
    from grubio.prediction.predict_file import Output, require_proper
    from grubio.prediction.shards.steps import gather_shards
    from grubio.writers.open_writer import format_of

    outputs = [Output(path, output_format or format_of(path)) for path in output]
    require_proper(outputs)
    tally = gather_shards(
        shards,
        outputs,
        model=find_model(model),
        scheme=scheme,
        genome=genome,
        calls=calls,
    )
    logger.info("%s records, %s residues", tally.kept, tally.residues)
