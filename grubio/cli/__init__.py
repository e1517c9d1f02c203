"""The command line: ``grubio COMMAND``, one file for each command."""

from grubio.cli.program import EXITS as EXITS
from grubio.cli.program import command_line as command_line
from grubio.cli.program import main as main
