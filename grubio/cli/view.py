"""``grubio view``."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from grubio.cli.dry_run import new_file

logger = logging.getLogger(__name__)


def view(
    predictions: Annotated[
        Path, typer.Argument(help="Predictions (Parquet) of grubio predict or grubio evaluate.")
    ],
    output: Annotated[Path, new_file("Page to write (HTML); - is standard output.")],
) -> None:
    """Draw predictions as a page that needs no network.

    Ribbons above the residues, confidence, probabilities, search by id; SVG and PNG to save.
    Known labels are drawn as well if the file has them, as results/RUN/test_predictions.parquet.

    Example: grubio view predictions.parquet --output predictions.html
    """
    from grubio.prediction.read_back import PredictionsTable
    from grubio.writers.open_writer import open_writer
    from grubio.writers.text import Content

    table = PredictionsTable(predictions)
    count = 0
    with open_writer(str(output), "html", Content("sequences", table.scheme)) as write:
        for sequence in table:
            write(sequence)
            count += 1
    if str(output) != "-":
        logger.info("%s sequences: %s", count, output)
