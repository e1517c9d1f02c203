"""What a person sees of a long stream: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from functools import cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

logger = logging.getLogger(__name__)

ItemT = TypeVar("ItemT", bound=Sized)


@cache
def terminal() -> Console:
    """Return the one console for standard error, so that notices go above a live line."""
    from rich.console import Console

    return Console(stderr=True)


def counted(
    items: Iterable[ItemT], names: tuple[str, str] = ("records", "residues")
) -> Iterator[ItemT]:
    """Pass items on and show their number, total length and speed while they pass.

    On a terminal this is a live line; elsewhere a line every half minute. ``names`` are those of
    the items and of what they are made of.
    """
    from rich.status import Status

    live = sys.stderr.isatty()
    status = Status("reading", console=terminal()) if live else None
    started = told = time.monotonic()
    count = length = 0
    if status:
        status.start()
    try:
        for item in items:
            yield item
            count += 1
            length += len(item)
            now = time.monotonic()
            if now - told >= (0.2 if live else 30):
                told = now
                text = (
                    f"{count:,} {names[0]}, {length:,} {names[1]}, "
                    f"{length / (now - started):,.0f} {names[1]}/s"
                )
                if status:
                    status.update(text)
                else:
                    logger.info(text)
    finally:
        if status:
            status.stop()
