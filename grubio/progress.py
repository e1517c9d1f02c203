"""Progress of a long run: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from functools import cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

logger = logging.getLogger(__name__)

ItemT = TypeVar("ItemT", bound=Sized)
AnswerT = TypeVar("AnswerT")

hidden = False
"""Whether progress is hidden, as by ``--quiet``."""


@cache
def terminal() -> Console:
    """Return the console for standard error; notices on it appear above a live line."""
    from rich.console import Console

    return Console(stderr=True)


def is_live() -> bool:
    """Return whether a live line or bar is wanted and standard error is a terminal."""
    return sys.stderr.isatty() and not hidden


def counted(items: Iterable[ItemT], item: str = "record", unit: str = "residue") -> Iterator[ItemT]:
    """Yield the items and show their number, total length and speed.

    On a terminal this is a live line; elsewhere a line every half minute. ``item`` and ``unit``
    are the names of one item and of one unit of length. The time left is shown while an input is
    being read.
    """
    from grubio.files import share_read
    from grubio.text import counts_text

    line = _Line()
    count = length = 0

    def text(seconds: float) -> str:
        speed = f"{length / seconds:,.0f} {unit}s/s"
        counts = counts_text(count, length, item, unit)
        return f"{counts}, {speed}{_left(seconds, share_read())}"

    try:
        for one in items:
            yield one
            count += 1
            length += len(one)
            line.show(text)
    finally:
        line.stop()


def watched(
    label: Callable[[Iterable[ItemT]], Iterator[AnswerT]], records: Iterable[ItemT]
) -> Iterator[AnswerT]:
    """Yield what ``label`` returns for records, and show its progress and the time left.

    Records are read ahead and results come in bursts, so ``label`` calls :func:`computed`. The
    total is known for a list and once the input has been read; before, it is estimated.
    """
    from grubio.files import share_read

    global _count
    line = _Line()
    done = read = 0
    total = sum(map(len, records)) if isinstance(records, Sequence) else 0

    def passed() -> Iterator[ItemT]:
        nonlocal read, total
        for record in records:
            read += len(record)
            yield record
        total = read

    def text(seconds: float) -> str:
        share = share_read()
        guess = total or (read / share if share and share < 1 else 0)
        of = f" of {'' if total else 'about '}{guess:,.0f}" if guess else ""
        left = _left(seconds, done / guess) if guess else ""
        return f"{done:,}{of} residues, {done / seconds:,.0f} residues/s{left}"

    def count(residues: int) -> None:
        nonlocal done
        done += residues
        line.show(text)

    _count = count
    try:
        yield from label(passed())
    finally:
        line.stop()
        _count = None


def computed(residues: int) -> None:
    """Count residues that have just been labelled."""
    if _count is not None:
        _count(residues)


class _Line:
    """A live line on a terminal, plain lines elsewhere, no more often than a person can read."""

    def __init__(self) -> None:
        self._status: Status | None = None
        self._started = self._shown = time.monotonic()
        if is_live():
            from rich.status import Status

            self._status = Status("reading", console=terminal())
            self._status.start()

    def show(self, text: Callable[[float], str]) -> None:
        """Show the text for the seconds since the start, unless the last one is too recent."""
        now = time.monotonic()
        if now - self._shown < (0.2 if self._status else 30):
            return
        self._shown = now
        if self._status:
            self._status.update(text(now - self._started))
        else:
            logger.info(text(now - self._started))

    def stop(self) -> None:
        """Remove the line."""
        if self._status:
            self._status.stop()


_count: Callable[[int], None] | None = None


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
