"""The lock file of a study, ``grubio.lock``: what was fetched when, and its SHA-256.

A first fetch of an accession, or of a URL without a checksum, adds an entry; later ones must bring
the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from grubio.errors import GrubioError
from grubio.fetching.transfer import locked_folder
from grubio.files import write_text_whole
from grubio.text import read_text

_VERSION = 1


@dataclass(frozen=True)
class LockEntry:
    """What was fetched for a location.

    Attributes
    ----------
    sha256
        Of the file as it was fetched.
    date
        Day of the fetch, as ``2026-11-26``.
    url
        The address that it came from in the end.
    bytes
        Its size.
    """

    sha256: str
    date: str
    url: str
    bytes: int


def read_lock(path: Path) -> dict[str, LockEntry]:
    """Return the entries of a lock file by location; none if there is no file.

    Raises
    ------
    GrubioError
        If it is damaged.
    """
    if not path.is_file():
        return {}
    try:
        content = json.loads(read_text(path))
        return {where: LockEntry(**entry) for where, entry in content["sources"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise GrubioError(
            f"is no lock file of grubio: {error}",
            path=path,
            hint="delete it, and the next fetch makes it anew",
        ) from error


def add_to_lock(path: Path, entries: Mapping[str, LockEntry]) -> None:
    """Add entries to a lock file, also while other processes do so."""
    path = path.absolute()
    with locked_folder(path.parent):
        known = read_lock(path) | dict(entries)
        content = {
            "version": _VERSION,
            "sources": {where: asdict(known[where]) for where in sorted(known)},
        }
        write_text_whole(path, json.dumps(content, indent=2) + "\n")
