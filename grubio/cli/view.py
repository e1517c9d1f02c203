"""``grubio view``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grubio.cli.notices import start_logging
from grubio.cli.options import LogOption


def view(
    predictions: Annotated[
        Path,
        typer.Argument(help="Predictions (Parquet) of grubio predict or grubio evaluate."),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Page to write (HTML); - is standard output."),
    ],
    log: LogOption = None,
) -> None:
    """Draw predictions as one HTML page that needs no network.

    Ribbons above the residues, confidence, probabilities, search by id; SVG and PNG to save.
    Known labels are drawn as well if the file has them, as results/RUN/test_predictions.parquet.

    Example: grubio view predictions.parquet --output predictions.html
    """
    start_logging(log)
    from grubio.predictions_table import PredictionsTable
    from grubio.writers import open_sequence_writer

    table = PredictionsTable(predictions)
    count = 0
    with open_sequence_writer(str(output), "html", table.scheme) as write:
        for sequence in table:
            write(sequence)
            count += 1
    if str(output) != "-":
        typer.echo(f"{count} sequences: {output}", err=True)
