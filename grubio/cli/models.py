"""``grubio models list`` and ``grubio models show``."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Show the models that are installed.", no_args_is_help=True)


@app.command("list")
def list_models() -> None:
    """List the models that come with grubio."""
    from grubio.bundle import bundled_models, load_metadata

    typer.echo("name\talphabet\tlabels\tparameters\tvalidation score")
    for name, folder in bundled_models().items():
        metadata = load_metadata(folder)
        training = metadata["training"]
        typer.echo(
            f"{name}\t{metadata['alphabet']}\t{metadata['scheme']['name']}\t"
            f"{metadata['parameters']}\t{training['valid_score']:.4f} ({training['score_scheme']})"
        )


@app.command("show")
def show_model(
    model: Annotated[str, typer.Argument(help="Name of a bundled model, or folder of a model.")],
) -> None:
    """Print the card of a model."""
    from grubio.bundle import CARD_FILE, find_model, load_metadata

    folder = find_model(model)
    load_metadata(folder)
    typer.echo((folder / CARD_FILE).read_text(encoding="utf-8"), nl=False)
