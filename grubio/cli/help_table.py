"""Help in which the names of options are whole, also on a terminal of 80 columns."""

from typing import Any

from rich.table import Table
from rich.text import Text


class OptionTable(Table):
    """A table of options: names, which are never cut; type; help.

    Typer has a column for each kind of name, and cuts names if the columns leave too little room.
    """

    def add_row(self, *cells: Any, **style: Any) -> None:
        """Add a row of Typer's: the mark of a required option, if any; names; type; help."""
        if len(cells) < 4:
            super().add_row(*cells, **style)
            return
        if not self.columns:
            self.add_column(no_wrap=True)
            self.add_column(overflow="fold", max_width=20)
            self.add_column(ratio=1)
        *names, kind, text = cells
        mark = names.pop(0) if len(names) % 2 else Text()
        long, short, *negative = [name if isinstance(name, Text) else Text(name) for name in names]
        lines = [Text(" ").join(filter(None, (long, short))), *filter(None, negative)]
        super().add_row(Text.assemble(mark, " " * bool(mark), Text("\n").join(lines)), kind, text)
