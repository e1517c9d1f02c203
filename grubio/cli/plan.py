"""``grubio plan``."""

from typing import Annotated

import typer

from grubio.cli.options import InputArgument, ModelOrBestOption


def plan(
    sequences: InputArgument,
    model: ModelOrBestOption = None,
    jobs: Annotated[
        int, typer.Option("--jobs", min=1, help="Jobs of one core that run at the same time.")
    ] = 1,
) -> None:
    """Estimate the cost of a prediction: time, memory, shards, CPU-hours.

    The input is read once, and a sample of it is labelled on one core of this machine for a few
    seconds. Other machines may be faster or slower.

    Example: grubio plan proteins.fasta --model protein-ss --jobs 16
    """
    from grubio.model.zoo import find_model
    from grubio.prediction.cost import measured_cost

    found, memory = measured_cost(sequences, None if model is None else find_model(model), jobs)
    rows = {
        "records": f"{found.size.records:,}",
        "residues": f"{found.size.residues:,}",
        "longest": f"{found.size.longest:,} residues",
        "rate": f"{found.residues_per_second:,.0f} residues a second on one core, measured here",
        "jobs": f"{found.jobs:,} of one core",
        "shards": f"{found.shards:,}",
        "time": _duration(found.hours),
        "CPU time": f"{found.cpu_hours:,.2f} hours",
    }
    if memory:
        rows["memory"] = f"{memory / 1e9:.1f} GB a job"
    for name, value in rows.items():
        typer.echo(f"{name}\t{value}")


def _duration(hours: float) -> str:
    if hours < 1 / 60:
        return f"{3600 * hours:.0f} seconds"
    return f"{60 * hours:.0f} minutes" if hours < 2 else f"{hours:,.1f} hours"
