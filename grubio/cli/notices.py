"""Where notices go: standard error, and a log file if one is asked for."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from grubio.progress import terminal


def start_logging(log_file: Path | None = None) -> None:
    """Send the notices of grubio to standard error and, with times, to a log file.

    Raises
    ------
    GrubioError
        If the log file cannot be opened.
    """
    logger = logging.getLogger("grubio")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.handlers.clear()
    on_screen: logging.Handler = logging.StreamHandler(sys.stderr)
    if sys.stderr.isatty():
        from rich.highlighter import NullHighlighter
        from rich.logging import RichHandler

        on_screen = RichHandler(
            console=terminal(),
            show_time=False,
            show_level=False,
            show_path=False,
            highlighter=NullHighlighter(),
        )
    on_screen.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(on_screen)
    if log_file is not None:
        from grubio.files import new_folder_for

        new_folder_for(log_file)
        in_file = logging.FileHandler(log_file, mode="w", encoding="utf-8")
        in_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logger.addHandler(in_file)
