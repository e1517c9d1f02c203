"""``grubio prepare``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grubio.cli.dry_run import READ, TARGET, new_file
from grubio.cli.options import settings_option
from grubio.config import AdditionalTargets, PrepareSettings, TargetSettings
from grubio.config.loading import checked
from grubio.config.profiles import PROFILES_HELP
from grubio.errors import GrubioError
from grubio.text import counts_text, plural

if TYPE_CHECKING:
    from grubio.datasets.annotate import ClassPlaces
    from grubio.datasets.validation import Tally
    from grubio.sequences.scheme import LabelScheme


@settings_option(PrepareSettings)
def prepare(  # noqa: PLR0913 - each option is a parameter
    files: Annotated[
        list[str],
        typer.Argument(metavar="INPUT...", help="Files of records; - is standard input."),
        READ,
    ],
    output: Annotated[Path, new_file("Dataset to write (Parquet).")],
    settings: PrepareSettings,
    annotation: Annotated[
        list[Path] | None,
        typer.Option("--annotation", help="GFF3, GTF or BED of features, for format genome."),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option("--labels", help="FASTA of labels, for format fasta.")
    ] = None,
    masks: Annotated[
        Path | None, typer.Option("--masks", help="FASTA of masks (1 counts, 0 does not).")
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            metavar="NAME=SCHEME[@FILE]",
            help="What else to learn, from the column NAME of a table or from FILE: classes, or "
            "values with NAME=value, or NAME=LOW..HIGH if they have a range; the keys of `targets` "
            "in braces for more.",
        ),
        TARGET,
    ] = None,
    accessibility: Annotated[
        Path | None, typer.Option("--accessibility", help="Use --target.", hidden=True)
    ] = None,
    profiles: Annotated[
        Path | None,
        typer.Option("--profiles", help=f"Profiles of the records. {PROFILES_HELP}"),
    ] = None,
    summary: Annotated[
        Path | None, new_file("Write the counts to this file as JSON.", "--summary")
    ] = None,
) -> None:
    """Read and check labelled sequences, or a genome, and write them as a dataset.

    Example: grubio prepare chains.fasta --labels labels.fasta --output prepared.parquet
    """
    if settings.format == "genome":
        if labels or masks or accessibility or profiles:
            raise GrubioError("format genome takes --annotation and --target, no further files")
        values = checked(AdditionalTargets, {"targets": target or []}).targets
        _prepare_genome(files, annotation or [], output, settings, values, summary)
        return
    if annotation:
        raise GrubioError(
            f"format {settings.format} takes no --annotation", hint="genomes: --format genome"
        )
    from grubio.datasets.prepare_sequences import prepare_dataset

    given = {"targets": target or [], "accessibility": accessibility}
    additional = checked(AdditionalTargets, given)
    tally = prepare_dataset(
        files,
        output,
        settings,
        labels=labels,
        masks=masks,
        targets=additional.targets,
        profiles=profiles,
        summary=summary,
    )
    typer.echo(f"{counts_text(tally.kept, tally.residues)}, {tally.masked:,} of them masked")
    _print_classes(tally, settings.label_scheme)
    for name, known in tally.values.items():
        typer.echo(f"known values of {name}: {known}")
    _print_changes(tally)
    if refused := tally.read - tally.kept:
        _print_refused("records", refused, tally)


def _prepare_genome(
    files: list[str],
    annotation: list[Path],
    output: Path,
    settings: PrepareSettings,
    targets: Sequence[TargetSettings],
    summary: Path | None,
) -> None:
    from grubio.datasets.annotated_genome import named
    from grubio.datasets.prepare_genome import prepare_genome

    tally = prepare_genome(files, annotation, output, settings, targets=targets, summary=summary)
    typer.echo(
        f"{counts_text(tally.contigs, tally.bases, 'contig', 'base')}; "
        f"{plural(tally.kept, 'record')} of both strands, "
        f"{tally.masked:,} of {plural(tally.residues, 'base')} masked"
    )
    _print_classes(tally, settings.label_scheme)
    for name, known in tally.values.items():
        typer.echo(f"known values of {name}: {known}")
    for name, found in tally.places.items():
        cut = f", {found.clipped} cut at the end of a contig" if found.clipped else ""
        short = f", {found.short} with too few bases left out" if found.short else ""
        if found.broken:
            kept = "left out" if settings.classes[name].frame == "whole" else "kept as labels"
            typer.echo(
                f"{name}: coding sequences that do not divide by three, {kept} "
                f"({len(found.broken)}): {named(found.broken, 5)}"
            )
        covered = tally.covered[name]
        hidden = f", {covered} of {len(found.loci)} covered by earlier classes" if covered else ""
        typer.echo(
            f"{name}: {plural(found.features, 'feature')}{_widths(found)}{cut}{short}{hidden}"
        )
    if tally.contigs_left_out:
        typer.echo(f"contigs left out: {tally.contigs_left_out}")
    _print_changes(tally)
    if refused := tally.contigs_refused + tally.lines_refused:
        _print_refused("contigs and lines of annotation", refused, tally)


def _widths(found: ClassPlaces) -> str:
    from grubio.datasets.prepare_genome import LARGEST_SITE

    least, most = found.widths
    if least < most:
        return f" of {least:,} to {plural(most, 'base')}, called as segments"
    kind = "sites" if most <= LARGEST_SITE else "segments"
    return f" of {plural(most, 'base')} each, called as {kind}"


def _print_classes(tally: Tally, scheme: LabelScheme) -> None:
    counted = max(sum(tally.labels.values()), 1)
    for letter, name in zip(scheme.letters, scheme.class_names, strict=True):
        share = 100 * tally.labels[letter] / counted
        typer.echo(f"  {letter}  {name:<12} {tally.labels[letter]:>10}  {share:5.1f} %")
    if coarse := sum(tally.labels[letter] for letter in scheme.coarse_letters):
        typer.echo(f"known only as classes of {scheme.reduces_to}: {coarse}")


def _print_changes(tally: Tally) -> None:
    if tally.replaced:
        letters = ", ".join(f"{count} {letter}" for letter, count in sorted(tally.replaced.items()))
        typer.echo(f"ambiguous or invalid letters: {letters}")
    if tally.stops:
        typer.echo(f"terminal stops removed: {tally.stops}")
    for what, count in tally.left_out.items():
        typer.echo(f"left out: {count} {what}")


def _print_refused(what: str, count: int, tally: Tally) -> None:
    typer.echo(f"{what} refused: {count}")
    for name, reason in tally.refused[:20]:
        typer.echo(f"  {name}: {reason}")
