"""Runs to compare."""

from __future__ import annotations

from dataclasses import dataclass

from grubio.runs.folder import Run
from grubio.text import plural


@dataclass(frozen=True)
class Comparison:
    """Runs in the order given.

    Attributes
    ----------
    runs
        Their contents.
    names
        A unique name for each.
    test_sets
        A short hash of the test set of each.
    """

    runs: list[Run]
    names: list[str]
    test_sets: list[str]

    @property
    def marks(self) -> dict[str, str]:
        """A letter for each test set."""
        return {
            one: chr(ord("A") + at % 26) for at, one in enumerate(dict.fromkeys(self.test_sets))
        }

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
