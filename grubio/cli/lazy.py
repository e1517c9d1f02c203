"""Commands that are imported when they are called, not when ``grubio --help`` lists them."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

from grubio.cli.step import HELP_NAMES, Step

if TYPE_CHECKING:
    from grubio.cli.commands import Entry


class LazyCommand(TyperCommand):
    """Stands for a command in lists; its module is imported when it is called or completed."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry.name, help=entry.help, rich_help_panel=entry.panel)
        self._entry = entry

    @cached_property
    def loaded(self) -> Any:
        """The command itself."""
        module = import_module(f"grubio.cli.{self._entry.name}")
        app = getattr(module, "app", None)
        if app is None:
            app = typer.Typer(
                add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich"
            )
            function = getattr(module, self._entry.name)
            app.command(self._entry.name, cls=Step, context_settings=HELP_NAMES)(function)
        return get_command(app)

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Parse the arguments as the command itself does."""
        return self.loaded.make_context(*arguments, **options)
