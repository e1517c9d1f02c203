"""``grubio profile``."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from grubio.cli.dry_run import READ, new_file
from grubio.cli.options import ThreadsOption, settings_option
from grubio.config import OnInvalid, SearchSettings
from grubio.config.profiles import DATABASE_HELP, PROFILES_HELP
from grubio.errors import GrubioError
from grubio.text import counts_text

logger = logging.getLogger(__name__)


@settings_option(SearchSettings)
def profile(
    sequences: Annotated[
        str,
        typer.Argument(
            metavar="INPUT",
            help="FASTA of proteins, plain or compressed, a dataset, or the records of a shard; - "
            "is standard input.",
        ),
        READ,
    ],
    output: Annotated[
        Path,
        new_file(
            "File of profiles to write (.npz); or, of a dataset, the dataset with its profiles "
            "(.parquet)."
        ),
    ],
    settings: SearchSettings,
    database: Annotated[Path | None, typer.Option("--database", "-d", help=DATABASE_HELP)] = None,
    alignments: Annotated[
        list[Path] | None,
        typer.Option(
            "--alignments", help=f"Instead of a search: {PROFILES_HELP} May be given several times."
        ),
    ] = None,
    on_invalid: Annotated[
        OnInvalid,
        typer.Option("--on-invalid", help="Records with invalid letters, as for predict."),
    ] = "error",
    part: Annotated[
        str | None,
        typer.Option(
            "--part", metavar="K/N", help="Look at the K-th of N equal parts of the records alone."
        ),
    ] = None,
    threads: ThreadsOption = None,
) -> None:
    """Make profiles of proteins: search for homologs, or read alignments.

    A search that was killed goes on after its last batch if the same command is given again.

    Example: grubio profile proteins.fasta --database uniref50 --output proteins.npz

    Example: grubio profile proteins.fasta --alignments alignments/ --output proteins.npz
    """
    from grubio.datasets.make_profiles import make_profiles

    counts = make_profiles(
        sequences,
        output,
        alignments=alignments or (),
        database=database,
        settings=settings,
        on_invalid=on_invalid,
        part=_part(part),
        threads=threads,
    )
    logger.info(
        "%s, %s without homologs: %s",
        counts_text(counts["records"], counts["residues"]),
        counts["alone"],
        output,
    )


def _part(text: str | None) -> tuple[int, int]:
    number, slash, parts = (text or "1/1").partition("/")
    if not (slash and number.isdigit() and parts.isdigit()):
        raise GrubioError(f"--part {text}; K/N was expected, such as 3/16")
    return int(number), int(parts)
