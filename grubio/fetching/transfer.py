"""One file over the network: tried again, resumed, and no faster than its server wants.

A server that says ``Retry-After`` is obeyed. Each request says who asks; the pause between two
requests to one server is kept by all processes of this user together.
"""

from __future__ import annotations

import contextlib
import email.utils
import ftplib
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import pooch
import requests

from grubio import __version__
from grubio.errors import GrubioError

# A transfer that breaks off loses less than this.
_CHUNK = 1 << 14
_LONGEST_WAIT = 120.0

_EUTILS = "eutils.ncbi.nlm.nih.gov"

PAUSES: Mapping[str, float] = {
    _EUTILS: 0.34,
    "www.ncbi.nlm.nih.gov": 0.34,
    "api.ncbi.nlm.nih.gov": 0.2,
    "rest.ensembl.org": 0.07,
    "rest.uniprot.org": 0.1,
    "alphafold.ebi.ac.uk": 0.1,
    "data.rcsb.org": 0.1,
    "files.rcsb.org": 0.1,
    "www.rcsb.org": 0.1,
}
"""Seconds between two requests to a host; NCBI asks for three requests a second at most."""

AnswerT = TypeVar("AnswerT")

logger = logging.getLogger(__name__)


class Interrupted(Exception):
    """A transfer broke off; another attempt may succeed.

    Parameters
    ----------
    reason
        What happened.
    wait
        Seconds that the server asks to wait.
    """

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        self.wait = wait
        super().__init__(reason)


class Refused(GrubioError):
    """The server answered that it will not send the file.

    Parameters
    ----------
    code
        The status of HTTP.
    reason
        Its meaning.
    url
        What was asked for.
    """

    def __init__(self, code: int, reason: str, url: str) -> None:
        self.code = code
        super().__init__(f"the server answered {code} {reason}", path=url)


class Unreachable(GrubioError):
    """No attempt brought the file: the network or the server is down."""


def headers() -> dict[str, str]:
    """Return the headers of every request: who asks, and an answer byte for byte."""
    agent = f"grubio/{__version__} (python-requests)"
    # Otherwise a server may compress the transfer, and ranges would mean other bytes.
    return {"User-Agent": agent, "Accept-Encoding": "identity"}


def download(
    url: str,
    part: Path,
    *,
    attempts: int,
    timeout: float,
    pause: float,
    check: Callable[[Path], None] | None = None,
) -> str:
    """Bring a file to ``part``, which may hold its beginning, and return its last address.

    Parameters
    ----------
    url
        Address, ``http``, ``https`` or ``ftp``.
    part
        Where the content goes; kept if a transfer breaks off.
    attempts
        How often the transfer is tried; each attempt resumes the last one if the server allows it.
    timeout
        Seconds of silence after which a connection is given up.
    pause
        Seconds before the second attempt; doubled before each later one.
    check
        Raises :class:`Interrupted` if the content is not whole.

    Raises
    ------
    Refused
        If the server says that there is no such file.
    Unreachable
        If no attempt succeeds.
    """

    def attempt() -> str:
        if url.startswith("ftp://"):
            _transfer_ftp(url, part, timeout)
            return url
        address = _transfer(url, part, timeout)
        if check is not None:
            try:
                check(part)
            except Interrupted:
                part.unlink()
                raise
        return address

    return _repeated(attempt, attempts, pause, url)


def ask(url: str, *, attempts: int, timeout: float, pause: float) -> Any:
    """Return what a server answers in JSON, or None if it has no answer.

    Raises
    ------
    Unreachable
        If no attempt succeeds.
    """

    def attempt() -> Any:
        with (
            _in_turn(url),
            requests.get(
                _with_contact(url),
                headers=headers() | {"Accept": "application/json"},
                timeout=timeout,
            ) as answer,
        ):
            _require_service(answer)
            return answer.json() if answer.ok else None

    try:
        return _repeated(attempt, attempts, pause, url)
    except requests.exceptions.JSONDecodeError:
        return None


def _repeated(action: Callable[[], AnswerT], attempts: int, pause: float, url: str) -> AnswerT:
    for attempt in range(attempts):
        try:
            return action()
        except (Interrupted, requests.ConnectionError, requests.Timeout, EOFError) as error:
            if attempt + 1 == attempts:
                raise Unreachable(
                    f"cannot be fetched: {_told(error)} ({attempts} attempts)",
                    path=url,
                    hint="check the network; a second call resumes where this one stopped",
                ) from error
            logger.info("%s: %s; trying again", url, _told(error))
            time.sleep(max(pause * 2**attempt, getattr(error, "wait", 0.0)))
        except requests.exceptions.JSONDecodeError:
            raise
        except requests.RequestException as error:
            raise GrubioError(f"cannot be fetched: {_told(error)}", path=url) from error
    raise AssertionError("at least one attempt is made")


