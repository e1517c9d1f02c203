"""``grubio fetch``."""

from pathlib import Path
from typing import Annotated

import typer

from grubio.cli.dry_run import SOURCE, new_file
from grubio.config import Source
from grubio.config.loading import checked
from grubio.errors import GrubioError


def fetch(
    location: Annotated[
        str | None,
        typer.Argument(help="URL (http, https, ftp), path, or name of embedded data."),
        SOURCE,
    ] = None,
    sha256: Annotated[
        str | None, typer.Option("--sha256", help="Expected SHA-256; required for a URL.")
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
    list_names: Annotated[
        bool, typer.Option("--list", help="List the embedded data and stop.")
    ] = False,
) -> None:
    """Fetch a file, check it, and print its path.

    Example: grubio fetch https://example.org/chains.fasta.gz --sha256 2e9b... -o chains.fasta.gz
    """
    if list_names:
        from grubio.fetching.embedded import EMBEDDED

        for name, file in EMBEDDED.items():
            typer.echo(f"{name}\t{file.description}")
        return
    if location is None:
        raise GrubioError("nothing to fetch", hint="give a URL, a path or a name; see --list")
    from grubio.fetching.fetch import fetch_source

    given = {"location": location, "sha256": sha256, "member": member}
    typer.echo(fetch_source(checked(Source, given), output, decompress=decompress))
