"""``grubio cluster submit`` and ``status``: what the profiles of the workflow call."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from grubio.cli.step import Step, command_group

app = command_group(
    "Submit and watch jobs of the workflow on LSF, SGE, PBS and HTCondor.\n\n"
    "The profiles of the workflow call this.\n\n"
    "Example: grubio cluster status sge 123"
)
SchedulerArgument = Annotated[
    Literal["lsf", "sge", "pbs", "htcondor"], typer.Argument(help="The scheduler.")
]


@app.command("submit", cls=Step)
def submit(
    scheduler: SchedulerArgument,
    script: Annotated[Path, typer.Argument(help="What to run.", exists=True, dir_okay=False)],
    rule: Annotated[str, typer.Option("--rule", help="Name of the job.")],
    memory: Annotated[int, typer.Option("--memory", min=1, help="Memory of the job, in MB.")],
    minutes: Annotated[int, typer.Option("--minutes", min=1, help="Run time, in minutes.")],
    threads: Annotated[int, typer.Option("--threads", min=1, help="Cores of one machine.")] = 1,
    gpus: Annotated[int, typer.Option("--gpus", min=0, help="GPUs.")] = 0,
    extra: Annotated[
        list[str] | None,
        typer.Option(
            "--extra",
            help="Words for the submit command, such as '-q long'; for HTCondor, a line of the "
            "submit description. May be given several times.",
        ),
    ] = None,
) -> None:
    """Submit a job, and print its id.

    Example: grubio cluster submit sge job.sh --rule train --memory 4000 --minutes 60
    """
    import shlex
    import time

    from grubio.study.schedulers import JobRequest
    from grubio.study.schedulers import submit as submitted

    given = extra or []
    words = (
        given if scheduler == "htcondor" else [word for one in given for word in shlex.split(one)]
    )
    log = Path("logs", scheduler, f"{rule}.{time.time_ns()}.log").absolute()
    job = JobRequest(rule, threads, memory, minutes, gpus, script, log, tuple(words))
    typer.echo(submitted(scheduler, job))


@app.command("status", cls=Step)
def status(
    scheduler: SchedulerArgument,
    job: Annotated[str, typer.Argument(metavar="ID", help="The id of the job.")],
) -> None:
    """Print whether a job is running, success or failed.

    Example: grubio cluster status sge 123
    """
    from grubio.study.schedulers import state_of

    typer.echo(state_of(scheduler, job))
