"""``--dry-run``: what a command would read and write, told from the kinds of its parameters.

A parameter says what it is beside its option: ``Annotated[Path, typer.Option(...), WRITTEN]``. A
path without a mark is a file or folder to read.
"""

from __future__ import annotations

import inspect
import os
import typing
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import typer

from grubio.errors import GrubioError


class Role(Enum):
    """What the value of a parameter names."""

    READ = "a file or folder to read"
    WRITTEN = "a file or folder to write"
    MODEL = "a model, by name or folder"
    SOURCE = "a URL, a path, or the name of embedded data"


WRITTEN, MODEL, SOURCE, READ = Role.WRITTEN, Role.MODEL, Role.SOURCE, Role.READ


def writes(command: Callable[..., Any]) -> bool:
    """Return whether a command writes anything but its log."""
    return any(role is WRITTEN for name, role in _roles(command) if name != "log")


def describe(title: str, command: Callable[..., Any] | None, values: Mapping[str, Any]) -> int:
    """Print what a command would read and write, and return its exit code.

    The code is 0, or 2 if something to read is missing. Settings are checked as in a real run.

    Raises
    ------
    GrubioError
        If a setting is wrong.
    """
    from grubio.files import STDIO

    assert command is not None
    check = getattr(command, "check_settings", None)
    if check is not None:
        check(dict(values))
    typer.echo(f"dry run of {title}: nothing is written")
    missing = 0
    for name, role in _roles(command):
        given = values.get(name)
        for value in given if isinstance(given, list | tuple) else [given]:
            if value is None:
                continue
            verb, note = _note(role, str(value))
            missing += verb == "missing"
            typer.echo(f"{verb}\t{'standard ' + note if str(value) == STDIO else value}", nl=False)
            typer.echo("" if str(value) == STDIO else f"\t{note}")
    if missing:
        typer.echo(f"error: {missing} of what is to be read is missing", err=True)
    return 2 if missing else 0


def _roles(command: Callable[..., Any]) -> Iterator[tuple[str, Role]]:
    for name, parameter in inspect.signature(command, eval_str=True).parameters.items():
        kind, *notes = (
            typing.get_args(parameter.annotation)
            if typing.get_origin(parameter.annotation) is typing.Annotated
            else (parameter.annotation,)
        )
        marked = next((note for note in notes if isinstance(note, Role)), None)
        if marked is not None:
            yield name, marked
        elif Path in (kind, *typing.get_args(kind)) or list[Path] in typing.get_args(kind):
            yield name, READ


def _note(role: Role, value: str) -> tuple[str, str]:
    from grubio.files import STDIO

    if role is WRITTEN:
        return "writes", "output" if value == STDIO else _target(Path(value))
    if value == STDIO:
        return "reads", "input"
    if role is MODEL:
        from grubio.bundle import find_model

        try:
            folder = find_model(value)
        except GrubioError as error:
            return "missing", f"no such model; {error.hint}"
        return "reads", "model in a folder" if str(folder) == value else "bundled model"
    if role is SOURCE:
        from grubio.embedded import EMBEDDED
        from grubio.sources import is_url

        if is_url(value):
            return "reads", "downloaded"
        if value in EMBEDDED:
            return "reads", "comes with grubio"
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
