"""Lists of locations, one in each line: sequences become one FASTA file, structures a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from grubio.config import Source
from grubio.config.accessions import accession_of, is_accession
from grubio.config.sources import file_name_of, is_list, is_remote, list_file
from grubio.errors import GrubioError
from grubio.fetching.embedded import EMBEDDED
from grubio.fetching.transfer import cache_folder
from grubio.files import open_input, sha256_of_file, written_whole
from grubio.text import read_text

FetchOne = Callable[[str, Path | None], Path]
"""Brings the file of a location to a path, or into the cache, and returns where it is."""


def fetch_list(path: Path, output: Path | None, one: FetchOne) -> Path:
    """Return the file or folder with all that a list names; a line that comes twice counts once.

    Parameters
    ----------
    path
        The list; ``#`` begins a comment.
    output
        A FASTA file for sequences, a folder for structures; in the cache by default.
    one
        Fetches one of them.

    Raises
    ------
    GrubioError
        If a line names nothing that can be fetched, or structures are to become one file.
    """
    found = list(dict.fromkeys(_locations(path)))
    of_structures = [where for where in found if not _is_sequence(where)]
    if not of_structures:
        return _one_file([one(where, None) for where in found], path, output)
    if len(of_structures) < len(found) or (output is not None and output.suffix):
        raise GrubioError(
            f"{of_structures[0]} is no FASTA, and cannot be put into one file with others",
            path=path,
            hint="fetch a list of structures alone, into a folder: --output FOLDER",
        )
    if output is None:
        output = _cached_under([one(where, None) for where in found])
    for where in found:
        one(where, output / file_name_of(where))
    return output


def local_files(location: str) -> list[str]:
    """Return the files of this machine that what is fetched from a location depends on."""
    if not is_list(location):
        return [] if is_remote(location) or location in EMBEDDED else [location]
    path = list_file(location)
    named = [where for _, where in _lines(path)] if path.is_file() else []
    # A list that names another list is refused when it is fetched.
    parts = [local_files(where) for where in named if not is_list(where)]
    return [str(path), *(file for part in parts for file in part)]


def _one_file(parts: list[Path], path: Path, output: Path | None) -> Path:
    if output is None:
        output = _cached_under(parts) / f"{path.stem}.fasta"
    with written_whole(output) as temporary, open(temporary, "wb") as out:
        for part in parts:
            with open_input(part) as content:
                text_of_part = content.read()
            out.write(text_of_part if text_of_part.endswith(b"\n") else text_of_part + b"\n")
    return output


def _cached_under(parts: list[Path]) -> Path:
    text = "\n".join(map(sha256_of_file, parts))
    return cache_folder() / f"list-{hashlib.sha256(text.encode()).hexdigest()}"


def _locations(path: Path) -> Iterator[str]:
    for number, where in _lines(path):
        try:
            if is_list(where):
                raise ValueError("a list may not name another list")
            if is_accession(where):
                accession_of(where)
            Source(location=where)
        except ValueError as error:
            raise GrubioError(str(error), path=path, line=number) from None
        yield where


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if where := line.partition("#")[0].strip():
            yield number, where


def _is_sequence(where: str) -> bool:
    return not is_accession(where) or accession_of(where).format == "fasta"
