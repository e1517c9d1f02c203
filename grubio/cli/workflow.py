"""``grubio workflow init``, ``run`` and ``path``."""

import os
import sys
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

    Put options that grubio has as well, such as --quiet, after a lone --.

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
    os.execv(command[0], command)


def _found(path: Path, folder: Path) -> Path:
    for place in (path, folder / path):
        if place.is_file():
            return place.absolute()
    raise GrubioError("no such file", path=path, hint=f"grubio looked here and in {folder}")


@app.command("path", cls=Step)
def path() -> None:
    """Print where the installed Snakefile is, for a module of another workflow.

    Example: grubio workflow path
    """
    from grubio.study.folder import workflow_file

    typer.echo(workflow_file())
