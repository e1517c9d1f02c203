"""``grubio predict``."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from grubio.cli.dry_run import WRITTEN
from grubio.cli.notices import start_logging
from grubio.cli.options import (
    DeviceOption,
    FormatOption,
    InputArgument,
    LogOption,
    ModelOrBestOption,
    ThreadsOption,
    settings_option,
)
from grubio.config import CallSettings, GenomeSettings, OnInvalid, PredictionFormat

logger = logging.getLogger(__name__)


@settings_option(GenomeSettings, "genome")
@settings_option(CallSettings, "calls")
def predict(
    sequences: InputArgument,
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            help="File, folder/ (one file per record, or track) or - for standard output. "
            "May be given several times.",
            show_default="-",
        ),
        WRITTEN,
    ] = None,
    output_format: FormatOption = None,
    model: ModelOrBestOption = None,
    scheme: Annotated[
        str | None,
        typer.Option(
            "--scheme",
            help="Labels to write, for example ss3 or ss8.",
            show_default="the model's coarsest",
        ),
    ] = None,
    on_invalid: Annotated[
        OnInvalid,
        typer.Option(
            "--on-invalid",
            help="Records with invalid letters: stop (error), leave out (skip), "
            "or read the letters as unknown residues (mask).",
        ),
    ] = "error",
    segments: Annotated[
        str | None,
        typer.Option("--segments", help="Also write a table of segments to this file (TSV)."),
        WRITTEN,
    ] = None,
    summary: Annotated[
        str | None,
        typer.Option("--summary", help="Also write a line per sequence to this file (TSV)."),
        WRITTEN,
    ] = None,
    html: Annotated[
        str | None,
        typer.Option("--html", help="Also draw the predictions as a page (HTML)."),
        WRITTEN,
    ] = None,
    resume_folder: Annotated[
        Path | None,
        typer.Option(
            "--resume-folder",
            help="Keep finished shards here until the outputs are written; the same command goes "
            "on with them after it was killed.",
            file_okay=False,
        ),
        WRITTEN,
    ] = None,
    shards: Annotated[
        int, typer.Option("--shards", help="Shards of a prediction with --resume-folder.", min=1)
    ] = 100,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    log: LogOption = None,
    *,
    genome: GenomeSettings,
    calls: CallSettings,
) -> None:
    """Label every residue of new FASTA files.

    Records come out once each, in the order in which they came. With a model of a genome both
    strands are labelled; formats bedgraph and bigwig make one file per class and strand:
    tracks.CLASS.plus.bw and so on for tracks.bw, CLASS.plus.bw and so on in a folder/.

    Example: grubio predict proteins.fasta --output proteins.ss2 --output proteins.tsv

    Example: grubio predict proteins.fasta --html proteins.html --summary proteins.summary.tsv

    Example: grubio predict many.fasta.gz --output many.tsv --resume-folder many.shards

    Example: grubio predict genome.fna --model MODEL --output sites.bed --output tracks.bw
    """
    start_logging(log)
    from grubio.model.zoo import find_model
    from grubio.prediction.predict_file import Output, predict_file, require_proper
    from grubio.prediction.shards.resume import predict_in_shards
    from grubio.writers.open_writer import format_of

    tables: list[tuple[str | None, PredictionFormat]] = [
        (segments, "segments"),
        (summary, "summary"),
        (html, "html"),
    ]
    outputs = [Output(path, kind) for path, kind in tables if path is not None]
    if output or not outputs:
        outputs[:0] = [Output(p, output_format or format_of(p)) for p in output or ["-"]]
    require_proper(outputs)
    predicted = (
        predict_file
        if resume_folder is None
        else partial(predict_in_shards, folder=resume_folder, shards=shards)
    )
    tally = predicted(
        sequences,
        outputs,
        model=None if model is None else find_model(model),
        scheme=scheme,
        on_invalid=on_invalid,
        device=device,
        threads=threads,
        genome=genome,
        calls=calls,
    )
    for one in outputs:
        if one.path != "-":
            logger.info("%s records, %s residues: %s", tally.kept, tally.residues, Path(one.path))
