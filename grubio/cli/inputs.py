"""Inputs of commands that are fetched: URLs, accessions, lists of them, embedded data."""

from pathlib import Path

from grubio.config.sources import LOCK_FILE, is_remote, require_known_source
from grubio.errors import GrubioError
from grubio.fetching.embedded import EMBEDDED


def fetched(location: str) -> str:
    """Return the path of an input; what is not on this machine is fetched and locked.

    Raises
    ------
    GrubioError
        If it cannot be fetched, or has changed since it was locked.
    """
    if location == "-" or Path(location).exists():
        return location
    if not is_remote(location) and location not in EMBEDDED:
        try:
            require_known_source(location)
        except ValueError as error:
            raise GrubioError(str(error), path=location) from None
        return location
    from grubio.config import Source
    from grubio.config.loading import checked
    from grubio.fetching.fetch import fetch_source

    return str(fetch_source(checked(Source, {"location": location}), lock=Path(LOCK_FILE)))
