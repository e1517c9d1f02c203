"""Where notices go: standard error, and a log file if ``--log`` names one."""

import logging
import platform
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from grubio import __version__, progress
from grubio.cli.dry_run import new_file
from grubio.errors import GrubioError

_on_screen_level = logging.INFO


def _notices_from(level: int, *flags: str, text: str) -> Any:
    def show(wanted: bool) -> None:
        global _on_screen_level
        if wanted:
            _on_screen_level = level
            progress.hidden = level > logging.INFO

    return typer.Option(
        *flags, callback=show, expose_value=False, rich_help_panel="Common", help=text
    )


QuietOption = Annotated[
    bool,
    _notices_from(logging.WARNING, "--quiet", "-q", text="Only warnings and errors; no progress."),
]
VerboseOption = Annotated[
    bool,
    _notices_from(
        logging.DEBUG, "--verbose", "-v", text="Also print versions and the command line."
    ),
]


def log_option(**settings: Any) -> Any:
    """Return the option ``--log`` with other settings of Typer's."""
    text = "Also write all notices, with times, to this file."
    return new_file(text, "--log", rich_help_panel="Common", **settings)


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
        in_file = _LogFile(log_file, mode="w", encoding="utf-8", errors="backslashreplace")
        in_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logger.addHandler(in_file)
    logger.debug(
        "grubio %s, Python %s, %s", __version__, platform.python_version(), platform.platform()
    )
    logger.debug("grubio %s", shlex.join(sys.argv[1:]))


def add_to_log(text: str) -> None:
    """Write a text to the log file of this command, if it has one, and nowhere else."""
    logger = logging.getLogger("grubio")
    record = logger.makeRecord("grubio", logging.ERROR, "", 0, text, (), None)
    for handler in logger.handlers:
        if isinstance(handler, _LogFile):
            handler.emit(record)


class _LogFile(logging.FileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            return super().handleError(record)
        raise GrubioError(f"cannot be written: {error.strerror}", path=self.baseFilename) from error
