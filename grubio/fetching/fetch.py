"""Fetching: a URL, an accession, a path or a name of embedded data in, a checked local file out.

Downloads go into a cache, in a folder named for their SHA-256; they are checked each time they are
used. The folder is ``$GRUBIO_CACHE``, or the system's cache folder. What has no checksum in the
source is locked: see :mod:`grubio.fetching.lock`.
"""

import datetime
import hashlib
import logging
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from grubio.config import Source
from grubio.config.accessions import Accession, accession_of, is_accession
from grubio.config.sources import LIST_MARK, file_name_of, is_list, is_url
from grubio.errors import GrubioError
from grubio.fetching.accessions import gone, mirrored, request_of, require_meant, require_whole
from grubio.fetching.embedded import EMBEDDED, embedded_path
from grubio.fetching.lock import LockEntry, add_to_lock, read_lock
from grubio.fetching.transfer import Refused, Unreachable, ask, cache_folder, download
from grubio.files import open_input, sha256_of_file, written_whole
from grubio.overwriting import keeps_inputs
from grubio.text import read_text

_COMPRESSED = {".gz", ".xz", ".bz2"}
_REMEMBERED = "fetched.json"
"""In the cache: what was fetched for each location, in the form of a lock file."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Way:
    """How patiently to ask."""

    attempts: int
    timeout: float
    pause: float

    def ask(self, url: str) -> Any:
        return ask(mirrored(url), **vars(self))


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
        list of structures it is a folder.
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
    way = _Way(attempts, timeout, pause)
    if is_list(source.location):
        return _list(source, output, lock, update, way)
    if is_url(source.location) and source.sha256 is not None:
        path = _known(source.location, source.sha256, way)
    elif is_url(source.location) or is_accession(source.location):
        path = _locked(source, lock, update, way)
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
            _extract(path, member, temporary)
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
        _require_checksum(path, source.sha256, source.location)
    return path


def _require_checksum(path: Path, expected: str, location: str) -> None:
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


def _known(url: str, sha256: str, way: _Way) -> Path:
    # A part is kept so that the next call can resume it.
    name = file_name_of(url.rstrip("/")) or "download"
    if cached := _in_cache(sha256, name):
        return cached
    with _place(sha256) as folder:
        part = folder / f"{name}.part"
        download(url, part, **vars(way))
        try:
            _require_checksum(part, sha256, url)
        except GrubioError:
            part.unlink()
            raise
        return part.replace(folder / name)


def _locked(source: Source, lock: Path | None, update: bool, way: _Way) -> Path:
    # The lock says which bytes are meant. Without the network the cache answers.
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


def _first(key: str, name: str, accession: Accession | None, way: _Way) -> tuple[Path, LockEntry]:
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


def _bring(part: Path, accession: Accession, way: _Way) -> str:
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
        _extract(part, names[0], plain)
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


def _list(source: Source, output: Path | None, lock: Path | None, update: bool, way: _Way) -> Path:
    path = Path(source.location.removeprefix(LIST_MARK))
    found = dict.fromkeys(_locations(path))
    of_structures = [where for where in found if not _is_sequence(where)]
    if of_structures and (len(of_structures) < len(found) or output is None or output.suffix):
        raise GrubioError(
            f"{of_structures[0]} is no FASTA, and cannot be put into one file with others",
            path=path,
            hint="fetch a list of structures alone, into a folder: --output FOLDER",
        )

    def one(where: str, target: Path | None = None) -> Path:
        own = Source(location=where)
        return fetch_source(own, target, lock=lock, update=update, **vars(way))

    if of_structures and output is not None:
        for where in found:
            one(where, output / file_name_of(where))
        return output
    parts = [one(where) for where in found]
    if output is None:
        text = "\n".join(map(sha256_of_file, parts))
        mark = hashlib.sha256(text.encode()).hexdigest()
        output = cache_folder() / f"list-{mark}" / file_name_of(source.location)
    with written_whole(output) as temporary, open(temporary, "wb") as out:
        for part in parts:
            with open_input(part) as content:
                text_of_part = content.read()
            out.write(text_of_part if text_of_part.endswith(b"\n") else text_of_part + b"\n")
    return output


def _locations(path: Path) -> Iterator[str]:
    for number, line in enumerate(read_text(path).splitlines(), 1):
        where = line.partition("#")[0].strip()
        if not where:
            continue
        try:
            if is_list(where):
                raise ValueError("a list may not name another list")
            if is_accession(where):
                accession_of(where)
            Source(location=where)
        except ValueError as error:
            raise GrubioError(str(error), path=path, line=number) from None
        yield where


def _is_sequence(where: str) -> bool:
    return not is_accession(where) or accession_of(where).format == "fasta"


def _extract(archive: Path, member: str, target: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as opened:
            if member not in opened.namelist():
                names = ", ".join(opened.namelist()[:10])
                raise GrubioError(f"has no member '{member}'; it has: {names}", path=archive)
            with opened.open(member) as raw, open(target, "wb") as out:
                shutil.copyfileobj(raw, out)
    except zipfile.BadZipFile as error:
        raise GrubioError(f"is not a ZIP archive: {error}", path=archive) from error


def _derived_path(path: Path, member: str | None, decompress: bool) -> Path:
    name = Path(member).name if member is not None else path.name
    if decompress and Path(name).suffix in _COMPRESSED:
        name = Path(name).stem
    return cache_folder() / f"from-{sha256_of_file(path)}" / name
