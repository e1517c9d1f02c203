"""``grubio models list``, ``grubio models show`` and ``grubio models copy``."""

from pathlib import Path
from typing import Annotated

import typer

from grubio.cli.dry_run import MODEL, new_folder
from grubio.cli.options import MODEL_HELP, WeightPrecisionOption, model_names
from grubio.cli.step import Step, command_group

app = command_group(
    "Show the models that are installed, or copy one.\n\nExample: grubio models list"
)


@app.command("list", cls=Step)
def list_models() -> None:
    """List the models that come with grubio.

    Example: grubio models list
    """
    from grubio.model.bundle import load_metadata
    from grubio.model.card import scored_on
    from grubio.model.zoo import bundled_models

    typer.echo("name\talphabet\tlabels\tparameters\tvalidation score")
    for name, folder in bundled_models().items():
        metadata = load_metadata(folder)
        training, main = metadata["training"], metadata["targets"][0]
        # A model of values has no labels; its score is about its first value.
        what = main["scheme"]["name"] if main["kind"] == "classes" else main["name"]
        score = f"{training.get('score', 'accuracy').replace('_', ' ')} of {scored_on(training)}"
        typer.echo(
            f"{name}\t{metadata['alphabet']}\t{what}\t"
            f"{metadata['parameters']}\t{training['valid_score']:.4f} ({score})"
        )


@app.command("show", cls=Step)
def show_model(
    model: Annotated[str, typer.Argument(help=MODEL_HELP, autocompletion=model_names)],
) -> None:
    """Print the card of a model, and how closely its answers repeat.

    Example: grubio models show protein-ss
    """
    from grubio.model.bundle import CARD_FILE, load_metadata
    from grubio.model.card import promised
    from grubio.model.zoo import find_model

    folder = find_model(model)
    metadata = load_metadata(folder)
    typer.echo((folder / CARD_FILE).read_text(encoding="utf-8"))
    typer.echo(f"## Reproducibility\n\n{promised(metadata)}")


@app.command("copy", cls=Step)
def copy_model(
    model: Annotated[str, typer.Argument(help=MODEL_HELP, autocompletion=model_names), MODEL],
    output: Annotated[Path, new_folder("Folder of the copy.")],
    weight_precision: WeightPrecisionOption = None,
) -> None:
    """Copy a model, with weights of half the size if asked for.

    Probabilities of float16 weights differ by about a thousandth; labelling is as fast.

    Example: grubio models copy results/mine/model --output small --weight-precision 16
    """
    from grubio.model.bundle import copy_bundle
    from grubio.model.zoo import find_model

    copy_bundle(find_model(model), output, weight_precision)
    typer.echo(output)
