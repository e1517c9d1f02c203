"""What a person sees of a long stream: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from grubio.record import Record

if TYPE_CHECKING:
    from rich.console import Console

logger = logging.getLogger(__name__)


@cache
def terminal() -> Console:
    """Return the one console for standard error, so that notices go above a live line."""
    from rich.console import Console

    return Console(stderr=True)


def counted_records(records: Iterable[Record]) -> Iterator[Record]:
    """Pass records on and show their number, residues and speed while they pass.

    On a terminal this is a live line; elsewhere a line every half minute.
    """
    from rich.status import Status

    live = sys.stderr.isatty()
    status = Status("reading", console=terminal()) if live else None
    started = told = time.monotonic()
    count = residues = 0
    if status:
        status.start()
    try:
        for record in records:
            yield record
            count += 1
            residues += len(record)
            now = time.monotonic()
            if now - told >= (0.2 if live else 30):
                told = now
                text = (
                    f"{count:,} records, {residues:,} residues, "
                    f"{residues / (now - started):,.0f} residues/s"
                )
                if status:
                    status.update(text)
                else:
                    logger.info(text)
    finally:
        if status:
            status.stop()
