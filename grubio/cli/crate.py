"""``grubio crate``."""

from pathlib import Path
from typing import Annotated

import typer

from grubio.cli.dry_run import WRITTEN
from grubio.errors import GrubioError


def crate(
    run: Annotated[Path, typer.Argument(help="Folder of a trained and evaluated run."), WRITTEN],
    study: Annotated[
        str | None,
        typer.Option("--study", metavar="JSON", help="Settings of the run, to keep with it."),
    ] = None,
    license_id: Annotated[
        str | None,
        typer.Option("--license", help="SPDX identifier of the licence of model and scores."),
    ] = None,
    author: Annotated[
        list[str] | None,
        typer.Option(
            "--author",
            metavar="NAME [ORCID]",
            help="Who made the run. May be given several times.",
        ),
    ] = None,
) -> None:
    """Make the folder of a run an RO-Crate, with a model card for Hugging Face's hub.

    Writes ro-crate-metadata.json with inputs, checksums, settings, software and scores, a copy of
    the workflow, and model/README.md. The folder of a cross-validation has no model and no card.

    Example: grubio crate results/mine --license MIT --author 'Jane Doe 0000-0002-1825-0097'
    """
    from grubio.config.authors import Author
    from grubio.config.base import from_yaml
    from grubio.config.loading import checked
    from grubio.files import write_text_whole
    from grubio.report.model_card import hub_card, hub_card_path
    from grubio.runs.folder import read_run
    from grubio.study.crate import write_crate

    try:
        settings = from_yaml(study)
    except ValueError as error:
        raise GrubioError(f"--study {error}") from None
    authors = [checked(Author, one) for one in author or ()]
    found = read_run(run)
    if not found.metrics.folds:
        card = hub_card_path(run)
        write_text_whole(card, hub_card(found, license_id))
        typer.echo(card)
    typer.echo(write_crate(found, settings, license_id, authors))
