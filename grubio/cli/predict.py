"""``grubio predict``."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from grubio.cli.dry_run import new_folder
from grubio.cli.options import (
    DatabaseOption,
    InputArgument,
    ModelsOrBestOption,
    OwnProfileOption,
    ProfilesOption,
    outputs_option,
    settings_option,
)
from grubio.config import Output, PredictionSettings, SearchSettings
from grubio.errors import GrubioError
from grubio.extras import require
from grubio.text import counts_text

logger = logging.getLogger(__name__)


@outputs_option
@settings_option(SearchSettings, "search", panel="Search for homologs, with --database")
@settings_option(PredictionSettings)
def predict(  # noqa: PLR0913 - each option is a parameter
    sequences: InputArgument,
    outputs: list[Output],
    settings: PredictionSettings,
    search: SearchSettings,
    model: ModelsOrBestOption = None,
    profiles: ProfilesOption = None,
    database: DatabaseOption = None,
    own_profile: OwnProfileOption = False,
    resume_folder: Annotated[
        Path | None,
        new_folder(
            "Keep finished shards here until the outputs are written; if the command is killed, "
            "the same command resumes from them.",
            "--resume-folder",
        ),
    ] = None,
    shards: Annotated[
        int, typer.Option("--shards", help="Shards of a prediction with --resume-folder.", min=1)
    ] = 100,
) -> None:
    """Label every residue of new FASTA files.

    Every record is written once, in the order of the input. With a genome model both strands are
    labelled; formats bedgraph and bigwig make one file per class and strand: tracks.CLASS.plus.bw
    and so on for tracks.bw, CLASS.plus.bw and so on in a folder/.

    Example: grubio predict proteins.fasta --output proteins.ss2 --output proteins.tsv

    Example: grubio predict uniprot:P0CG48 --output ubiquitin.html

    Example: grubio predict proteins.fasta --html proteins.html --summary proteins.summary.tsv

    Example: grubio predict proteins.fasta --model protein-ss --model MODEL --output both.html

    Example: grubio predict many.fasta.gz --output many.tsv --resume-folder many.shards

    Example: grubio predict genome.fna --model MODEL --output sites.bed --output tracks.bw

    Example: grubio predict proteins.fasta --model MODEL --profiles alignments/ --output labels.tsv
    """
    from grubio.model.zoo import find_model
    from grubio.prediction.profiles import ProfileSource

    folders = [find_model(one) for one in model or ()]
    source = ProfileSource(profiles or None, database, own_profile, search)
    if resume_folder is None:
        from grubio.prediction.predict_file import predict_file

        tally = predict_file(sequences, outputs, folders or None, settings, source)
    else:
        require("parquet", "--resume-folder")
        if len(folders) > 1:
            raise GrubioError("--resume-folder is for one model", hint="predict with each of them")
        from grubio.prediction.shards.resume import predict_in_shards

        folder = folders[0] if folders else None
        tally = predict_in_shards(
            sequences, outputs, resume_folder, shards, folder, settings, source
        )
    for output in outputs:
        if output.path != "-":
            place = Path(output.path)
            logger.info("%s: %s", counts_text(tally.kept, tally.residues), place)
