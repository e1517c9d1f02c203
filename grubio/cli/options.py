"""Command-line options made from the schema, so that no default is written twice."""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from grubio.cli.dry_run import MODEL, READ, WRITTEN
from grubio.config import Device, PredictionFormat, Settings
from grubio.config.loading import checked

CommandT = typing.TypeVar("CommandT", bound=Callable[..., Any])

InputArgument = Annotated[
    str,
    typer.Argument(metavar="INPUT", help="FASTA, plain or compressed; - is standard input."),
    READ,
]
FormatOption = Annotated[
    PredictionFormat | None,
    typer.Option("--format", "-f", help="Format of every output.", show_default="by its ending"),
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        "--threads", min=1, help="CPU threads to use.", show_default="all that are allowed"
    ),
]
DeviceOption = Annotated[
    Device, typer.Option("--device", help="Where to compute; `auto` takes a GPU if there is one.")
]
LogOption = Annotated[
    Path | None,
    typer.Option(
        "--log",
        help="Also write all notices, with times, to this file.",
        dir_okay=False,
        rich_help_panel="Common",
    ),
    WRITTEN,
]


def model_names(incomplete: str) -> list[str]:
    """Return the bundled models whose names begin like this; for shell completion."""
    from grubio.model.zoo import bundled_models

    return [name for name in bundled_models() if name.startswith(incomplete)]


MODEL_HELP = "Name of a bundled model (grubio models list), or folder of a model."
ModelOption = Annotated[
    str, typer.Option("--model", "-m", help=MODEL_HELP, autocompletion=model_names), MODEL
]
ModelOrBestOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        help=MODEL_HELP,
        show_default="the best bundled one for the input",
        autocompletion=model_names,
    ),
    MODEL,
]


def settings_option(
    schema: type[Settings], argument: str = "settings"
) -> Callable[[CommandT], CommandT]:
    """Give a command one option for every key of a group of settings.

    The command receives the checked settings as the keyword argument ``argument``, made from the
    options that were given and from the schema's defaults.
    """

    def decorate(command: CommandT) -> CommandT:
        signature = inspect.signature(command, eval_str=True)
        own = [p for p in signature.parameters.values() if p.name != argument]
        made = [
            inspect.Parameter(
                key,
                inspect.Parameter.KEYWORD_ONLY,
                default=None,
                annotation=Annotated[
                    _optional(field.annotation),
                    typer.Option(
                        _flag(key, field.annotation),
                        help=field.description,
                        show_default=_told(field.get_default(call_default_factory=True)),
                        rich_help_panel="Settings",
                    ),
                ],
            )
            for key, field in schema.model_fields.items()
        ]

        @functools.wraps(command)
        def with_settings(**arguments: Any) -> Any:
            given = {key: arguments.pop(key) for key in schema.model_fields}
            given = {key: value for key, value in given.items() if value is not None}
            return command(**{argument: checked(schema, given)}, **arguments)

        def check_settings(arguments: dict[str, Any]) -> None:
            given = {k: v for k, v in arguments.items() if k in schema.model_fields}
            checked(schema, {key: value for key, value in given.items() if value is not None})
            getattr(command, "check_settings", lambda _: None)(arguments)

        parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (*own, *made)]
        with_settings.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        with_settings.__annotations__ = {p.name: p.annotation for p in parameters}
        with_settings.check_settings = check_settings  # type: ignore[attr-defined]
        return typing.cast("CommandT", with_settings)

    return decorate


def _told(default: Any) -> str | bool:
    # What happens without a value that has no default is said in the description.
    return False if default is None else str(default)


def _flag(key: str, annotation: Any) -> str:
    name = key.replace("_", "-")
    return f"--{name}/--no-{name}" if annotation is bool else f"--{name}"


def _optional(annotation: Any) -> Any:
    # Bounds and patterns are the schema's to check; Typer needs the plain type only. A mapping
    # comes as JSON.
    if typing.get_origin(annotation) is dict:
        return str | None
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return annotation
    return annotation | None
