"""Fetching: a URL, a path or a name of embedded data in, a checked local file out.

Downloads go through pooch into a cache, in a folder named for their SHA-256; they are checked
each time they are used. The folder is ``$GRUBIO_CACHE``, or the system's cache folder.
"""

import ftplib
import logging
import os
import shutil
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pooch
import requests

from grubio.config import Source
from grubio.config.sources import is_url
from grubio.errors import GrubioError
from grubio.fetching.embedded import EMBEDDED, embedded_path
from grubio.files import open_input, sha256_of_file, written_whole
from grubio.overwriting import keeps_inputs

# A transfer that breaks off loses less than this.
_CHUNK = 1 << 14
_COMPRESSED = {".gz", ".xz", ".bz2"}

logger = logging.getLogger(__name__)


class _Interrupted(Exception):
    """A transfer broke off; another attempt may succeed."""


def fetch_source(
    source: Source,
    output: Path | None = None,
    *,
    decompress: bool = False,
    attempts: int = 5,
    timeout: float = 30.0,
    pause: float = 1.0,
) -> Path:
    """Return a local file with the content of a source, checked against its SHA-256.

    Parameters
    ----------
    source
        Location, SHA-256 (required for a URL) and member of a ZIP archive.
    output
        Where to put the file. By default it stays where it is: in the cache, or at its path.
    decompress
        Whether to decompress gzip, xz or bzip2.
    attempts
        How often a transfer is tried; each attempt resumes the last one if the server allows it.
    timeout
        Seconds of silence after which a connection is given up.
    pause
        Seconds before the second attempt; doubled before each later one.

    Raises
    ------
    GrubioError
        If the file does not exist, the server refuses, the checksum differs (nothing is left behind
        then), or the archive lacks the member.
    """
    if is_url(source.location):
        path = _download(source, attempts, timeout, pause)
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


def cache_folder() -> Path:
    """Return the folder of downloads."""
    return Path(os.environ.get("GRUBIO_CACHE") or pooch.os_cache("grubio"))


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


def _download(source: Source, attempts: int, timeout: float, pause: float) -> Path:
    expected = str(source.sha256)
    folder = cache_folder() / expected
    name = unquote(urlsplit(source.location).path).rstrip("/").rsplit("/", 1)[-1] or "download"
    part = folder / f"{name}.part"

    def fetched(url: str, output_file: str, fetcher: Any) -> None:
        if url.startswith("ftp://"):
            _repeat(lambda: _transfer_ftp(url, output_file, fetcher, timeout), attempts, pause, url)
        else:
            _repeat(lambda: _transfer(url, part, timeout), attempts, pause, url)
            shutil.move(part, output_file)
        _require_checksum(Path(output_file), expected, url)

    pooch.get_logger().setLevel(logging.WARNING)
    try:
        return Path(
            pooch.retrieve(
                source.location, f"sha256:{expected}", fname=name, path=folder, downloader=fetched
            )
        )
    except OSError as error:
        raise GrubioError(
            f"cannot be written: {error.strerror or error}",
            path=folder,
            hint="set GRUBIO_CACHE to a folder with space",
        ) from error
    finally:
        # A part is kept so that the next call can resume it; an empty folder is not.
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _repeat(action: Callable[[], None], attempts: int, pause: float, url: str) -> None:
    for attempt in range(attempts):
        try:
            action()
        except (_Interrupted, requests.ConnectionError, requests.Timeout, EOFError) as error:
            if attempt + 1 == attempts:
                raise GrubioError(
                    f"cannot be fetched: {error} ({attempts} attempts)",
                    path=url,
                    hint="check the network; a second call resumes where this one stopped",
                ) from error
            logger.info("%s: %s; trying again", url, error)
            time.sleep(pause * 2**attempt)
        except requests.RequestException as error:
            raise GrubioError(f"cannot be fetched: {error}", path=url) from error
        else:
            return


def _transfer(url: str, part: Path, timeout: float) -> None:
    have = part.stat().st_size if part.exists() else 0
    # Otherwise a server may compress the transfer, and ranges would mean other bytes.
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with requests.get(url, headers=headers, stream=True, timeout=timeout) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            part.unlink()
            raise _Interrupted("the earlier part did not fit")
        if answer.status_code == 429 or answer.status_code >= 500:
            raise _Interrupted(f"the server answered {answer.status_code} {answer.reason}")
        if not answer.ok:
            raise GrubioError(f"the server answered {answer.status_code} {answer.reason}", path=url)
        resumed = answer.status_code == requests.codes.partial_content
        size = answer.headers.get("Content-Length")
        wanted = None if size is None else int(size) + (have if resumed else 0)
        try:
            with open(part, "ab" if resumed else "wb") as out:
                for chunk in answer.iter_content(_CHUNK):
                    out.write(chunk)
        except requests.exceptions.ChunkedEncodingError as error:
            raise _Interrupted("the connection broke off") from error
        if wanted is not None and part.stat().st_size < wanted:
            raise _Interrupted(f"{part.stat().st_size} of {wanted} bytes arrived")


def _transfer_ftp(url: str, output_file: str, fetcher: Any, timeout: float) -> None:
    port = urlsplit(url).port or ftplib.FTP_PORT
    # pooch takes the port separately and would read "host:port" as the name of a host.
    bare = url.replace(f":{port}/", "/", 1)
    try:
        pooch.FTPDownloader(port=port, timeout=timeout)(bare, output_file, fetcher)
    except ftplib.error_perm as error:
        raise GrubioError(f"the server answered {error}", path=url) from error
    except ftplib.all_errors as error:
        raise _Interrupted(str(error)) from error


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
