"""Where notices go: standard error, as much as is wanted, and a log file if one is asked for."""

from __future__ import annotations

import logging
import platform
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from grubio import __version__, progress

_on_screen_level = logging.INFO


def _be_quiet(wanted: bool) -> None:
    if wanted:
        _show(logging.WARNING)


def _be_verbose(wanted: bool) -> None:
    if wanted:
        _show(logging.DEBUG)


QuietOption = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        callback=_be_quiet,
        expose_value=False,
        rich_help_panel="Common",
        help="Only warnings and errors; no progress.",
    ),
]
VerboseOption = Annotated[
    bool,
    typer.Option(
        "--verbose",
        "-v",
        callback=_be_verbose,
        expose_value=False,
        rich_help_panel="Common",
        help="Also print versions and the command line.",
    ),
]


def start_logging(log_file: Path | None = None) -> None:
    """Send the notices of grubio to standard error and, all of them with times, to a log file.

    Raises
    ------
    GrubioError
        If the log file cannot be opened.
    """
    logger = logging.getLogger("grubio")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.handlers.clear()
    on_screen: logging.Handler = logging.StreamHandler(sys.stderr)
    if sys.stderr.isatty():
        from rich.highlighter import NullHighlighter
        from rich.logging import RichHandler

        on_screen = RichHandler(
            console=progress.terminal(),
            show_time=False,
            show_level=False,
            show_path=False,
            highlighter=NullHighlighter(),
        )
    on_screen.setFormatter(logging.Formatter("%(message)s"))
    on_screen.setLevel(_on_screen_level)
    logger.addHandler(on_screen)
    if log_file is not None:
        from grubio.files import new_folder_for

        new_folder_for(log_file)
        in_file = logging.FileHandler(
            log_file, mode="w", encoding="utf-8", errors="backslashreplace"
        )
        in_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logger.addHandler(in_file)
    logger.debug(
        "grubio %s, Python %s, %s", __version__, platform.python_version(), platform.platform()
    )
    logger.debug("grubio %s", shlex.join(sys.argv[1:]))


def _show(level: int) -> None:
    global _on_screen_level
    _on_screen_level = level
    progress.hidden = level > logging.INFO
