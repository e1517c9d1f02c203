"""``grubio shards``: the steps of a prediction in shards, as the workflow runs them."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from grubio.cli.dry_run import READ, new_file, new_folder
from grubio.cli.options import (
    DatabaseOption,
    ModelOption,
    OwnProfileOption,
    ProfilesOption,
    outputs_option,
    settings_option,
)
from grubio.cli.step import Step, command_group
from grubio.config import Output, PredictionSettings, SearchSettings
from grubio.text import counts_text

logger = logging.getLogger(__name__)

app = command_group(
    "Predict in shards: cut the input, label each shard anywhere, gather the outputs.\n\n"
    "Example: grubio shards cut proteins.fasta --shards 16 --model protein-ss --output shards"
)


@app.command(cls=Step)
@settings_option(PredictionSettings, only=["on_invalid", "alphabet", "grammar"])
def cut(
    sequences: Annotated[
        str, typer.Argument(metavar="INPUT", help="FASTA, plain or compressed."), READ
    ],
    output: Annotated[Path, new_folder("Folder for the shards.")],
    shards: Annotated[int, typer.Option("--shards", help="Number of shards.", min=1)],
    model: ModelOption,
    settings: PredictionSettings,
) -> None:
    """Check the records of an input and cut it into shards of about equal residues.

    Example: grubio shards cut proteins.fasta.gz --shards 16 --model protein-ss --output shards
    """
    from grubio.model.zoo import find_model
    from grubio.prediction.shards.steps import cut_input

    plan = cut_input(sequences, output, shards, find_model(model), settings)
    kept, residues = plan.tally.kept, plan.tally.residues
    logger.info("%s; shards: %s, in %s", counts_text(kept, residues), shards, output)


@app.command(cls=Step)
@settings_option(SearchSettings, "search", panel="Search for homologs, with --database")
@settings_option(PredictionSettings, only=["device", "threads", "genome"])
def label(
    shard: Annotated[Path, typer.Argument(help="K-of-N.records.parquet of grubio shards cut.")],
    output: Annotated[Path, new_file("File to write (Parquet).")],
    model: ModelOption,
    settings: PredictionSettings,
    search: SearchSettings,
    profiles: ProfilesOption = None,
    database: DatabaseOption = None,
    own_profile: OwnProfileOption = False,
) -> None:
    """Label the records of one shard.

    Example: grubio shards label shards/3-of-16.records.parquet --model protein-ss
    --output shards/3-of-16.probabilities.parquet
    """
    from grubio.model.zoo import find_model
    from grubio.prediction.profiles import ProfileSource
    from grubio.prediction.shards.steps import label_shard

    source = ProfileSource(profiles or None, database, own_profile, search)
    label_shard(shard, output, find_model(model), settings, source)


@app.command(cls=Step)
@outputs_option
@settings_option(PredictionSettings, only=["scheme", "calls", "genome"])
def gather(
    shards: Annotated[
        list[Path], typer.Argument(help="All files of grubio shards label, in any order.")
    ],
    outputs: list[Output],
    model: ModelOption,
    settings: PredictionSettings,
) -> None:
    """Write the outputs from all shards, in the order of the input.

    Example: grubio shards gather shards/*.probabilities.parquet --model protein-ss
    --output proteins.ss2 --output proteins.tsv
    """
    from grubio.model.zoo import find_model
    from grubio.prediction.shards.steps import gather_shards

    tally = gather_shards(shards, outputs, find_model(model), settings)
    logger.info("%s", counts_text(tally.kept, tally.residues))
