"""Who made a run, for its crate: names, and identifiers of ORCID (https://orcid.org)."""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field, field_validator, model_validator

from grubio.config.base import Settings

_ORCID = r"\d{4}-\d{4}-\d{4}-\d{3}[\dX]"
_WORD = re.compile(rf"(?P<name>.*?)[\s,<(]*(?:https?://orcid\.org/)?(?P<orcid>{_ORCID})[)>]?")


class Author(Settings):
    """A person who made the runs: a name, or `Jane Doe 0000-0002-1825-0097` with an ORCID."""

    name: str = Field(min_length=1, description="Name of the person.")
    orcid: str | None = Field(
        default=None, description="ORCID of the person, such as `0000-0002-1825-0097`."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        found = _WORD.fullmatch(value.strip())
        return found.groupdict() if found else {"name": value.strip()}

    @field_validator("orcid")
    @classmethod
    def _is_orcid(cls, value: str | None) -> str | None:
        if value is not None and not is_orcid(value):
            raise ValueError(f"'{value}' is no ORCID; one like 0000-0002-1825-0097 was expected")
        return value

    @property
    def word(self) -> str:
        """The author in one word of the command line."""
        return f"{self.name} {self.orcid}" if self.orcid else self.name


def is_orcid(text: str) -> bool:
    """Return whether a text is an ORCID, by its form and its check digit (ISO 7064, MOD 11-2).

    Examples
    --------
    >>> is_orcid("0000-0002-1825-0097"), is_orcid("0000-0002-1825-0098")
    (True, False)
    """
    if not re.fullmatch(_ORCID, text):
        return False
    total = 0
    for digit in text.replace("-", "")[:-1]:
        total = (total + int(digit)) * 2
    check = (12 - total % 11) % 11
    return text[-1] == ("X" if check == 10 else str(check))
