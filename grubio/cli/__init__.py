"""The command line: ``grubio COMMAND``. Each command parses, calls one step, and prints.

Results go to standard output, notices to standard error. Exit codes: 0 done, 1 a defect of
grubio, 2 bad input or usage, 130 or 143 stopped by SIGINT or SIGTERM.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated, NoReturn

import typer

from grubio import __version__
from grubio.cli import models
from grubio.cli.combine import combine
from grubio.cli.compare import compare
from grubio.cli.evaluate import evaluate
from grubio.cli.fetch import fetch
from grubio.cli.motifs import motifs
from grubio.cli.predict import predict
from grubio.cli.prepare import prepare
from grubio.cli.report import report
from grubio.cli.split import split
from grubio.cli.summary import summary
from grubio.cli.train import train
from grubio.cli.view import view
from grubio.errors import GrubioError, Interrupted

app = typer.Typer(
    name="grubio",
    help="Label every residue of a sequence with a bidirectional GRU.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in (
    predict,
    view,
    fetch,
    prepare,
    split,
    train,
    combine,
    evaluate,
    report,
    motifs,
    compare,
    summary,
):
    app.command()(command)
app.add_typer(models.app, name="models")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"grubio {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line and exit with its code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except GrubioError as error:
        _stop(str(error), 2)
    except BrokenPipeError:
        # The reader of our output has gone; Python would complain once more while it closes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        if sys.stdout.writable():
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _stop(f"{error.filename or 'standard output'}: {error.strerror or error}", 2)
    except Interrupted as stop:
        typer.echo(f"stopped by {signal.Signals(stop.number).name}", err=True)
        sys.exit(128 + stop.number)


def _interrupt(number: int, _: object) -> NoReturn:
    raise Interrupted(number)


def _stop(message: str, code: int) -> NoReturn:
    typer.echo(f"error: {message}", err=True)
    sys.exit(code)
