"""The command line: ``grubio COMMAND``. Each command parses, calls one step, and prints.

Results go to standard output, notices to standard error. The exit codes are those of ``EXITS``.
The commands are listed in :mod:`grubio.cli.commands`.
"""

import contextlib
import os
import signal
import sys
import traceback
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any, NoReturn, cast

import typer

from grubio import __version__
from grubio.cli.commands import COMMANDS
from grubio.cli.lazy import LazyCommand
from grubio.cli.notices import QuietOption, VerboseOption, add_to_log
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

_SURROGATES = "surrogates not allowed"
"""Python's reason for refusing to encode the name of a file that is not UTF-8."""


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
    # Pydantic would look for plugins in the metadata of every package that is installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    _reserve_closed_streams()
    try:
        try:
            _require_working_folder()
            command_line()(prog_name="grubio")
        finally:
            sys.stdout.flush()
    except GrubioError as error:
        _stop(str(error), 2)
    except UnicodeEncodeError as error:
        if error.reason != _SURROGATES:
            raise
        _stop(f"the name {error.object!a} is not UTF-8\nhint: rename the file or folder", 2)
    except BrokenPipeError:
        _close_output(128 + signal.SIGPIPE)
    except OSError as error:
        _stop(f"{error.filename or 'standard output'}: {error.strerror or error}", 2)
    except SystemExit as stop:
        # Typer and Rich exit with code 1 if the reader of the output has gone.
        if isinstance(stop.__context__, BrokenPipeError):
            _close_output(128 + signal.SIGPIPE)
        raise
    except Exception:
        with contextlib.suppress(OSError, GrubioError):
            add_to_log(traceback.format_exc())
        raise
    except Interrupted as stop:
        _stop(f"stopped by {signal.Signals(stop.number).name}", 128 + stop.number, "")


def _reserve_closed_streams() -> None:
    # The next file opened would get the descriptor of a closed stream, and be used in its place.
    # The stand-in for standard input or output fails when it is used; notices are dropped.
    for number, (name, mode, flags) in enumerate(
        (("stdin", "r", os.O_WRONLY), ("stdout", "w", os.O_RDONLY), ("stderr", "w", os.O_WRONLY))
    ):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, flags)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))
    # File names are printed byte for byte.
    cast("TextIOWrapper", sys.stdout).reconfigure(encoding="utf-8", errors="surrogateescape")


def _require_working_folder() -> None:
    try:
        Path.cwd()
    except FileNotFoundError as error:
        raise GrubioError("the working folder has been deleted", hint="go to another") from error


def _interrupt(number: int, _: object) -> NoReturn:
    raise Interrupted(number)


def _stop(message: str, code: int, kind: str = "error: ") -> NoReturn:
    with contextlib.suppress(OSError):
        typer.echo(f"{kind}{message}", err=True)
    with contextlib.suppress(OSError, GrubioError):
        add_to_log(f"{kind}{message}")
    _close_output(code)


def _close_output(code: int) -> NoReturn:
    # On exit Python flushes again, and would report an output that cannot be written twice.
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
