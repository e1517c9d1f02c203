"""What all commands share: ``--quiet``, ``--verbose``, ``--log``, ``--dry-run`` if they write."""

import difflib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

from grubio.cli.dry_run import describe, paths_of, reads, writes
from grubio.cli.notices import QuietOption, VerboseOption, log_option, start_logging
from grubio.extras import require_for_command
from grubio.overwriting import inputs_kept

HELP_NAMES = {"help_option_names": ["-h", "--help"]}
_DRY_RUN, _LOG = "grubio.dry_run", "grubio.log"


class Step(TyperCommand):
    """A command with the common options."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        # A docstring is wrapped for the source; the terminal wraps it anew.
        self.help = "\n\n".join(" ".join(part.split()) for part in (self.help or "").split("\n\n"))
        self._has_own_log = any(parameter.name == "log" for parameter in self.params)
        self.params += _options_of(_noticed)
        if not self._has_own_log:
            self.params += _options_of(_logged)
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
        require_for_command(ctx.command_path.removeprefix("grubio ").split()[0])
        log = ctx.meta.get(_LOG)
        read, written = paths_of(self.callback, ctx.params)
        with inputs_kept(read, [*written, log]):
            if ctx.meta.get(_DRY_RUN):
                raise typer.Exit(describe(ctx.command_path, self.callback, ctx.params, log))
            if not self._has_own_log:
                start_logging(log)
            if reads(self.callback):
                from grubio.cli.inputs import with_local_inputs

                ctx.params = with_local_inputs(self.callback, ctx.params)
            return super().invoke(ctx)


def command_group(text: str) -> typer.Typer:
    """Return a command that has subcommands; ``text`` is its help."""
    return typer.Typer(
        help=text, add_completion=False, no_args_is_help=True, context_settings=HELP_NAMES
    )


def _with_nearest(message: str) -> str:
    # Typer has the value and the choices in the text of its message alone.
    found = re.fullmatch(r"(?:Value error, )?('(.*)' is not one of (.*)\.)", message)
    if found is None:
        return message
    text, given, known = found.groups()
    near = difflib.get_close_matches(given, re.findall("'([^']*)'", known), 1)
    return f"{text} Did you mean '{near[0]}'?" if near else text


def _remembered(key: str) -> Callable[[typer.Context, object], None]:
    def remember(context: typer.Context, value: object) -> None:
        context.meta[key] = value

    return remember


def _noticed(quiet: QuietOption = False, verbose: VerboseOption = False) -> None:
    pass


def _logged(
    log: Annotated[Path | None, log_option(callback=_remembered(_LOG), expose_value=False)] = None,
) -> None:
    pass


def _dry(
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            callback=_remembered(_DRY_RUN),
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