def _with_contact(url: str) -> str:
    # E-utilities want to know who asks; the key allows ten requests a second. Nobody else is told.
    mirror = os.environ.get("GRUBIO_MIRROR", "").rstrip("/")
    if not url.startswith((f"https://{_EUTILS}/", f"{mirror}/{_EUTILS}/")):
        return url
    known = (("email", "NCBI_EMAIL"), ("api_key", "NCBI_API_KEY"))
    given = {key: os.environ[name] for key, name in known if os.environ.get(name)}
    return f"{url}&{urlencode(given)}" if given else url


def _told(error: Exception) -> str:
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError) and (reason := _system_error(error)):
        return f"no connection: {reason}"
    # An error of requests may tell the whole address, and nobody else may read the key.
    key = os.environ.get("NCBI_API_KEY")
    return str(error).replace(key, "...") if key else str(error)


def _system_error(error: object) -> str:
    # requests wraps urllib3's errors, which wrap that of the system.
    while isinstance(error, Exception):
        if isinstance(error, OSError) and error.strerror:
            return error.strerror
        inner = next((one for one in error.args if isinstance(one, Exception)), None)
        error = getattr(error, "reason", None) or error.__cause__ or inner
    return ""


def _require_service(answer: requests.Response) -> None:
    if answer.status_code == 429 or answer.status_code >= 500:
        wait = min(_seconds_of(answer.headers.get("Retry-After", "")), _LONGEST_WAIT)
        raise Interrupted(f"the server answered {answer.status_code} {answer.reason}", wait)


def _seconds_of(retry_after: str) -> float:
    # Seconds, or a date.
    if retry_after.strip().isdigit():
        return float(retry_after)
    with contextlib.suppress(TypeError, ValueError):
        return max(email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time(), 0.0)
    return 0.0


def _transfer(url: str, part: Path, timeout: float) -> str:
    have = part.stat().st_size if part.exists() else 0
    asked = headers() | ({"Range": f"bytes={have}-"} if have else {})
    with (
        _in_turn(url),
        requests.get(_with_contact(url), headers=asked, stream=True, timeout=timeout) as answer,
    ):
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            part.unlink()
            raise Interrupted("the earlier part did not fit")
        _require_service(answer)
        if not answer.ok:
            raise Refused(answer.status_code, answer.reason, url)
        resumed = answer.status_code == requests.codes.partial_content
        size = answer.headers.get("Content-Length")
        wanted = None if size is None else int(size) + (have if resumed else 0)
        try:
            with open(part, "ab" if resumed else "wb") as out:
                for chunk in answer.iter_content(_CHUNK):
                    out.write(chunk)
        except requests.exceptions.ChunkedEncodingError as error:
            raise Interrupted("the connection broke off") from error
        if wanted is not None and part.stat().st_size < wanted:
            raise Interrupted(f"{part.stat().st_size} of {wanted} bytes arrived")
        return str(answer.url) if answer.history else url


def _transfer_ftp(url: str, part: Path, timeout: float) -> None:
    port = urlsplit(url).port or ftplib.FTP_PORT
    # pooch takes the port separately and would read "host:port" as the name of a host.
    bare = url.replace(f":{port}/", "/", 1)
    pooch.get_logger().setLevel(logging.WARNING)
    try:
        pooch.FTPDownloader(port=port, timeout=timeout)(bare, str(part), None)
    except ftplib.error_perm as error:
        raise GrubioError(f"the server answered {error}", path=url) from error
    except ftplib.all_errors as error:
        raise Interrupted(str(error)) from error


@contextlib.contextmanager
def _in_turn(url: str) -> Iterator[None]:
    """Wait until the host of a URL may be asked again, in whatever process it was asked last."""
    host = urlsplit(url).hostname or ""
    pause = PAUSES.get(host, 0.0)
    if host == _EUTILS and os.environ.get("NCBI_API_KEY"):
        pause = 0.1
    if pause:
        with locked_folder(cache_folder()):
            mark = cache_folder() / f".asked-{host}"
            last = mark.stat().st_mtime if mark.exists() else 0.0
            time.sleep(min(max(last + pause - time.time(), 0.0), pause))
            mark.touch()
            # The clock that dates a touched file may be some milliseconds behind.
            os.utime(mark, (time.time(), time.time()))
    yield


def cache_folder() -> Path:
    """Return the folder of downloads: ``$GRUBIO_CACHE``, or the system's cache folder."""
    return Path(os.environ.get("GRUBIO_CACHE") or pooch.os_cache("grubio"))


@contextlib.contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Keep other processes that call this out of the block; where the system knows no locks, not.

    Nothing is written into the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
