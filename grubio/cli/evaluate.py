"""``grubio evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grubio.cli.dry_run import new_folder
from grubio.cli.options import DeviceOption, ModelOption, ThreadsOption, settings_option
from grubio.config import EvaluationSettings

if TYPE_CHECKING:
    from grubio.metrics.bootstrap import Score


@settings_option(EvaluationSettings)
def evaluate(
    model: ModelOption,
    dataset: Annotated[Path, typer.Option("--dataset", "-d", help="Dataset with splits.")],
    output: Annotated[Path, new_folder("Folder for the results.")],
    settings: EvaluationSettings,
    audit: Annotated[
        Path | None, typer.Option("--audit", help="Leakage audit written by grubio split.")
    ] = None,
    split: Annotated[
        str, typer.Option("--split", help="Split to score; all is every record.")
    ] = "test",
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
) -> None:
    """Score a model on held-out chains, with intervals and baselines.

    Example: grubio evaluate -m results/mine/model -d split.parquet -o results/mine
    """
    from grubio.evaluation.evaluate import evaluate_model
    from grubio.evaluation.genome.headline import summary_rows
    from grubio.model.zoo import find_model

    metrics = evaluate_model(
        find_model(model),
        dataset,
        output,
        settings,
        split=split,
        audit=audit,
        device=device,
        threads=threads,
    )
    columns = {"model": metrics.scores, **metrics.baselines}
    typer.echo("\t".join(["score", *columns]))
    for name in metrics.scores:
        cells = [_interval(scores.get(name)) for scores in columns.values()]
        typer.echo("\t".join([name, *cells]))
    if metrics.sites:
        for row in summary_rows(metrics):
            typer.echo("\t".join(row))


def _interval(score: Score | None) -> str:
    if score is None or not score.known:
        return "-"
    return f"{score.value:.3f} ({score.low:.3f}-{score.high:.3f})"
