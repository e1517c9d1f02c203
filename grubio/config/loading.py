"""Reading and checking configurations, with errors that a person can act on."""

from __future__ import annotations

import difflib
import json
import types
import typing
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from grubio.config import Config, Settings
from grubio.config.base import from_yaml
from grubio.errors import GrubioError
from grubio.text import read_text


def load_config(path: str | Path) -> Config:
    """Read and check a YAML configuration.

    Raises
    ------
    GrubioError
        If the file is missing, is not YAML in UTF-8, or breaks the schema.
    """
    return checked(Config, content_of(path), path=path)


def content_of(path: str | Path) -> Any:
    """Read a YAML file, without asking what stands in it.

    Raises
    ------
    GrubioError
        If the file is missing, is not YAML in UTF-8, or has a key twice.
    """
    try:
        return from_yaml(read_text(path))
    except ValueError as error:
        raise GrubioError(str(error), path=path) from error


SettingsT = typing.TypeVar("SettingsT", bound=Settings)


def checked(
    schema: type[SettingsT], content: object, *, path: str | Path | None = None
) -> SettingsT:
    """Return ``content`` as settings.

    Raises
    ------
    GrubioError
        With the path of the first wrong key, its value, what was expected and, for an unknown
        key, the most similar one that exists.

    Examples
    --------
    >>> from grubio.config import ModelSettings
    >>> checked(ModelSettings, {"hiden_size": 8})
    Traceback (most recent call last):
    ...
    grubio.errors.GrubioError: hiden_size: unknown key (value 8), did you mean 'hidden_size'?
    """
    try:
        return schema.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        others = error.error_count() - 1
        message = _explain(schema, first["loc"], first["type"], first["msg"], first["input"])
        more = f" ({others} more)" if others else ""
        raise GrubioError(message + more, path=path) from None


def flat_fields(
    schema: type[Settings], group: str = ""
) -> Iterator[tuple[str, tuple[str, FieldInfo]]]:
    """Yield each key of settings and of their groups, with its group and its field.

    Examples
    --------
    >>> from grubio.config import PredictionSettings
    >>> [key for key, (group, _) in flat_fields(PredictionSettings) if group == "calls"][:3]
    ['min_confidence', 'min_segment', 'max_gap']
    """
    for key, field in schema.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Settings):
            yield from flat_fields(inner, key)
        else:
            yield key, (group, field)


def grouped(schema: type[Settings], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by key as content of settings, each in its group; None is left out."""
    places = dict(flat_fields(schema))
    content: dict[str, Any] = {}
    for key, value in given.items():
        if value is not None:
            group, _ = places[key]
            (content.setdefault(group, {}) if group else content)[key] = value
    return content


def as_options(
    settings: Settings, *, given: bool = False, only: Container[str] | None = None
) -> list[str]:
    """Return settings as the command-line options that would set them.

    All of them, or those that were ``given``; of all keys and groups, or ``only`` some.

    Examples
    --------
    >>> from grubio.config import ModelSettings
    >>> as_options(ModelSettings(layers=3))[4:8]
    ['--hidden-size', '96', '--layers', '3']
    >>> as_options(ModelSettings(targets=["disorder"]))[-4:]
    ['--targets', 'disorder', '--dropout', '0.1']
    """
    options = []
    for key, value in settings.model_dump(exclude_none=True, exclude_unset=given).items():
        name = key.replace("_", "-")
        if only is not None and key not in only:
            continue
        if isinstance(inner := getattr(settings, key), Settings):
            options += as_options(inner, given=given)
        elif isinstance(value, bool):
            options.append(f"--{name}" if value else f"--no-{name}")
        elif isinstance(value, tuple):
            options += [f"--{name}", ",".join(value)]
        elif isinstance(value, dict):
            default = type(settings).model_fields[key].get_default(call_default_factory=True)
            options += [f"--{name}", json.dumps(value)] if value != default else []
        else:
            options += [f"--{name}", str(value)]
    return options


def _explain(
    schema: type[BaseModel], loc: Sequence[int | str], kind: str, message: str, value: object
) -> str:
    where = ".".join(str(part) for part in loc)
    shown = json.dumps(value, default=str)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    if kind == "extra_forbidden":
        keys = _keys_at(schema, loc[:-1])
        near = difflib.get_close_matches(str(loc[-1]), keys, 1, cutoff=0.5)
        end = f"did you mean '{near[0]}'?" if near else f"valid keys: {', '.join(keys)}"
        return f"{where}: unknown key (value {shown}), {end}"
    if kind == "missing":
        return f"{where}: this key is required"
    message = message.removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    return f"{where}: {message}, got {shown}" if where else message


def _keys_at(schema: Any, loc: Sequence[int | str]) -> list[str]:
    options = _options(schema)
    for part in loc:
        options = [inner for option in options for inner in _options(_step(option, part))]
    return [
        field.alias or key
        for option in options
        if _is_model(option)
        for key, field in option.model_fields.items()
    ]


def _options(schema: Any) -> Sequence[Any]:
    union = typing.get_origin(schema) in (typing.Union, types.UnionType)
    return typing.get_args(schema) if union else (schema,)


def _is_model(schema: Any) -> bool:
    return isinstance(schema, type) and issubclass(schema, BaseModel)


def _step(schema: Any, part: int | str) -> Any:
    if _is_model(schema):
        found = schema.model_fields.get(str(part))
        return found.annotation if found else None
    arguments = typing.get_args(schema)
    return arguments[-1] if typing.get_origin(schema) in (dict, list) else None
