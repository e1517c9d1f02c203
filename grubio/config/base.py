"""What all groups of settings share, and where a file comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from grubio.config.sources import is_url

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
"""A name that is also a folder name."""

Device = Literal["auto", "cpu", "cuda", "mps"]
OnInvalid = Literal["error", "skip", "mask"]


class Settings(BaseModel):
    """Base of all groups of settings: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def from_json(value: Any) -> Any:
    """Return a value, read as JSON if it is the text of a command line.

    Raises
    ------
    ValueError
        If the text is not JSON.
    """
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON ({error})") from error


class Source(Settings):
    """Where a file comes from."""

    location: str = Field(
        description="URL (http, https, ftp), path, or name of embedded data "
        "(`grubio fetch --list`)."
    )
    sha256: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        description="Expected SHA-256 of the file as fetched; required for a URL.",
    )
    member: str | None = Field(default=None, description="File to take out of a ZIP archive.")

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"location": str(value)} if isinstance(value, str | Path) else value

    @model_validator(mode="after")
    def _url_needs_checksum(self) -> Source:
        if is_url(self.location) and self.sha256 is None:
            raise ValueError("a URL needs its sha256")
        return self
