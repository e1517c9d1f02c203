"""``grubio split``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grubio.cli.dry_run import new_file
from grubio.cli.options import ThreadsOption, settings_option
from grubio.config import SplitSettings
from grubio.text import plural

if TYPE_CHECKING:
    from grubio.splits.split import SplitSummary


@settings_option(SplitSettings)
def split(
    dataset: Annotated[Path, typer.Argument(help="Dataset written by grubio prepare.")],
    output: Annotated[Path, new_file("Dataset to write (Parquet).")],
    settings: SplitSettings,
    audit: Annotated[
        Path | None, new_file("Table of nearest training records to write.", "--audit")
    ] = None,
    exclude: Annotated[
        Path | None,
        typer.Option("--exclude", help="FASTA whose homologs are kept out of train and valid."),
    ] = None,
    train_also: Annotated[
        list[Path] | None,
        typer.Option("--train-also", help="Dataset whose records join train, except homologs."),
    ] = None,
    removed: Annotated[
        Path | None, new_file("Table of the excluded records to write.", "--removed")
    ] = None,
    threads: ThreadsOption = None,
) -> None:
    """Split a dataset into train, valid and test without homologs between them.

    A genome is split into blocks by position, both strands together.

    With --folds, one dataset for each fold is written: split-fold1.parquet, and so on.

    Example: grubio split prepared.parquet --output split.parquet --audit audit.tsv
    """
    from grubio.splits.split import split_dataset, split_into_folds

    arguments: dict[str, Any] = {
        "audit": audit,
        "exclude": exclude,
        "train_also": train_also or (),
        "removed": removed,
        "threads": threads,
    }
    if not settings.folds:
        _show(split_dataset(dataset, output, settings, **arguments))
        return
    for fold, summary in enumerate(split_into_folds(dataset, output, settings, **arguments), 1):
        typer.echo(f"fold {fold}")
        _show(summary)


def _show(summary: "SplitSummary") -> None:
    genome = summary.method in ("block", "contig")
    typer.echo("split\trecords\tresidues" + ("" if genome else "\thomologs in train"))
    for name, records in sorted(summary.records.items()):
        leaks = "" if genome else f"\t{summary.leaks.get(name, '-')}"
        typer.echo(f"{name}\t{records}\t{summary.residues[name]}{leaks}")
    if summary.removed:
        typer.echo(
            f"{plural(summary.removed, 'record')} dropped as homologs of excluded or held-out ones"
        )
    if summary.gap_bases:
        typer.echo(
            f"{plural(summary.gap_bases, 'base')} of both strands cut off next to another split"
        )
    for name, (bases, total) in (summary.repeated or {}).items():
        if total:
            typer.echo(
                f"{bases:,} of {plural(total, f'{name} base')} ({100 * bases / total:.2f} %) are "
                "repeated in training blocks, in copies of 100 bases or more"
            )
    if summary.groups is not None:
        typer.echo(f"{plural(summary.groups, 'group')} of homologs, found with {summary.method}")
