"""Files from other machines in the cache, checked against a SHA-256 that is given or locked."""

import datetime
import hashlib
import logging
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from grubio.config import Source
from grubio.config.accessions import Accession, accession_of, is_accession
from grubio.config.sources import file_name_of
from grubio.errors import GrubioError
from grubio.fetching.accessions import gone, mirrored, request_of, require_meant, require_whole
from grubio.fetching.archive import extract
from grubio.fetching.lock import LockEntry, add_to_lock, read_lock
from grubio.fetching.transfer import Refused, Unreachable, ask, cache_folder, download
from grubio.files import sha256_of_file

_REMEMBERED = "fetched.json"
"""In the cache: what was fetched for each location, in the form of a lock file."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Way:
    """How patiently to ask: see :func:`grubio.fetching.transfer.download`."""

    attempts: int
    timeout: float
    pause: float

    def ask(self, url: str) -> Any:
        """Return what a server answers in JSON, or None."""
        return ask(mirrored(url), **vars(self))


def require_checksum(path: Path, expected: str, location: str) -> None:
    """Do nothing if a file has the SHA-256 that is expected of a location.

    Raises
    ------
    GrubioError
        If it has another.
    """
    found = sha256_of_file(path)
    if found != expected:
        raise GrubioError(
            f"SHA-256 {expected} was expected, {found} was found ({path.stat().st_size} bytes)",
            path=location,
            hint="the file is damaged, or not the one that was meant; nothing was kept",
        )


def _in_cache(sha256: str, name: str) -> Path | None:
    # A damaged file is fetched again.
    path = cache_folder() / sha256 / name
    return path if path.is_file() and sha256_of_file(path) == sha256 else None


@contextmanager
def _place(name: str) -> Iterator[Path]:
    """Give a folder in the cache, made for the block; empty, it is removed after it."""
    folder = cache_folder() / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    except OSError as error:
        raise GrubioError(
            f"cannot be written: {error.strerror or error}",
            path=folder,
            hint="set GRUBIO_CACHE to a folder with space",
        ) from error
    finally:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def checked_file(url: str, sha256: str, way: Way) -> Path:
    """Return the file of a URL in the cache, of a SHA-256 that is known.

    Raises
    ------
    GrubioError
        If it has another SHA-256, or cannot be fetched.
    """
    # A part is kept so that the next call can resume it.
    name = file_name_of(url.rstrip("/")) or "download"
    if cached := _in_cache(sha256, name):
        return cached
    with _place(sha256) as folder:
        part = folder / f"{name}.part"
        download(url, part, **vars(way))
        try:
            require_checksum(part, sha256, url)
        except GrubioError:
            part.unlink()
            raise
        return part.replace(folder / name)


def locked_file(source: Source, lock: Path | None, update: bool, way: Way) -> Path:
    """Return the file of an accession or a URL in the cache; the lock says which bytes are meant.

    Without the network the cache answers.

    Raises
    ------
    GrubioError
        If the file has changed since it was locked, or cannot be fetched.
    """
    accession = _accession(source.location)
    key, name = (
        (accession.word, accession.file_name)
        if accession
        else (source.location, file_name_of(source.location.rstrip("/")) or "download")
    )
    entry = None if update or lock is None else read_lock(lock).get(key)
    wanted = source.sha256 or (entry.sha256 if entry else None)
    cached = wanted and _in_cache(wanted, name)
    if cached:
        return cached
    try:
        path, found = _first(key, name, accession, way)
    except Unreachable as error:
        return _remembered(key, name, wanted, lock, update, error)
    if wanted not in (None, found.sha256):
        path.unlink()
        path.parent.rmdir()
        if source.sha256:
            raise GrubioError(
                f"SHA-256 {wanted} was expected, {found.sha256} was found ({found.bytes} bytes)",
                path=key,
            )
        assert entry is not None
        raise GrubioError(
            f"has changed: SHA-256 {found.sha256} today, {wanted} in {lock} of {entry.date}",
            path=key,
            hint=f"take the new one with: grubio fetch {key} --update",
        )
    add_to_lock(cache_folder() / _REMEMBERED, {key: found})
    if lock is not None and entry is None and source.sha256 is None:
        add_to_lock(lock, {key: found})
        if accession is None:
            logger.warning(
                "%s: no checksum was given; its SHA-256 %s is kept in %s", key, found.sha256, lock
            )
    return path


def _accession(location: str) -> Accession | None:
    if not is_accession(location):
        return None
    try:
        return accession_of(location)
    except ValueError as error:
        raise GrubioError(str(error), path=location) from None


def _first(key: str, name: str, accession: Accession | None, way: Way) -> tuple[Path, LockEntry]:
    # Bytes whose checksum is not known yet are never the rest of an older transfer.
    with _place(f"new-{hashlib.sha256(key.encode()).hexdigest()[:16]}") as folder:
        part = folder / f"{name}.part"
        part.unlink(missing_ok=True)
        try:
            url = _bring(part, accession, way) if accession else download(key, part, **vars(way))
            found = LockEntry(
                sha256_of_file(part),
                datetime.datetime.now(datetime.UTC).date().isoformat(),
                url,
                part.stat().st_size,
            )
            target = cache_folder() / found.sha256 / name
            target.parent.mkdir(exist_ok=True)
            return part.replace(target), found
        finally:
            part.unlink(missing_ok=True)


def _bring(part: Path, accession: Accession, way: Way) -> str:
    request = request_of(accession, way.ask)
    whole = partial(require_whole, accession=accession, archive=request.member is not None)
    try:
        download(mirrored(request.url), part, **vars(way), check=whole)
    except Refused as error:
        if error.code in (400, 404, 410):
            raise gone(accession, way.ask, error.problem) from error
        raise
    if request.member is not None:
        with zipfile.ZipFile(part) as opened:
            names = [name for name in opened.namelist() if re.fullmatch(request.member, name)]
        if not names:
            raise gone(accession, way.ask, f"NCBI has no {accession.format} of it")
        plain = part.with_name("member")
        extract(part, names[0], plain)
        plain.replace(part)
    require_meant(part, accession, way.ask)
    return request.url


def _remembered(
    key: str,
    name: str,
    wanted: str | None,
    lock: Path | None,
    update: bool,
    error: Unreachable,
) -> Path:
    # What the cache has of an earlier fetch; an update must not end with the old file.
    known = read_lock(cache_folder() / _REMEMBERED)
    entry = known.get(key)
    if entry is not None and wanted in (None, entry.sha256) and not update:
        cached = _in_cache(entry.sha256, name)
        if cached:
            logger.warning("%s: no network; the copy of %s is used", key, entry.date)
            if lock is not None and wanted is None:
                add_to_lock(lock, {key: entry})
            return cached
    source = key.partition(":")[0]
    words = [word for word in known if word.startswith(f"{source}:")]
    more = f"; in the cache: {', '.join(sorted(words)[:10])}" if words else "; the cache has none"
    raise GrubioError(error.problem, path=key, hint=f"check the network{more}") from error
