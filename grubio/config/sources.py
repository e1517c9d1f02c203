"""Locations of sources: URLs, accessions, lists of both, and local copies of them."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from grubio.config.accessions import SOURCES, accession_of, is_accession, unknown_source

LOCK_FILE = "grubio.lock"
"""The lock file of a study, in its folder: :mod:`grubio.fetching.lock`."""

LIST_MARK = "@"
"""What a location begins with that is a file with one location in each line."""


def is_url(location: str) -> bool:
    """Return whether a location is a URL that is fetched over the network.

    Examples
    --------
    >>> is_url("https://example.org/a.fa"), is_url("data/a.fa")
    (True, False)
    """
    return location.startswith(("http://", "https://", "ftp://"))


def is_list(location: str) -> bool:
    """Return whether a location is a file of locations, as ``@accessions.txt``."""
    return location.startswith(LIST_MARK)


def list_file(location: str) -> Path:
    """Return the file of a list.

    Examples
    --------
    >>> list_file("@lists/kinases.txt").name
    'kinases.txt'
    """
    return Path(location.removeprefix(LIST_MARK))


def is_remote(location: str) -> bool:
    """Return whether a location has to be fetched: a URL, an accession, or a list.

    Examples
    --------
    >>> is_remote("uniprot:P0CG48"), is_remote("@accessions.txt"), is_remote("data/a.fa")
    (True, True, False)
    """
    return is_url(location) or is_accession(location) or is_list(location)


def lasting(location: str | Path) -> str:
    """Return a location as a study keeps it: a path from any folder, or what is fetched as it is.

    Examples
    --------
    >>> lasting("uniprot:P0CG48"), lasting("a.fa") == str(Path.cwd() / "a.fa")
    ('uniprot:P0CG48', True)
    """
    return str(location) if is_remote(str(location)) else str(Path(location).absolute())


def require_known_source(location: str) -> None:
    """Do nothing unless a location looks like an accession whose source is misspelt.

    Raises
    ------
    ValueError
        With the nearest source.

    Examples
    --------
    >>> require_known_source("data/a.fa")
    >>> require_known_source("unipro:P0CG48")
    Traceback (most recent call last):
    ...
    ValueError: 'unipro' is no source of accessions, did you mean 'uniprot:P0CG48'?
    """
    found = re.fullmatch(r"([A-Za-z]\w+):\w[\w./-]*", location)
    source = found[1].lower() if found else ""
    if source in SOURCES or not difflib.get_close_matches(source, SOURCES, 1):
        return
    if not Path(location).exists():
        raise ValueError(unknown_source(location))


def file_name_of(location: str) -> str:
    """Return the name of the file that a location stands for.

    Examples
    --------
    >>> file_name_of("https://example.org/a%20b.fa?x=1"), file_name_of("pdb:1UBQ")
    ('a b.fa', '1UBQ.fasta')
    >>> file_name_of("data/a.fa"), file_name_of("@lists/kinases.txt")
    ('a.fa', 'kinases.fasta')
    """
    if is_url(location):
        return unquote(urlsplit(location).path).rpartition("/")[2]
    if is_accession(location):
        return accession_of(location).file_name
    if is_list(location):
        return f"{list_file(location).stem}.fasta"
    return Path(location).name


def copy_in(folder: str | Path | None, location: str) -> str:
    """Return the path of the copy of a source in a folder, or the location if there is no copy.

    The copy of a URL or an accession has the file name of :func:`file_name_of`.
    """
    if folder is None or not (is_url(location) or is_accession(location)):
        return location
    name = file_name_of(location)
    copy = Path(folder) / name
    return str(copy) if name and copy.is_file() else location
