"""Files on disk: opened whatever their compression, written whole or not at all."""

import bz2
import contextlib
import csv
import functools
import glob
import gzip
import hashlib
import io
import lzma
import os
import re
import shutil
import stat
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from grubio.errors import GrubioError
from grubio.extras import needs
from grubio.overwriting import STDIO as STDIO
from grubio.overwriting import refuse_input

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_MOST_LINKS = 40

_being_read: list[tuple[io.BufferedReader, int]] = []

_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"\xfd7zXZ\x00": "xz",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
}
_CHUNK = 1 << 16
_REFUSED = {
    b"PK\x03\x04": (
        "is a ZIP archive, or an Excel or Word document",
        "extract the file first (grubio fetch FILE --member NAME), or save the table as text",
    ),
    b"7z\xbc\xaf": ("is a 7-Zip archive", "unpack it first: 7z x FILE"),
    b"Rar!": ("is a RAR archive", "unpack it first: unrar x FILE"),
    b"\x1f\x9d": ("is compressed by compress", "unpack it first: uncompress FILE"),
    b"\xd0\xcf\x11\xe0": ("is an old Excel or Word document", "save the table as text"),
}


@contextlib.contextmanager
def open_input(path: str | Path) -> Iterator[io.BufferedReader]:
    """Open a file, or standard input for ``-``, for reading bytes, decompressed.

    The compression (gzip, xz, bzip2, zstd, lz4) is known by the first bytes, not by the name.

    Raises
    ------
    GrubioError
        If the file is missing, unreadable, a folder, an archive, or cut off.
    """
    try:
        with _raw_input(path) as raw:
            yield _decompressed(raw, path)
    except FileNotFoundError as error:
        raise GrubioError("no such file", path=path) from error
    except IsADirectoryError as error:
        raise GrubioError("is a folder, not a file", path=path) from error
    except PermissionError as error:
        raise GrubioError("may not be read", path=path, hint="check its permissions") from error
    except (EOFError, lzma.LZMAError, zlib.error, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise GrubioError(
            f"the compressed file is cut off or damaged ({error})",
            path=path,
            hint="download or copy it again",
        ) from error


@contextlib.contextmanager
def _raw_input(path: str | Path) -> Iterator[io.BufferedReader]:
    if str(path) == STDIO:
        yield cast("io.BufferedReader", sys.stdin.buffer)
        return
    with cast("io.BufferedReader", open(path, "rb", buffering=1 << 20)) as raw:
        entry = (raw, os.fstat(raw.fileno()).st_size)
        _being_read.append(entry)
        try:
            yield raw
        finally:
            _being_read.remove(entry)


def _decompressed(raw: io.BufferedReader, path: str | Path) -> io.BufferedReader:
    try:
        head = raw.peek(6)[:6]
    except OSError as error:
        place = "standard input" if str(path) == STDIO else path
        raise GrubioError(f"cannot be read: {error.strerror}", path=place) from error
    for magic, (what, hint) in _REFUSED.items():
        if head.startswith(magic):
            raise GrubioError(what, path=path, hint=hint)
    kind = next((k for magic, k in _MAGIC.items() if head.startswith(magic)), None)
    if kind is None:
        return raw
    if kind == "gzip":
        return cast("io.BufferedReader", gzip.GzipFile(fileobj=raw))
    if kind == "bzip2":
        return io.BufferedReader(_Streams(raw, bz2.BZ2Decompressor))
    if kind == "xz":
        new_stream = functools.partial(lzma.LZMADecompressor, lzma.FORMAT_XZ)
        return io.BufferedReader(_Streams(raw, new_stream, padding=b"\0"))
    with needs("parquet", f"an input compressed by {kind}"):
        import pyarrow

    return io.BufferedReader(pyarrow.CompressedInputStream(raw, kind))


class _Streams(io.RawIOBase):
    """The streams of a compressed file, one after the other.

    ``BZ2File`` and ``LZMAFile`` take a damaged later stream for the end of the file.
    """

    def __init__(
        self,
        raw: io.BufferedReader,
        new_stream: Callable[[], bz2.BZ2Decompressor | lzma.LZMADecompressor],
        padding: bytes = b"",
    ) -> None:
        self._raw = raw
        self._new_stream = new_stream
        self._stream = new_stream()
        self._padding = padding

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        with memoryview(buffer) as view:
            data = b""
            while not data:
                rest = b""
                if self._stream.eof:
                    if not (rest := self._behind_stream()):
                        return 0
                    self._stream = self._new_stream()
                elif self._stream.needs_input and not (rest := self._raw.read(_CHUNK)):
                    raise EOFError("it ends within a stream")
                data = self._stream.decompress(rest, len(view))
            view[: len(data)] = data
            return len(data)

    def _behind_stream(self) -> bytes:
        rest = self._stream.unused_data.lstrip(self._padding)
        while not rest and (chunk := self._raw.read(_CHUNK)):
            rest = chunk.lstrip(self._padding)
        return rest


def share_read() -> float | None:
    """Return how much of the input opened first has been read, 0 to 1; None if unknown."""
    for raw, size in _being_read:
        if size:
            return raw.tell() / size
    return None


@contextlib.contextmanager
def written_whole(path: str | Path, *, streamed: bool = False) -> Iterator[Path]:
    """Give a temporary path that is renamed to ``path`` if the block succeeds.

    The folder is made if it is missing. If the block fails, nothing is left behind. A symbolic link
    is followed. What is not a regular file (a pipe, ``/dev/null``, ``/dev/stdout``) is never
    replaced: the content is copied to it at the end.

    Parameters
    ----------
    path
        File to write.
    streamed
        Whether the content is written from front to back; a pipe is then written to directly.

    Raises
    ------
    GrubioError
        If the file is an input (:mod:`grubio.overwriting`), the folder cannot be made or written,
        or the disk is full.
    """
    target = Path(path)
    refuse_input(target)
    with _disk_errors(target):
        with contextlib.suppress(FileNotFoundError):
            target.stat()  # fails if symbolic links form a loop
        descriptor = _descriptor(target)
        if target.is_dir():
            raise GrubioError("is a folder; a file name was expected", path=target)
        # Opened by its path, a file that the shell has redirected to would be emptied.
        is_file = descriptor is not None and stat.S_ISREG(os.fstat(descriptor).st_mode)
        if descriptor is not None or (target.exists() and not target.is_file()):
            if streamed and not is_file:
                yield target
            else:
                with _copied_to(target if descriptor is None else os.dup(descriptor)) as temporary:
                    yield temporary
        else:
            with _renamed(Path(os.path.realpath(target))) as temporary:
                yield temporary


@contextlib.contextmanager
def written_folder(path: str | Path, names: Iterable[str] = ()) -> Iterator[Path]:
    """Give a temporary folder whose files are moved to the folder ``path`` if the block ends well.

    If the block fails, nothing is left behind. A folder that exists keeps its other files.

    Parameters
    ----------
    path
        Folder to write.
    names
        Names of its files, as far as they are known, so that inputs among them are seen at once.

    Raises
    ------
    GrubioError
        If a file would replace an input or a folder, the folder cannot be made or written, or the
        disk is full.
    """
    target = Path(os.path.realpath(path))
    for name in names:
        refuse_input(target / name)
    with _disk_errors(Path(path)):
        if target.exists() and not target.is_dir():
            raise GrubioError("is a file; a folder was expected", path=path)
        place = target if target.is_dir() else target.parent
        place.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=_temporary_prefix(target), dir=place))
        try:
            yield temporary
            _move_files(temporary, target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _move_files(temporary: Path, target: Path) -> None:
    files = {file: target / file.name for file in sorted(temporary.iterdir())}
    for file in files.values():
        refuse_input(file)
        if file.is_dir():
            raise GrubioError("is a folder; a file of this name was to be written", path=file)
    if not target.exists():
        temporary.chmod(0o777 & ~_umask())
        temporary.rename(target)
        return
    for file, final in files.items():
        if final.is_symlink() or (final.exists() and not final.is_file()):
            with written_whole(final) as copy:
                shutil.copyfile(file, copy)
        else:
            file.replace(final)


@contextlib.contextmanager
def _renamed(target: Path) -> Iterator[Path]:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=_temporary_prefix(target), dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _copied_to(place: Path | int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        temporary = Path(folder) / "output"
        yield temporary
        with open(temporary, "rb") as whole, open(place, "wb") as out:
            shutil.copyfileobj(whole, out)


def _descriptor(path: Path) -> int | None:
    # The number N of /dev/fd/N and its other names. Links are followed one at a time, for the
    # descriptor itself is a link to its file.
    for _ in range(_MOST_LINKS):
        path = path.parent.resolve() / path.name
        if number := re.fullmatch(rf"/(?:dev|proc/{os.getpid()})/fd/(\d+)", str(path)):
            return int(number[1])
        if not path.is_symlink():
            return None
        path = path.parent / path.readlink()
    return None


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def delete_with_leftovers(path: Path) -> None:
    """Delete a file if it exists, and temporary files that killed processes left of it."""
    path.unlink(missing_ok=True)
    for leftover in path.parent.glob(f"{glob.escape(_temporary_prefix(path))}*"):
        leftover.unlink(missing_ok=True)


def _temporary_prefix(path: Path) -> str:
    # A name of the greatest length leaves no room for more; libraries take UTF-8 only.
    return f".{re.sub(r'[^ -~]', '_', path.name)[:40]}."


def write_text_whole(path: str | Path, text: str) -> None:
    """Write a text file in one step; see :func:`written_whole`."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def table_text(
    columns: Sequence[str], rows: Iterable[Sequence[object]], delimiter: str = "\t"
) -> str:
    r"""Return a table as text with a header line: None is an empty cell, and nothing is quoted.

    Examples
    --------
    >>> table_text(("id", "score"), [('a"b', 0.5), ("c", None)])
    'id\tscore\na"b\t0.5\nc\t\n'
    """
    text = io.StringIO()
    # Without quotes, white space would be taken for the end of a cell or of a line.
    cells = ([" ".join(c.split()) if isinstance(c, str) else c for c in row] for row in rows)
    writer = csv.writer(
        text, delimiter=delimiter, quoting=csv.QUOTE_NONE, quotechar=None, lineterminator="\n"
    )
    writer.writerow(columns)
    writer.writerows(cells)
    return text.getvalue()


def new_folder_for(path: str | Path) -> None:
    """Make the folder of a file that is to be written.

    Raises
    ------
    GrubioError
        If it cannot be made.
    """
    with _disk_errors(Path(path)):
        Path(path).parent.mkdir(parents=True, exist_ok=True)


def sha256_of_file(path: str | Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@contextlib.contextmanager
def _disk_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, BrokenPipeError) or error.errno is None:
            raise
        raise GrubioError(
            f"cannot be written: {os.strerror(error.errno)}",
            path=target,
            hint="choose another folder, or free some space; nothing was left behind",
        ) from error
