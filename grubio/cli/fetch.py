"""``grubio fetch``."""

from pathlib import Path
from typing import Annotated

import typer

from grubio.cli.dry_run import SOURCE, new_file
from grubio.config import Source
from grubio.config.accessions import SOURCES
from grubio.config.loading import checked
from grubio.config.sources import LOCK_FILE
from grubio.errors import GrubioError


def fetch(
    location: Annotated[
        str | None,
        typer.Argument(
            help="URL (http, https, ftp), accession, path, name of embedded data, or @FILE with "
            "one of these in each line."
        ),
        SOURCE,
    ] = None,
    sha256: Annotated[
        str | None,
        typer.Option("--sha256", help="Expected SHA-256.", show_default="that of the first fetch"),
    ] = None,
    member: Annotated[
        str | None, typer.Option("--member", help="File to extract from a ZIP archive.")
    ] = None,
    output: Annotated[
        Path | None, new_file("Where to put the file.", show_default="the cache")
    ] = None,
    decompress: Annotated[
        bool, typer.Option("--decompress", help="Decompress gzip, xz or bzip2.")
    ] = False,
    update: Annotated[
        bool, typer.Option("--update", help="Fetch anew, and renew the lock.")
    ] = False,
    lock: Annotated[
        Path, new_file("Lock file that keeps the SHA-256 of the first fetch.", "--lock")
    ] = Path(LOCK_FILE),
    list_names: Annotated[
        bool, typer.Option("--list", help="List the embedded data and the accessions, and stop.")
    ] = False,
) -> None:
    """Fetch a file, check it, and print its path.

    Accessions: uniprot:P0CG48, uniprot:proteome/UP000005640, ncbi:NC_000913.3,
    ncbi:GCF_000005845.2/gff3, pdb:1UBQ, pdb:1UBQ/cif, ensembl:ENSP00000344818, alphafold:P0CG48.

    Example: grubio fetch uniprot:P0CG48 -o ubiquitin.fasta

    Example: grubio fetch https://example.org/chains.fasta.gz --sha256 2e9b... -o chains.fasta.gz
    """
    if list_names:
        from grubio.fetching.embedded import EMBEDDED

        for name, file in EMBEDDED.items():
            typer.echo(f"{name}\t{file.description}")
        for forms in SOURCES.values():
            for form in forms:
                typer.echo(f"{form.example}\t{form.what}")
        return
    if location is None:
        raise GrubioError("nothing to fetch", hint="give a URL, a path or a name; see --list")
    from grubio.fetching.fetch import fetch_source

    given = {"location": location, "sha256": sha256, "member": member}
    source = checked(Source, given)
    typer.echo(fetch_source(source, output, decompress=decompress, lock=lock, update=update))
