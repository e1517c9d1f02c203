"""One training at a time in a folder, also of machines that share its file system."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from grubio.errors import GrubioError
from grubio.files import new_folder_for
from grubio.runs.files import LOCK_FILE

logger = logging.getLogger(__name__)

_HELD = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES}


@contextlib.contextmanager
def only_training_in(folder: Path) -> Iterator[None]:
    """Refuse other trainings in a folder until the block ends.

    The system forgets the lock with its process, however that ends; the file alone locks nothing.

    Raises
    ------
    GrubioError
        If a training is at work in the folder, or it cannot be written.
    """
    path = folder / LOCK_FILE
    new_folder_for(path)
    descriptor = _locked(path)
    try:
        # Who holds it is for people; the lock works on a full disk too.
        with contextlib.suppress(OSError):
            os.truncate(descriptor, 0)
            os.write(descriptor, f"process {os.getpid()} of {socket.gethostname()}\n".encode())
        yield
    finally:
        if _is_at(descriptor, path):
            path.unlink()
        os.close(descriptor)


def _locked(path: Path) -> int:
    while True:
        try:
            # A shared file system locks what is open for writing alone.
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise GrubioError(f"cannot be written: {error.strerror}", path=path) from error
        try:
            _lock(descriptor, path)
        except BaseException:
            os.close(descriptor)
            raise
        # The training before may have deleted the file between the two steps.
        if _is_at(descriptor, path):
            return descriptor
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    return path.exists() and os.path.samestat(path.stat(), os.fstat(descriptor))


def _lock(descriptor: int, path: Path) -> None:
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD:
            raise _at_work(path) from None
        logger.warning(
            "warning: %s is on a file system without locks: start no second training there",
            path.parent,
        )


def _at_work(path: Path) -> GrubioError:
    holder = ""
    with contextlib.suppress(OSError):
        holder = path.read_text(encoding="utf-8", errors="replace").strip()
    return GrubioError(
        f"another training is at work in this folder: {holder or 'of an unknown process'}",
        path=path.parent,
        hint="wait for its end, or give another --output; if its machine has failed and keeps the "
        f"lock, delete {path}",
    )
