"""``grubio prepare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grubio.cli.notices import start_logging
from grubio.cli.options import LogOption, settings_option
from grubio.config import PrepareSettings


@settings_option(PrepareSettings)
def prepare(
    files: Annotated[
        list[str],
        typer.Argument(metavar="INPUT...", help="Files of records; - is standard input."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Dataset to write (Parquet).")],
    settings: PrepareSettings,
    labels: Annotated[
        Path | None, typer.Option("--labels", help="FASTA of labels, for format fasta.")
    ] = None,
    masks: Annotated[
        Path | None, typer.Option("--masks", help="FASTA of masks (1 counts, 0 does not).")
    ] = None,
    accessibility: Annotated[
        Path | None,
        typer.Option("--accessibility", help="Table of accessibility, a further target."),
    ] = None,
    profiles: Annotated[
        Path | None, typer.Option("--profiles", help="NPZ of profiles, a further target.")
    ] = None,
    summary: Annotated[
        Path | None, typer.Option("--summary", help="Write the counts here as JSON.")
    ] = None,
    log: LogOption = None,
) -> None:
    """Read and check labelled sequences and write them as a dataset.

    Example: grubio prepare chains.fasta --labels labels.fasta --output prepared.parquet
    """
    start_logging(log)
    from grubio.config import parse_scheme
    from grubio.prepare import prepare_dataset

    tally = prepare_dataset(
        files,
        output,
        settings,
        labels=labels,
        masks=masks,
        accessibility=accessibility,
        profiles=profiles,
        summary=summary,
    )
    scheme = parse_scheme(settings.scheme)
    refused = tally.read - tally.kept
    typer.echo(f"{tally.kept} records, {tally.residues} residues, {tally.masked} of them masked")
    counted = max(sum(tally.labels.values()), 1)
    for letter, name in zip(scheme.letters, scheme.class_names, strict=True):
        share = 100 * tally.labels[letter] / counted
        typer.echo(f"  {letter}  {name:<12} {tally.labels[letter]:>10}  {share:5.1f} %")
    for letter, count in sorted(tally.replaced.items()):
        typer.echo(f"letter {letter} read as something else: {count}")
    if tally.stops:
        typer.echo(f"terminal stops removed: {tally.stops}")
    if refused:
        typer.echo(f"records refused: {refused}")
        for name, reason in tally.refused[:20]:
            typer.echo(f"  {name}: {reason}")
