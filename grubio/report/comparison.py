"""Runs that are put side by side."""

from __future__ import annotations

from dataclasses import dataclass

from grubio.runs.folder import Run
from grubio.runs.numbers import plural


@dataclass(frozen=True)
class Comparison:
    """Runs in the order given.

    Attributes
    ----------
    runs
        What was read of each.
    names
        A name for each, unique.
    test_sets
        A short hash for each; the same for runs that were tested on the same chains.
    """

    runs: list[Run]
    names: list[str]
    test_sets: list[str]

    @property
    def notice(self) -> str | None:
        """A warning if the scores cannot be compared, else None."""
        count = len(set(self.test_sets))
        if count == 1:
            return None
        return (
            f"these runs were tested on {plural(count, 'different test set')}: scores can be "
            "compared only between runs with the same test_set"
        )
