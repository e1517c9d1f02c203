"""The commands that pages show, and what is to be run of each.

A block that cannot be run as it stands has a comment before it: ``<!-- not run: why -->``, or
``<!-- instead: another command -->``. ``EXCEPTIONS`` holds for every page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

EXCEPTIONS: list[tuple[str, str | None, str]] = [
    # What is shown, what is run of it, and why it is not run as it stands.
    (r"make (run|test|docs)", r"make --dry-run \1", "takes minutes"),
    (r"pip install .*", None, "needs the network; tests/test_distribution.py installs"),
    (r"(sudo )?apt(-get)? .*", None, "changes the machine"),
    (r"(conda|mamba) .*", None, "changes the machine and needs the network"),
    (r"(squeue|sbatch|srun|sinfo|sacct|scancel)( .*)?", None, "needs a cluster; see tests/slurm"),
    (r"(tail -f|ls) logs/.*", None, "looks at what running jobs wrote"),
    (r"snakemake .*--unlock", None, "needs a folder that was left locked"),
    (r"git (clone|push) .*", None, "needs the network"),
    (r"pre-commit .*", None, "is not a part of the environment"),
    (r"pytest .*", None, "is what runs this"),
    (
        r"snakemake(?: --cores \S+)?(?: -n)?(.*?)(?: -n)?",
        r"snakemake -n --quiet rules\1",
        "trains for minutes",
    ),
    (r"python ((?:benchmarks|scripts)/\S+)( .*)?", r"test -f \1", "takes minutes to hours"),
    (r"grubio fetch https?://.*", None, "needs the network"),
    (r"grubio combine (.*)", r"grubio combine \1 --dry-run", "the runs have other training data"),
    (r"grubio motifs (.*)", r"grubio motifs \1 --dry-run", "needs sites of its own classes"),
    (r"grubio (.*)\bMODEL\b(.*)", r"grubio \1ecoli-promoters\2", "any model of a genome"),
]


@dataclass(frozen=True)
class Shown:
    """One command of a page, and the lines of output that the page shows for it."""

    line: int
    command: str
    output: tuple[str, ...] = ()


def shown_commands(page: Path) -> Iterator[Shown]:
    """Yield the commands of a page that are to be run, in order."""
    comment = ""
    for token in MarkdownIt().parse(page.read_text("utf-8")):
        if token.type == "html_block":
            comment = token.content.strip()
            continue
        if token.type == "fence" and token.info.split() and token.map:
            kind = token.info.split()[0]
            if kind in ("sh", "bash", "console"):
                yield from _of_block(token.content, kind, token.map[0] + 1, comment)
        if token.nesting <= 0:
            comment = ""


def _of_block(text: str, kind: str, line: int, comment: str) -> Iterator[Shown]:
    if reason := re.fullmatch(r"<!--\s*not run:\s*(\S.*?)\s*-->", comment, flags=re.DOTALL):
        assert len(reason[1]) > 5
        return
    if instead := re.fullmatch(r"<!--\s*instead:\s*(\S.*?)\s*-->", comment, flags=re.DOTALL):
        yield Shown(line, instead[1])
        return
    for one in _of_console(text, line) if kind == "console" else _of_shell(text, line):
        command: str | None = one.command
        for pattern, replacement, _ in EXCEPTIONS:
            if found := re.fullmatch(pattern, one.command):
                command = None if replacement is None else found.expand(replacement)
                break
        if command is not None:
            yield Shown(one.line, command, one.output if command == one.command else ())


def _of_shell(text: str, line: int) -> Iterator[Shown]:
    joined = text.replace("\\\n", " ")
    for command in joined.splitlines():
        bare = re.sub(r"\s+#\s.*$", "", command).strip()
        if bare and not bare.startswith("#"):
            yield Shown(line, " ".join(bare.split()))


def _of_console(text: str, line: int) -> Iterator[Shown]:
    blocks = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
    for block in blocks:
        first, *output = block.splitlines()
        yield Shown(line, first.strip(), tuple(row.rstrip() for row in output if row.strip()))
