"""Locations of sources: URLs, and local copies of them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit


def is_url(location: str) -> bool:
    """Return whether a location is a URL that is fetched over the network.

    Examples
    --------
    >>> is_url("https://example.org/a.fa"), is_url("data/a.fa")
    (True, False)
    """
    return location.startswith(("http://", "https://", "ftp://"))


def copy_in(folder: str | Path | None, location: str) -> str:
    """Return the path of the copy of a URL in a folder, or the location if there is no copy.

    The copy has the file name of the URL.
    """
    if folder is None or not is_url(location):
        return location
    name = unquote(urlsplit(location).path).rpartition("/")[2]
    copy = Path(folder) / name
    return str(copy) if name and copy.is_file() else location
