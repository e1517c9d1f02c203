"""What the readers of alignments yield."""

from __future__ import annotations

from typing import NamedTuple

from grubio.sequences.profile import Profile

COPY = "make it, copy it or download it again"
"""What to do about a file that is cut off."""


class NamedProfile(NamedTuple):
    """A profile as it stands in a file.

    Attributes
    ----------
    id
        Of its first sequence; None if the format has none.
    profile
        The profile.
    """

    id: str | None
    profile: Profile
