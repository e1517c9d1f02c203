"""``grubio workflow init``, ``run``, ``status`` and ``path``."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from grubio.cli.dry_run import SOURCE, WRITTEN, text_of
from grubio.cli.step import HELP_NAMES, Step, command_group
from grubio.errors import GrubioError

if TYPE_CHECKING:
    from grubio.study.draft import Study

app = command_group(
    "Set up and run a study with Snakemake.\n\nExample: grubio workflow init my-study"
)


Template = Literal["splice-sites", "genes", "promoters", "motif", "protein-labels"]


def _study_of(values: Mapping[str, Any]) -> "Study | None":
    """Return the study of a template from the options; None without a template."""
    template = values.get("template")
    genome, annotation = (
        None if values.get(key) is None else text_of(values[key])
        for key in ("genome", "annotation")
    )
    features = values.get("feature") or []
    if template is None:
        if genome or annotation or features:
            raise GrubioError(
                "--genome, --annotation and --feature are for templates",
                hint="say which study to write: --template splice-sites",
            )
        return None
    if template == "protein-labels":
        if genome is None:
            raise GrubioError("template protein-labels needs --records")
        from grubio.study.protein_template import protein_study

        if features:
            raise GrubioError("template protein-labels takes no --feature")
        return protein_study(genome, annotation)
    if genome is None or annotation is None:
        raise GrubioError(f"template {template} needs --genome and --annotation")
    from grubio.study.templates import genome_study

    return genome_study(template, genome, annotation, features)


@app.command("init", cls=Step)
def init(
    folder: Annotated[Path, typer.Argument(help="Folder of the study.", file_okay=False), WRITTEN],
    study: Annotated[
        Literal["protein", "dna"],
        typer.Option("--study", help="Demonstration to begin with: protein chains, or a genome."),
    ] = "protein",
    template: Annotated[
        Template | None,
        typer.Option("--template", help="Study of your own files to write, ready to run."),
    ] = None,
    genome: Annotated[
        Path | None,
        typer.Option(
            "--genome",
            "--records",
            help="Contigs (FASTA) of a template; of protein-labels the records: FASTA, FASTA with "
            "a line of labels under each sequence, or a table.",
        ),
        SOURCE,
    ] = None,
    annotation: Annotated[
        Path | None,
        typer.Option(
            "--annotation",
            "--labels",
            help="Features of the genome (GFF3, GTF, BED); of protein-labels the FASTA of labels.",
        ),
        SOURCE,
    ] = None,
    feature: Annotated[
        list[str] | None,
        typer.Option(
            "--feature",
            help="Type (GFF3, GTF) or name (BED) of the features to learn, in place of those that "
            "the template knows; may be repeated.",
        ),
    ] = None,
) -> None:
    """Write a study to change and run: Snakefile and config/.

    With --template the study is made for your own files: classes, windows, blocks and training
    suit what is in them, each with a comment. --dry-run prints what is in them, and writes nothing.

    Example: grubio workflow init my-study

    Example: grubio workflow init my-genome --study dna

    Example: grubio workflow init splicing --template splice-sites --genome g.fa --annotation g.gff3
    """
    from grubio.study.folder import start_study

    given = {"template": template, "genome": genome, "annotation": annotation, "feature": feature}
    made = _study_of(given)
    for line in made.found if made else ():
        typer.echo(line, err=True)
    for path in start_study(folder, study, made.config if made else None):
        typer.echo(path)
    typer.echo(
        f"next: edit {folder}/config/config.yaml, then grubio workflow run {folder}", err=True
    )


def _findings(values: Mapping[str, Any]) -> Sequence[str]:
    made = _study_of(values)
    return made.found if made else ()


init.describe_inputs = _findings  # type: ignore[attr-defined]


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
    lines of their logs come at the end. Steps that a kill -9 or a power failure stopped are made
    anew, and trainings go on from their checkpoints.

    Example: grubio workflow run my-study

    Example: grubio workflow run my-study --cores 4 -n

    Example: grubio workflow run my-study --configfile other.yaml

    Example: grubio workflow run my-study --profile sge --jobs 50

    Example: grubio workflow run my-study -- --quiet rules
    """
    from grubio.config.loading import content_of, load_config

    files = [_found(path, folder) for path in configfiles or ()]
    checkable = files or _default_study(folder)
    completed = {"--config", "-C"} & {word.split("=")[0] for word in context.args}
    for path in checkable:
        # Several files, or one and what is given beside it, are a study only together.
        content_of(path) if completed or len(checkable) > 1 else load_config(path)
    arguments = _with_profile(context.args, folder)
    command = [sys.executable, "-m", "snakemake"]
    command += ["--configfile", *map(str, files)] if files else []
    # With a profile, --cores is about this machine alone.
    command += ["--cores", cores, "--directory", str(folder), "--rerun-incomplete"]
    command += ["--snakefile", str(folder / "Snakefile"), *arguments]
    sys.stdout.flush()
    started = time.time()
    code = _run_to_the_end(command)
    if code:
        from grubio.study.snakemake_log import failure_report, read_snakemake_log

        for line in failure_report(folder, read_snakemake_log(folder, started)):
            typer.echo(line, err=True)
    raise typer.Exit(code)


def _default_study(folder: Path) -> list[Path]:
    # Of a workflow that has more settings than ours, the file is not a study alone.
    path, snakefile = folder / "config/config.yaml", folder / "Snakefile"
    text = snakefile.read_text("utf-8", "replace") if snakefile.is_file() else ""
    passed_on = re.search(r"^\s+config:\s+config$", text, re.MULTILINE)
    return [path] if passed_on and path.is_file() else []


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


def _with_profile(words: list[str], folder: Path) -> list[str]:
    """Return Snakemake's options with the place of a profile in place of its name.

    Raises
    ------
    GrubioError
        If there is no such profile, or its plugin is not installed.
    """
    from grubio.study.profiles import found_profile

    given = list(words)
    for at, word in enumerate(given):
        option, equals, value = word.partition("=")
        if option not in ("--profile", "--workflow-profile"):
            continue
        if equals:
            given[at] = f"{option}={found_profile(value, folder)}"
        elif at + 1 < len(given):
            given[at + 1] = str(found_profile(given[at + 1], folder))
    return given


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

    def text(rows: list[RunStatus], log: SnakemakeLog) -> str:
        return status_table(rows).rstrip() if table else "\n".join(status_lines(rows, log))

    if not watch:
        typer.echo(text(*look()))
    elif sys.stdout.isatty():
        from rich.live import Live
        from rich.text import Text

        with Live(auto_refresh=False) as live:
            watch_status(look, lambda *seen: live.update(Text(text(*seen)), refresh=True), pause)
    else:
        watch_status(look, lambda *seen: typer.echo(text(*seen)), pause)


@app.command("path", cls=Step)
def path() -> None:
    """Print where the installed Snakefile is, for a module of another workflow.

    Example: grubio workflow path
    """
    from grubio.study.folder import workflow_file

    typer.echo(workflow_file())
