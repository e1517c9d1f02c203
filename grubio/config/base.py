"""What all groups of settings have in common, and the sources of files."""

from __future__ import annotations

import contextlib
import difflib
import functools
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from grubio.config.accessions import accession_of, is_accession
from grubio.config.sources import require_known_source

logger = logging.getLogger(__name__)

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
"""A name that is also a folder name."""

LARGEST_SEED = 2**32 - 1
"""What all libraries that draw random numbers take."""

Device = Literal["auto", "cpu", "cuda", "mps"]
OnInvalid = Literal["error", "skip", "mask"]


class Settings(BaseModel):
    """Base of all groups of settings: unknown keys are refused, values are frozen.

    ``former`` holds keys of an earlier version that are still read, each with the new key and a
    function that turns its value into content of the new key.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    former: ClassVar[Mapping[str, tuple[str, Callable[[Any], Any]]]] = {}

    @model_validator(mode="before")
    @classmethod
    def _under_new_keys(cls, content: Any) -> Any:
        if not isinstance(content, Mapping) or not cls.former.keys() & content.keys():
            return content
        now = dict(content)
        for key, (new, translated) in cls.former.items():
            if (value := now.pop(key, None)) is None:
                continue
            _warn(key, new)
            meant, given = translated(value), now.get(new)
            if isinstance(meant, dict):
                now[new] = meant | (from_yaml(given) or {})
            else:
                given = given.split(",") if isinstance(given, str) else given or ()
                now[new] = [*given, *meant]
        return now

    @field_validator("*", mode="before")
    @classmethod
    def _yes_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        field = cls.model_fields[str(info.field_name)].annotation
        if isinstance(value, bool) and field in (int, float, int | None, float | None):
            raise ValueError("a number was expected")
        return value


@functools.cache
def _warn(former: str, new: str) -> None:
    logger.warning("'%s' is read for one more version; write '%s' instead", former, new)


def former_key(now: str) -> Any:
    """Return the field of a key of an earlier version; ``now`` is what to write in its place."""
    return Field(
        default=None, deprecated=True, exclude=True, description=f"Former word for `{now}`."
    )


OneOrMany = BeforeValidator(lambda value: value if isinstance(value, list) else [value])
"""For a list: one item may stand for a list of one."""


def _each_once(values: list[Any]) -> list[Any]:
    if twice := [value for value in values if values.count(value) > 1]:
        raise ValueError(f"'{twice[0]}' occurs twice")
    return values


EachOnce = AfterValidator(_each_once)
"""For a list whose items differ."""


def did_you_mean(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return the end of a message about an unknown name: the known one that is most like it.

    Examples
    --------
    >>> did_you_mean("pbd", ["pdb", "mine"]), did_you_mean("x", ["pdb"])
    (", did you mean 'pdb'?", '')
    """
    near = difflib.get_close_matches(name, known, 1, cutoff=cutoff)
    return f", did you mean '{near[0]}'?" if near else ""


def from_yaml(value: Any) -> Any:
    """Return a value; text, of a file or of the command line, is read as JSON or as YAML.

    Raises
    ------
    ValueError
        If the text is neither, or a mapping has a key twice.

    Examples
    --------
    >>> from_yaml("{least: {H: 3}}") == from_yaml('{"least": {"H": 3}}')
    True
    >>> from_yaml('{"rate": 1e-05}')
    {'rate': 1e-05}
    """
    if not isinstance(value, str):
        return value
    import yaml

    from grubio.config.unique_keys import UniqueKeyLoader

    # YAML 1.1 would read the numbers of JSON that have no point, such as 1e-05, as text.
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(value, object_pairs_hook=_once_each)
    try:
        return yaml.load(value, UniqueKeyLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"is not YAML: {' '.join(str(error).split())}") from error
    except (ValueError, RecursionError) as error:
        # A date that does not exist, or lists nested too deeply.
        raise ValueError(f"cannot be read as YAML: {error}") from error


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        # As YAML it is read again, and refused with the line.
        raise ValueError
    return found


class Source(Settings):
    """Where a file comes from."""

    location: str = Field(
        description="URL (http, https, ftp), accession (`uniprot:P0CG48`), path, name of embedded "
        "data (`grubio fetch --list`), or `@FILE` with one of these in each line."
    )
    sha256: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        description="Expected SHA-256 of the file as fetched. For a URL or an accession without "
        "it, that of the first fetch is kept in `grubio.lock`.",
    )
    member: str | None = Field(default=None, description="File to take out of a ZIP archive.")

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"location": str(value)} if isinstance(value, str | Path) else value

    @model_validator(mode="after")
    def _accession_is_one(self) -> Source:
        if is_accession(self.location):
            accession_of(self.location)
        require_known_source(self.location)
        return self
