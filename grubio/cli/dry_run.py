"""What a command reads and writes, found from the roles of its parameters; ``--dry-run`` prints it.

A parameter's role stands in its annotation: ``Annotated[Path, new_file("Table to write.")]``, or
``Annotated[str, typer.Option(...), MODEL]``. A path without a role is a file or folder to read.
What is read may be anywhere: :mod:`grubio.cli.inputs` brings it to this machine.
"""

import inspect
import os
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import typer

from grubio.errors import GrubioError
from grubio.overwriting import STDIO


class Role(Enum):
    """What the value of a parameter names."""

    READ = "a file or folder to read, or a word that names one: a URL, an accession, a list"
    WRITTEN = "a file or folder to write"
    MODEL = "a model, by name or folder"
    RUN = "the folder of a run, which may also be written to"
    TARGET = "a target, with @ and its file after it"
    SOURCE = "what READ is, fetched by the command itself"


WRITTEN, MODEL, RUN = Role.WRITTEN, Role.MODEL, Role.RUN
TARGET, SOURCE, READ = Role.TARGET, Role.SOURCE, Role.READ


def new_file(text: str, *flags: str, **settings: Any) -> Any:
    """Return an option for a file to write, ``--output`` by default; ``text`` is its help."""
    return _written(text, flags, dir_okay=False, **settings)


def new_folder(text: str, *flags: str, **settings: Any) -> Any:
    """Return an option for a folder to write, ``--output`` by default; ``text`` is its help."""
    return _written(text, flags, file_okay=False, **settings)


def _written(text: str, flags: tuple[str, ...], **settings: Any) -> Any:
    option = typer.Option(*(flags or ("--output", "-o")), help=text, **settings)
    option.role = WRITTEN
    return option


def writes(command: Callable[..., Any]) -> bool:
    """Return whether a command writes anything but its log."""
    return any(part.role is WRITTEN for part in parts_of(command))


def reads(command: Callable[..., Any]) -> bool:
    """Return whether a command reads files that a word may name."""
    return any(part.role in (READ, TARGET) for part in parts_of(command))


def paths_of(command: Callable[..., Any], values: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the files and folders that a command reads and those that it writes."""
    named, default = _named(command, values)
    read = [path for role, value in named if role is not WRITTEN for path in _read(role, value)[0]]
    written = [value for role, value in named if role is WRITTEN]
    return read, [STDIO] if default == STDIO else written


def describe(
    title: str, command: Callable[..., Any], values: Mapping[str, Any], log: Path | None = None
) -> int:
    """Print what a command would read and write, and return its exit code.

    The code is 0, or 2 if something to read is missing. Settings are checked as in a real run. A
    command that looks at its inputs (``describe_inputs``) says what is in them.

    Raises
    ------
    GrubioError
        If a setting is wrong.
    """
    if check := getattr(command, "check_settings", None):
        check(dict(values))
    typer.echo(f"dry run of {title}: nothing is written")
    missing = 0
    named, default = _named(command, values)
    for role, value in [*named, *([(WRITTEN, str(log))] if log else [])]:
        if role is WRITTEN:
            verb, note = "writes", "output" if value == STDIO else _target(Path(value))
        else:
            note = _read(role, value)[1]
            verb = "missing" if note.startswith("no such") else "reads"
        missing += verb == "missing"
        typer.echo(f"{verb}\t" + (f"standard {note}" if value == STDIO else f"{value}\t{note}"))
    if default:
        typer.echo(f"writes\t{'standard output' if default == STDIO else default}")
    if missing:
        typer.echo(f"error: {missing} of the inputs are missing", err=True)
        return 2
    if describe_inputs := getattr(command, "describe_inputs", None):
        for line in describe_inputs(dict(values)):
            typer.echo(line)
    return 0


class Part(NamedTuple):
    """A parameter that names something: its role, and what is taken if it is left out."""

    name: str
    role: Role
    default: str


def parts_of(command: Callable[..., Any]) -> Iterator[Part]:
    """Yield the parameters of a command that name something."""
    for name, parameter in inspect.signature(command, eval_str=True).parameters.items():
        kind, *notes = (
            typing.get_args(parameter.annotation)
            if typing.get_origin(parameter.annotation) is typing.Annotated
            else (parameter.annotation,)
        )
        roles = (getattr(note, "role", note) for note in notes)
        role = next((role for role in roles if isinstance(role, Role)), None)
        if role is None and (
            Path in (kind, *typing.get_args(kind)) or list[Path] in typing.get_args(kind)
        ):
            role = READ
        if role is not None:
            shown = next((getattr(note, "show_default", None) for note in notes), None)
            yield Part(name, role, shown if isinstance(shown, str) else "")


def text_of(value: object) -> str:
    """Return what was given for a parameter; a URL gets back the slash that it lost as a path.

    Examples
    --------
    >>> text_of(Path("https://example.org/a.fa")), text_of(Path("a.fa"))
    ('https://example.org/a.fa', 'a.fa')
    """
    return re.sub(r"^(https?|ftp):/(?=[^/])", r"\1://", str(value))


def _named(
    command: Callable[..., Any], values: Mapping[str, Any]
) -> tuple[list[tuple[Role, str]], str]:
    """Return roles and values, and what is written where no output is given."""
    named: list[tuple[Role, str]] = []
    default = ""
    for part in parts_of(command):
        given = values.get(part.name)
        every = given if isinstance(given, list | tuple) else [given]
        named += [(part.role, text_of(value)) for value in every if value is not None]
        default = default or (part.default if part.role is WRITTEN else "")
    return named, "" if any(role is WRITTEN for role, _ in named) else default


def _read(role: Role, value: str) -> tuple[list[str], str]:
    """Return the paths that are read for a value, and a note on it."""
    if value == STDIO:
        return [STDIO], "input"
    if role is MODEL:
        from grubio.model.zoo import find_model

        try:
            folder = str(find_model(value))
        except GrubioError as error:
            return [], f"no such model; {error.hint}"
        return [folder], "model in a folder" if folder == value else "bundled model"
    if role is TARGET:
        from grubio.config import TargetSettings
        from grubio.config.loading import checked

        file = checked(TargetSettings, value).file
        if file is None:
            return [], "column of the records"
        value = file.location
    if role is not RUN and not Path(value).exists() and (told := _told_of_remote(value)):
        return [value.removeprefix("@")], told
    path, paths = Path(value), [value]
    if role is RUN:
        from grubio.runs.files import read_files

        paths = [str(inside) for inside in read_files(path)]
    if path.is_dir():
        return paths, "folder"
    return paths, f"{path.stat().st_size:,} bytes" if path.exists() else "no such file or folder"


def _told_of_remote(location: str) -> str:
    from grubio.config.sources import is_list, is_remote, list_file
    from grubio.fetching.embedded import EMBEDDED

    if is_list(location) and not list_file(location).is_file():
        return "no such list"
    if is_remote(location):
        return "fetched"
    return "comes with grubio" if location in EMBEDDED else ""


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
