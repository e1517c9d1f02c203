"""What a person sees of a long stream: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator, Sequence, Sized
from functools import cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

logger = logging.getLogger(__name__)

ItemT = TypeVar("ItemT", bound=Sized)

hidden = False
"""Whether progress is not shown, as ``--quiet`` wants it."""


@cache
def terminal() -> Console:
    """Return the one console for standard error, so that notices go above a live line."""
    from rich.console import Console

    return Console(stderr=True)


def is_live() -> bool:
    """Return whether a live line or bar is wanted and standard error is a terminal."""
    return sys.stderr.isatty() and not hidden


def counted(
    items: Iterable[ItemT], names: tuple[str, str] = ("records", "residues")
) -> Iterator[ItemT]:
    """Pass items on and show their number, total length and speed while they pass.

    On a terminal this is a live line; elsewhere a line every half minute. ``names`` are those of
    the items and of what they are made of. The time left is told where it can be known: of a list,
    and while an input file is being read.
    """
    from rich.status import Status

    from grubio.files import share_read

    live = is_live()
    status = Status("reading", console=terminal()) if live else None
    started = told = time.monotonic()
    count = length = 0
    total = sum(map(len, items)) if isinstance(items, Sequence) else 0
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
                text += _left(now - started, length / total if total else share_read())
                if status:
                    status.update(text)
                else:
                    logger.info(text)
    finally:
        if status:
            status.stop()


def as_minutes(seconds: float) -> str:
    """Return a duration as ``minutes:seconds``.

    Examples
    --------
    >>> as_minutes(125.6)
    '2:05'
    """
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}"


def _left(seconds: float, share: float | None) -> str:
    if not share or share >= 1:
        return ""
    return f", {share:.0%}, {as_minutes(seconds / share * (1 - share))} left"
