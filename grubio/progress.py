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

logger = logging.getLogger(__name__)

ItemT = TypeVar("ItemT", bound=Sized)
AnswerT = TypeVar("AnswerT")

hidden = False
"""Whether progress is hidden, as by ``--quiet``."""


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
    the items and of their units of length. The time left is shown while an input is being read.
    """
    from grubio.files import share_read

    line = _Line()
    count = length = 0

    def text(seconds: float) -> str:
        speed = f"{length / seconds:,.0f} {names[1]}/s"
        return f"{count:,} {names[0]}, {length:,} {names[1]}, {speed}{_left(seconds, share_read())}"

    try:
        for item in items:
            yield item
            count += 1
            length += len(item)
            line.show(text)
    finally:
        line.stop()


def watched(
    label: Callable[[Iterable[ItemT]], Iterator[AnswerT]], records: Iterable[ItemT]
) -> Iterator[AnswerT]:
    """Pass on what ``label`` returns for records, and show its progress and the time left.

    Records are read ahead and results come in bursts, so ``label`` reports what it has computed by
    :func:`computed`. The total is known for a list and once the input has been read; it is
    estimated while a file is being read.
    """
    global _watch
    _watch = _Watch(sum(map(len, records)) if isinstance(records, Sequence) else 0)
    try:
        yield from label(_watch.passed(records))
    finally:
        _watch.line.stop()
        _watch = None


def computed(residues: int) -> None:
    """Count residues that have just been labelled."""
    if _watch is not None:
        _watch.done += residues
        _watch.line.show(_watch.text)


class _Line:
    """A live line on a terminal, plain lines elsewhere, no more often than a person can read."""

    def __init__(self) -> None:
        from rich.status import Status

        self._status = Status("reading", console=terminal()) if is_live() else None
        self._started = self._shown = time.monotonic()
        if self._status:
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


class _Watch:
    """How many residues were read and labelled; ``total`` is 0 while it is not known."""

    def __init__(self, total: int) -> None:
        self.line = _Line()
        self.done = 0
        self._read = 0
        self._total = total

    def passed(self, records: Iterable[ItemT]) -> Iterator[ItemT]:
        """Pass records on and count what is read."""
        for record in records:
            self._read += len(record)
            yield record
        self._total = self._read

    def text(self, seconds: float) -> str:
        """Return the line."""
        from grubio.files import share_read

        share = share_read()
        guess = self._read / share if share and share < 1 else 0
        total = self._total or guess
        of = f" of {'' if self._total else 'about '}{total:,.0f}" if total else ""
        left = _left(seconds, self.done / total) if total else ""
        return f"{self.done:,}{of} residues, {self.done / seconds:,.0f} residues/s{left}"


_watch: _Watch | None = None


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
