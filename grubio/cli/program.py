"""The command line: ``grubio COMMAND``. Each command parses, calls one step, and prints.

Results go to standard output, notices to standard error. The exit codes are those of ``EXITS``.
What commands there are, and where: :mod:`grubio.cli.commands`.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated, Any, NoReturn

import typer

from grubio import __version__
from grubio.cli.commands import COMMANDS
from grubio.cli.lazy import LazyCommand
from grubio.cli.notices import QuietOption, VerboseOption
from grubio.cli.step import HELP_NAMES
from grubio.errors import GrubioError, Interrupted

EXITS = {
    0: "done",
    1: "a defect of grubio, or a failed job of the workflow",
    2: "wrong input or usage: the message says where, and what to do",
    130: "stopped by SIGINT (Ctrl-C)",
    141: "the reader of the output has gone, as in `grubio predict` piped into `head`",
    143: "stopped by SIGTERM, as by a cluster's time limit",
}


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"grubio {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    pass


def command_line() -> Any:
    """Return ``grubio`` with its commands, none of them imported."""
    app = typer.Typer(
        name="grubio",
        help="Label every residue of a sequence with a bidirectional GRU.\n\n"
        "Example: grubio predict proteins.fasta --output proteins.tsv",
        epilog="Exit codes: " + "; ".join(f"{code} {text}" for code, text in EXITS.items()) + ".",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings=HELP_NAMES,
    )
    app.callback()(_root)
    group: Any = typer.main.get_command(app)
    for entry in COMMANDS:
        group.add_command(LazyCommand(entry))
    return group


def main() -> None:
    """Run the command line and exit with its code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        try:
            command_line()(prog_name="grubio")
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
