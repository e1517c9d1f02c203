"""What all commands have in common: ``--quiet``, ``--verbose``, and ``--dry-run`` if they write."""

from __future__ import annotations

import difflib
import re
from typing import Annotated, Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

from grubio.cli.dry_run import describe, paths_of, writes
from grubio.cli.notices import QuietOption, VerboseOption
from grubio.overwriting import inputs_kept

HELP_NAMES = {"help_option_names": ["-h", "--help"]}
_DRY_RUN = "grubio.dry_run"


class Step(TyperCommand):
    """A command with the common options."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        # A docstring is wrapped for the source; the terminal wraps it anew.
        self.help = "\n\n".join(" ".join(part.split()) for part in (self.help or "").split("\n\n"))
        self.params += _options_of(_noticed)
        if self.callback and writes(self.callback):
            self.params += _options_of(_dry)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse; the error about a wrong choice names the nearest right one, as Typer does."""
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            error.message = _with_nearest(error.message)
            raise

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help, with the names of options whole."""
        from typer import rich_utils

        from grubio.cli.help_table import OptionTable

        rich_utils.Table = OptionTable  # type: ignore[attr-defined]
        super().format_help(ctx, formatter)

    def invoke(self, ctx: Any) -> Any:
        """Run the command, or describe what it would do; no input is overwritten either way."""
        assert self.callback is not None
        with inputs_kept(*paths_of(self.callback, ctx.params)):
            if ctx.meta.get(_DRY_RUN):
                raise typer.Exit(describe(ctx.command_path, self.callback, ctx.params))
            return super().invoke(ctx)


def _with_nearest(message: str) -> str:
    # Typer has the value and the choices in the text of its message alone.
    told = re.fullmatch(r"(?:Value error, )?('(.*)' is not one of (.*)\.)", message)
    if told is None:
        return message
    text, given, known = told.groups()
    near = difflib.get_close_matches(given, re.findall("'([^']*)'", known), 1)
    return f"{text} Did you mean '{near[0]}'?" if near else text


def _remember_dry_run(context: typer.Context, wanted: bool) -> None:
    context.meta[_DRY_RUN] = wanted


def _noticed(quiet: QuietOption = False, verbose: VerboseOption = False) -> None:
    pass


def _dry(
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            callback=_remember_dry_run,
            expose_value=False,
            rich_help_panel="Common",
            help="Check the settings, list what would be read and written, and write nothing.",
        ),
    ] = False,
) -> None:
    pass


def _options_of(function: Any) -> list[Any]:
    app = typer.Typer(add_completion=False)
    app.command()(function)
    return list(get_command(app).params)
