"""``grubio page``."""

from pathlib import Path
from typing import Annotated

import typer

from grubio.cli.dry_run import new_file
from grubio.cli.options import ModelOption


def page(
    model: ModelOption,
    output: Annotated[Path, new_file("Page to write (HTML).")],
    title: Annotated[
        str | None,
        typer.Option("--title", help="Heading of the page.", show_default="the model's name"),
    ] = None,
) -> None:
    """Write a model as one HTML page that labels in the browser.

    Who opens it pastes or drops FASTA and gets the labels drawn, and as files. It needs no
    installation, no server and no network.

    Example: grubio page --model protein-ss-fast --output predictor.html
    """
    from grubio.model.zoo import find_model
    from grubio.page.predictor import write_page

    write_page(find_model(model), output, title=title)
    typer.echo(output)
