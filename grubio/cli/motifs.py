"""``grubio motifs``."""

from pathlib import Path
from typing import Annotated

import typer

from grubio.cli.dry_run import new_folder
from grubio.cli.options import DeviceOption, ModelOption, ThreadsOption, settings_option
from grubio.config import MotifSettings


@settings_option(MotifSettings)
def motifs(
    model: ModelOption,
    dataset: Annotated[Path, typer.Option("--dataset", "-d", help="Dataset of a genome.")],
    output: Annotated[Path, new_folder("Folder for the results.")],
    settings: MotifSettings,
    split: Annotated[str, typer.Option("--split", help="Split whose sites are shown.")] = "test",
    database: Annotated[
        Path | None,
        typer.Option(
            "--database",
            help="Your motifs to compare with, in MEME, JASPAR, HOMER or TRANSFAC format.",
        ),
    ] = None,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
) -> None:
    """Draw what a DNA model has learned: logos and in-silico mutagenesis.

    Example: grubio motifs -m results/mine/model -d split.parquet -o results/mine/motifs
    """
    from grubio.model.zoo import find_model
    from grubio.motifs.describe import describe_motifs

    found = describe_motifs(
        find_model(model),
        dataset,
        output,
        settings,
        split=split,
        database=database,
        device=device,
        threads=threads,
    )
    for name, one in found.items():
        typer.echo(f"{name}\t{one['sites']} sites\t{one['site_consensus']}\t{one['consensus']}")
