"""Inputs by any word that names a file: paths, URLs, accessions, lists of them, embedded data."""

from __future__ import annotations

from pathlib import Path

from grubio.config import Source
from grubio.config.loading import checked
from grubio.config.sources import LOCK_FILE, is_remote, require_known_source
from grubio.errors import GrubioError
from grubio.fetching.embedded import EMBEDDED


def local_path(location: str, lock: Path | None = Path(LOCK_FILE)) -> str:
    """Return the path of an input; what is not on this machine is fetched and locked.

    Standard input, paths, and what names nothing are returned as they are. Without a ``lock`` what
    was locked is neither asked for nor kept.

    Raises
    ------
    GrubioError
        If it cannot be fetched, has changed since it was locked, or its source is misspelt.
    """
    if location == "-" or Path(location).exists():
        return location
    if is_remote(location) or location in EMBEDDED:
        return str(_fetched(checked(Source, {"location": location}), lock))
    require_known(location)
    return location


def require_known(location: str) -> None:
    """Raise GrubioError if a word looks like an accession whose source is misspelt."""
    try:
        require_known_source(location)
    except ValueError as error:
        raise GrubioError(str(error), path=location) from None


def local_paths(location: str) -> list[str]:
    """Return the paths of an input that may be many files: a list of structures is one."""
    path = local_path(location)
    if path != location and Path(path).is_dir():
        return [str(inside) for inside in sorted(Path(path).iterdir())]
    return [path]


def local_source(source: Source) -> Source:
    """Return the local file of a source, checked against its SHA-256."""
    if source.sha256 is None and source.member is None:
        return Source(location=local_path(source.location))
    return Source(location=str(_fetched(source, Path(LOCK_FILE))))


def _fetched(source: Source, lock: Path | None) -> Path:
    # The network is for those who need it.
    from grubio.fetching.fetch import fetch_source

    return fetch_source(source, lock=lock)
