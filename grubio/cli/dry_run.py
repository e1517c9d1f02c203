"""What a command reads and writes, told from the kinds of its parameters; ``--dry-run`` prints it.

A parameter says what it is beside its option: ``Annotated[Path, typer.Option(...), WRITTEN]``. A
path without a mark is a file or folder to read.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import typing
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import typer

from grubio.errors import GrubioError
from grubio.files import STDIO


class Role(Enum):
    """What the value of a parameter names."""

    READ = "a file or folder to read"
    WRITTEN = "a file or folder to write"
    MODEL = "a model, by name or folder"
    RUN = "the folder of a run, which may also be written to"
    TARGET = "a target, with @ and its file behind it"
    SOURCE = "a URL, a path, or the name of embedded data"


WRITTEN, MODEL, RUN = Role.WRITTEN, Role.MODEL, Role.RUN
TARGET, SOURCE, READ = Role.TARGET, Role.SOURCE, Role.READ


def writes(command: Callable[..., Any]) -> bool:
    """Return whether a command writes anything but its log."""
    return any(part.role is WRITTEN for part in _parts(command))


def paths_of(command: Callable[..., Any], values: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the files and folders that a command reads and those that it writes, its log too."""
    read: list[str] = []
    written: list[str] = []
    default = ""
    for part in _parts(command, with_log=True):
        for value in _given(values, part.name):
            if part.role is WRITTEN:
                written.append(value)
            else:
                read += _read_paths(part.role, value)
        default = default or (part.default if part.role is WRITTEN else "")
    return read, written if written or default != STDIO else [STDIO]


def describe(title: str, command: Callable[..., Any] | None, values: Mapping[str, Any]) -> int:
    """Print what a command would read and write, and return its exit code.

    The code is 0, or 2 if something to read is missing. Settings are checked as in a real run.

    Raises
    ------
    GrubioError
        If a setting is wrong.
    """
    assert command is not None
    check = getattr(command, "check_settings", None)
    if check is not None:
        check(dict(values))
    typer.echo(f"dry run of {title}: nothing is written")
    missing, written = 0, False
    parts = list(_parts(command, with_log=True))
    for part in parts:
        for value in _given(values, part.name):
            verb, note = _note(part.role, value)
            missing += verb == "missing"
            written |= part.role is WRITTEN and part.name != "log"
            typer.echo(f"{verb}\t{'standard ' + note if value == STDIO else value}", nl=False)
            typer.echo("" if value == STDIO else f"\t{note}")
    default = next((part.default for part in parts if part.role is WRITTEN and part.default), "")
    if default and not written:
        typer.echo(f"writes\t{'standard output' if default == STDIO else default}")
    if missing:
        typer.echo(f"error: {missing} of what is to be read is missing", err=True)
    return 2 if missing else 0


class _Part(NamedTuple):
    """A parameter that names something: its role, and what is taken if it is left out."""

    name: str
    role: Role
    default: str


def _parts(command: Callable[..., Any], with_log: bool = False) -> Iterator[_Part]:
    for name, parameter in inspect.signature(command, eval_str=True).parameters.items():
        kind, *notes = (
            typing.get_args(parameter.annotation)
            if typing.get_origin(parameter.annotation) is typing.Annotated
            else (parameter.annotation,)
        )
        if name == "log" and not with_log:
            continue
        role = next((note for note in notes if isinstance(note, Role)), None)
        if role is None and (
            Path in (kind, *typing.get_args(kind)) or list[Path] in typing.get_args(kind)
        ):
            role = READ
        if role is not None:
            told = next((getattr(note, "show_default", None) for note in notes), None)
            yield _Part(name, role, told if isinstance(told, str) else "")


def _given(values: Mapping[str, Any], name: str) -> list[str]:
    given = values.get(name)
    every = given if isinstance(given, list | tuple) else [given]
    return [str(value) for value in every if value is not None]


def _read_paths(role: Role, value: str) -> list[str]:
    if role is MODEL:
        from grubio.model.zoo import find_model

        with contextlib.suppress(GrubioError):
            return [str(find_model(value))]
    if role is SOURCE and _is_elsewhere(value):
        return []
    if role is TARGET:
        from grubio.config import TargetSettings
        from grubio.config.loading import checked

        file = checked(TargetSettings, value).file
        return [file.location] if file else []
    if role is RUN:
        from grubio.runs.files import read_files

        return [str(path) for path in read_files(Path(value))]
    return [value]


def _is_elsewhere(source: str) -> str:
    from grubio.config.sources import is_url
    from grubio.fetching.embedded import EMBEDDED

    if is_url(source):
        return "downloaded"
    return "comes with grubio" if source in EMBEDDED else ""


def _note(role: Role, value: str) -> tuple[str, str]:
    if role is WRITTEN:
        return "writes", "output" if value == STDIO else _target(Path(value))
    if value == STDIO:
        return "reads", "input"
    if role is MODEL:
        from grubio.model.zoo import find_model

        try:
            folder = find_model(value)
        except GrubioError as error:
            return "missing", f"no such model; {error.hint}"
        return "reads", "model in a folder" if str(folder) == value else "bundled model"
    if role is SOURCE and (note := _is_elsewhere(value)):
        return "reads", note
    if role is TARGET:
        files = _read_paths(role, value)
        return _note(READ, files[0]) if files else ("reads", "column of the records")
    path = Path(value)
    if path.is_dir():
        return "reads", "folder"
    if path.exists():
        return "reads", f"{path.stat().st_size:,} bytes"
    return "missing", "no such file or folder"


def _target(path: Path) -> str:
    if path.is_dir():
        return "folder that exists; files of the same name are replaced"
    if path.exists():
        return "exists and would be replaced"
    above = path.parent
    while not above.exists():
        above = above.parent
    if not os.access(above, os.W_OK):
        return f"new, but {above} may not be written"
    return "new" if above == path.parent else f"new, in a folder that is made in {above}"
