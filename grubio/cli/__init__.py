"""The command line: ``grubio COMMAND``. Each command parses, calls one step, and prints.

Results go to standard output, notices to standard error. Exit codes: 0 done, 1 a defect of
grubio, 2 bad input or usage, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from grubio import __version__
from grubio.cli.fetch import fetch
from grubio.cli.prepare import prepare
from grubio.errors import GrubioError

app = typer.Typer(
    name="grubio",
    help="Label every residue of a sequence with a bidirectional GRU.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command()(fetch)
app.command()(prepare)


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
    try:
        app()
    except GrubioError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        # The reader of our output has gone; Python would complain once more while it closes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        sys.exit(130)
