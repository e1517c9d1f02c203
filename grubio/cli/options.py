"""Command-line options made from the schema, so that no default is written twice."""

import functools
import inspect
import types
import typing
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from grubio.cli.dry_run import MODEL, READ, WRITTEN
from grubio.config import Device, Output, PredictionFormat, Settings
from grubio.config.formats import FORMATS, outputs_of, require_proper
from grubio.config.loading import checked, flat_fields, grouped
from grubio.config.profiles import DATABASE_HELP, PROFILES_HELP
from grubio.model.architecture import WeightPrecision

CommandT = typing.TypeVar("CommandT", bound=Callable[..., Any])

InputArgument = Annotated[
    str,
    typer.Argument(
        metavar="INPUT",
        help="FASTA, plain or compressed; - is standard input. Also what grubio fetch fetches, as "
        "uniprot:P0CG48.",
    ),
    READ,
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        "--threads", min=1, help="CPU threads to use.", show_default="all that are allowed"
    ),
]
ProfilesOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--profiles",
        help=f"For a model that reads profiles. {PROFILES_HELP} May be given several times.",
    ),
]
DatabaseOption = Annotated[
    Path | None,
    typer.Option("--database", help=f"For a model that reads profiles. {DATABASE_HELP}"),
]
OwnProfileOption = Annotated[
    bool,
    typer.Option(
        "--own-profile",
        help="For a model that reads profiles: label without homologs, with what BLOSUM62 expects "
        "of each sequence; `protein-ss-profile` is then about as accurate as `protein-ss`.",
    ),
]
DeviceOption = Annotated[
    Device, typer.Option("--device", help="Where to compute; `auto` uses a GPU if there is one.")
]

WeightPrecisionOption = Annotated[
    WeightPrecision | None,
    typer.Option(
        "--weight-precision",
        help="Bits of the weights that are stored: 32, or 16 for half the size.",
        show_default="as the models have them",
    ),
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
ModelsOrBestOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        help=f"{MODEL_HELP} May be given several times: the answers stand side by side.",
        show_default="the best bundled one for the input",
        autocompletion=model_names,
    ),
    MODEL,
]


def settings_option(
    schema: type[Settings],
    argument: str = "settings",
    *,
    only: Collection[str] = (),
    panel: str = "Settings",
) -> Callable[[CommandT], CommandT]:
    """Give a command one option for every key of a group of settings and of the groups in it.

    The command receives the checked settings as ``argument``, made from the options that were
    given and from the schema's defaults. With ``only`` it has these keys of the group alone, and
    the others are as by default. The help shows them in a ``panel``.
    """
    made = [
        _parameter(
            key,
            _optional(field.annotation),
            typer.Option(
                _flag(key, field.annotation),
                help=field.description,
                show_default=_shown_default(field.get_default(call_default_factory=True)),
                rich_help_panel=panel,
                hidden=bool(field.deprecated),
            ),
        )
        for key, (group, field) in flat_fields(schema)
        if not only or (group or key) in only
    ]

    def make(given: dict[str, Any]) -> Settings:
        return checked(schema, grouped(schema, given))

    return _made(argument, made, make)


def outputs_option(command: CommandT) -> CommandT:
    """Give a command the options for its outputs; it receives them as ``outputs``."""
    extra = {name: known.option for name, known in FORMATS.items() if known.option}
    made = [
        _parameter(
            "output",
            list[str] | None,
            typer.Option(
                "--output",
                "-o",
                help="File, folder/ (one file per record, or track) or - for standard output. "
                "May be given several times.",
                show_default="-",
            ),
            WRITTEN,
        ),
        _parameter(
            "output_format",
            PredictionFormat | None,
            typer.Option(
                "--format", "-f", help="Format of every output.", show_default="by its ending"
            ),
        ),
        *(
            _parameter(name, str | None, typer.Option(f"--{name}", help=text), WRITTEN)
            for name, text in extra.items()
        ),
    ]

    def make(given: dict[str, Any]) -> list[Output]:
        outputs = [Output(given[name], name) for name in extra if given[name] is not None]
        if given["output"] or not outputs:
            outputs[:0] = outputs_of(given["output"] or ["-"], given["output_format"])
        require_proper(outputs)
        return outputs

    return _made("outputs", made, make)(command)


def _parameter(name: str, annotation: Any, *notes: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[(annotation, *notes)],
    )


def _made(
    argument: str, made: Sequence[inspect.Parameter], make: Callable[[dict[str, Any]], Any]
) -> Callable[[CommandT], CommandT]:
    """Replace a parameter by those whose values it is made from."""

    def decorate(command: CommandT) -> CommandT:
        signature = inspect.signature(command, eval_str=True)
        parameters: list[inspect.Parameter] = []
        for parameter in signature.parameters.values():
            kept = parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            parameters += made if parameter.name == argument else [kept]
        names = [parameter.name for parameter in made]

        @functools.wraps(command)
        def with_made(**arguments: Any) -> Any:
            given = {name: arguments.pop(name) for name in names}
            return command(**{argument: make(given)}, **arguments)

        def check_settings(arguments: dict[str, Any]) -> None:
            make({name: arguments.get(name) for name in names})
            getattr(command, "check_settings", lambda _: None)(arguments)

        with_made.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        with_made.__annotations__ = {p.name: p.annotation for p in parameters}
        with_made.check_settings = check_settings  # type: ignore[attr-defined]
        return typing.cast("CommandT", with_made)

    return decorate


def _shown_default(default: Any) -> str | bool:
    # For a setting without a default, the description says what happens if it is left out.
    return False if default is None else str(default)


def _flag(key: str, annotation: Any) -> str:
    name = key.replace("_", "-")
    return f"--{name}/--no-{name}" if bool in _parts(annotation) else f"--{name}"


def _optional(annotation: Any) -> Any:
    # The schema checks bounds and patterns; Typer needs the plain type only. A mapping is given
    # as YAML, names with commas between them.
    if any(typing.get_origin(part) in (dict, tuple) for part in _parts(annotation)):
        return str | None
    return typing.Union[(*_parts(annotation), None)]


def _parts(annotation: Any) -> tuple[Any, ...]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return typing.get_args(annotation)
    return (annotation,)
