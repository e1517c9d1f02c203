"""``grubio workflow init``, ``run``, ``status`` and ``path``."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from grubio.cli.dry_run import WRITTEN
from grubio.cli.step import HELP_NAMES, Step, command_group
from grubio.errors import GrubioError

app = command_group(
    "Set up and run a study with Snakemake.\n\nExample: grubio workflow init my-study"
)


@app.command("init", cls=Step)
def init(
    folder: Annotated[Path, typer.Argument(help="Folder of the study.", file_okay=False), WRITTEN],
    study: Annotated[
        Literal["protein", "dna"],
        typer.Option("--study", help="Demonstration to begin with: protein chains, or a genome."),
    ] = "protein",
) -> None:
    """Write a study to change and run: Snakefile and config/.

    Example: grubio workflow init my-study

    Example: grubio workflow init my-genome --study dna
    """
    from grubio.study.folder import start_study

    for path in start_study(folder, study):
        typer.echo(path)
    typer.echo(
        f"next: edit {folder}/config/config.yaml, then grubio workflow run {folder}", err=True
    )


@app.command(
    "run",
    cls=Step,
    context_settings=HELP_NAMES | {"allow_extra_args": True, "ignore_unknown_options": True},
)
def run(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(help="Folder of the study.", exists=True, file_okay=False)
    ],
    cores: Annotated[str, typer.Option("--cores", help="Cores to use.")] = "all",
    configfiles: Annotated[
        list[Path] | None,
        typer.Option(
            "--configfile",
            "--configfiles",
            help="Study to run in place of the one in config/, looked for here and in FOLDER.",
            show_default="config/config.yaml",
        ),
    ] = None,
) -> None:
    """Run a study with Snakemake in its folder; other options are Snakemake's.

    Put options that grubio has as well, such as --quiet, after a lone --. If jobs failed, the last
    lines of their logs come at the end.

    Example: grubio workflow run my-study

    Example: grubio workflow run my-study --cores 4 -n

    Example: grubio workflow run my-study --configfile other.yaml

    Example: grubio workflow run my-study -- --quiet rules
    """
    files = [_found(path, folder) for path in configfiles or ()]
    if len(files) == 1 and not {"--config", "-C"} & {word.split("=")[0] for word in context.args}:
        from grubio.config.loading import load_config

        load_config(files[0])
    command = [sys.executable, "-m", "snakemake"]
    command += ["--configfile", *map(str, files)] if files else []
    command += ["--cores", cores, "--directory", str(folder)]
    command += ["--snakefile", str(folder / "Snakefile"), *context.args]
    sys.stdout.flush()
    started = time.time()
    code = _run_to_the_end(command)
    if code:
        from grubio.study.snakemake_log import failure_report, read_snakemake_log

        for line in failure_report(folder, read_snakemake_log(folder, started)):
            typer.echo(line, err=True)
    raise typer.Exit(code)


def _run_to_the_end(command: list[str]) -> int:
    # Snakemake decides what a signal means: it stops its jobs, or lets them end.
    def pass_on(number: int, _: object) -> None:
        # A terminal sends its own to every process.
        if number != signal.SIGINT or not sys.stdin.isatty():
            process.send_signal(number)

    process = subprocess.Popen(command)
    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        code = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 - code if code < 0 else code


def _found(path: Path, folder: Path) -> Path:
    for place in (path, folder / path):
        if place.is_file():
            return place.absolute()
    raise GrubioError("no such file", path=path, hint=f"grubio looked here and in {folder}")


@app.command("status", cls=Step)
def status(
    folder: Annotated[
        Path, typer.Argument(help="Folder of the study.", exists=True, file_okay=False)
    ],
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it anew until nothing is at work.")
    ] = False,
    pause: Annotated[
        float, typer.Option("--pause", min=0.1, help="Seconds between two looks of --watch.")
    ] = 10.0,
    table: Annotated[
        bool, typer.Option("--tsv", help="Write a table with tabs, for other programs.")
    ] = False,
    configfile: Annotated[
        Path | None,
        typer.Option(
            "--configfile",
            help="Study that is run in place of the one in config/.",
            show_default="config/config.yaml",
        ),
    ] = None,
) -> None:
    """Show how far each run of a study is: its stage, the time left, the last score.

    It reads files alone, and so works for a study that runs on a cluster.

    Example: grubio workflow status my-study

    Example: grubio workflow status my-study --watch
    """
    from grubio.study.snakemake_log import SnakemakeLog, read_snakemake_log
    from grubio.study.status import (
        RunStatus,
        status_lines,
        status_table,
        study_status,
        watch_status,
    )

    given = None if configfile is None else _found(configfile, folder)

    def look() -> tuple[list[RunStatus], SnakemakeLog]:
        return study_status(folder, given), read_snakemake_log(folder)

    def text(rows: list[RunStatus]) -> str:
        return status_table(rows).rstrip() if table else "\n".join(status_lines(rows))

    if not watch:
        typer.echo(text(look()[0]))
    elif sys.stdout.isatty():
        from rich.live import Live
        from rich.text import Text

        with Live(auto_refresh=False) as live:
            watch_status(look, lambda rows: live.update(Text(text(rows)), refresh=True), pause)
    else:
        watch_status(look, lambda rows: typer.echo(text(rows)), pause)


@app.command("path", cls=Step)
def path() -> None:
    """Print where the installed Snakefile is, for a module of another workflow.

    Example: grubio workflow path
    """
    from grubio.study.folder import workflow_file

    typer.echo(workflow_file())
