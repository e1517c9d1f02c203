"""Fetching: a URL, an accession, a path or a name of embedded data in, a checked local file out.

Downloads go into a cache, in a folder named for their SHA-256; they are checked each time they are
used. The folder is ``$GRUBIO_CACHE``, or the system's cache folder. What has no checksum in the
source is locked: see :mod:`grubio.fetching.lock`.
"""

import shutil
from pathlib import Path

from grubio.config import Source
from grubio.config.accessions import is_accession
from grubio.config.sources import is_list, is_url, list_file
from grubio.errors import GrubioError
from grubio.fetching.archive import extract
from grubio.fetching.embedded import EMBEDDED, embedded_path
from grubio.fetching.lists import fetch_list
from grubio.fetching.remote import Way, checked_file, locked_file, require_checksum
from grubio.fetching.transfer import cache_folder
from grubio.files import open_input, sha256_of_file, written_whole
from grubio.overwriting import keeps_inputs

_COMPRESSED = {".gz", ".xz", ".bz2"}


def fetch_source(
    source: Source,
    output: Path | None = None,
    *,
    decompress: bool = False,
    lock: Path | None = None,
    update: bool = False,
    attempts: int = 5,
    timeout: float = 30.0,
    pause: float = 1.0,
) -> Path:
    """Return a local file with the content of a source, checked against its SHA-256.

    Parameters
    ----------
    source
        Location, SHA-256 and member of a ZIP archive.
    output
        Where to put the file. By default it stays where it is: in the cache, or at its path. For a
        list of structures it is a folder, and by default one in the cache.
    decompress
        Whether to decompress gzip, xz or bzip2.
    lock
        The lock file that knows the SHA-256 of accessions, and of URLs without one in the source.
    update
        Whether to fetch them anew and renew the lock.
    attempts
        How often a transfer is tried; each attempt resumes the last one if the server allows it.
    timeout
        Seconds of silence after which a connection is given up.
    pause
        Seconds before the second attempt; doubled before each later one.

    Raises
    ------
    GrubioError
        If the file does not exist, the server refuses, the checksum differs from that of the source
        or of the lock (nothing is left behind then), or the archive lacks the member.
    """
    way = Way(attempts, timeout, pause)
    if is_list(source.location):

        def one(where: str, target: Path | None) -> Path:
            own = Source(location=where)
            return fetch_source(own, target, lock=lock, update=update, **vars(way))

        return fetch_list(list_file(source.location), output, one)
    if is_url(source.location) and source.sha256 is not None:
        path = checked_file(source.location, source.sha256, way)
    elif is_url(source.location) or is_accession(source.location):
        path = locked_file(source, lock, update, way)
    else:
        path = _local(source)
    return _delivered(path, output, source.member, decompress)


@keeps_inputs("path", outputs=["output"])
def _delivered(path: Path, output: Path | None, member: str | None, decompress: bool) -> Path:
    if member is None and not decompress:
        if output is None:
            return path
        with written_whole(output) as temporary:
            shutil.copyfile(path, temporary)
        return output
    if output is None:
        output = _derived_path(path, member, decompress)
    with written_whole(output) as temporary:
        if member is not None:
            extract(path, member, temporary)
        if decompress:
            plain = temporary.with_name(temporary.name + ".plain")
            try:
                with (
                    open_input(path if member is None else temporary) as raw,
                    open(plain, "wb") as out,
                ):
                    shutil.copyfileobj(raw, out)
                plain.replace(temporary)
            finally:
                plain.unlink(missing_ok=True)
    return output


def _local(source: Source) -> Path:
    path = Path(source.location)
    if source.location in EMBEDDED:
        path = embedded_path(source.location)
    elif not path.exists():
        known = ", ".join(EMBEDDED)
        raise GrubioError("no such file", path=path, hint=f"names of embedded data: {known}")
    if path.is_dir():
        raise GrubioError("is a folder, not a file", path=path)
    if source.sha256 is not None:
        require_checksum(path, source.sha256, source.location)
    return path


def _derived_path(path: Path, member: str | None, decompress: bool) -> Path:
    name = Path(member).name if member is not None else path.name
    if decompress and Path(name).suffix in _COMPRESSED:
        name = Path(name).stem
    return cache_folder() / f"from-{sha256_of_file(path)}" / name
