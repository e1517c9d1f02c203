"""No output replaces an input: files are compared by identity, not by the spelling of a path."""

import contextlib
import functools
import inspect
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

from grubio.errors import GrubioError

Identity = tuple[int, int, str]
"""Device and inode of what exists, and the rest of the path below it."""

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

STDIO = "-"
"""The path that means standard input or standard output."""

_kept: list[dict[Identity, str]] = []


@contextlib.contextmanager
def inputs_kept(inputs: object, outputs: object = ()) -> Iterator[None]:
    """Refuse, until the block ends, to write a file that is one of the inputs.

    Parameters
    ----------
    inputs
        Paths, in nested lists or not; a folder stands for all files in it. Anything else than the
        path of an existing file is ignored.
    outputs
        Paths known to be written, so that they are refused before anything is opened. ``-`` is
        standard input among the inputs and standard output here.

    Raises
    ------
    GrubioError
        If an output is an input, or two outputs are the same file.
    """
    read = {
        found: path
        for path in _files(inputs)
        if (found := identity(path, sys.stdin)) is not None and not found[2]
    }
    _kept.append(read)
    try:
        refuse_outputs(outputs)
        yield
    finally:
        _kept.remove(read)


def keep_apart(inputs: object, outputs: object) -> None:
    """Raise GrubioError if an output is an input, or two are the same; see :func:`inputs_kept`."""
    with inputs_kept(inputs, outputs):
        pass


def keeps_inputs(*inputs: str, outputs: Iterable[str] = ()) -> Callable[[FunctionT], FunctionT]:
    """Run a function within :func:`inputs_kept`, for the parameters of these names."""

    def decorate(function: FunctionT) -> FunctionT:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def keeping(*arguments: Any, **options: Any) -> Any:
            given = signature.bind(*arguments, **options).arguments
            with inputs_kept(
                [given.get(name) for name in inputs], [given.get(name) for name in outputs]
            ):
                return function(*arguments, **options)

        return cast("FunctionT", keeping)

    return decorate


def refuse_outputs(outputs: object) -> None:
    """Raise GrubioError if an output is an input or has no name, or two are the same file."""
    written: set[Identity | None] = set()
    for path in _paths(outputs):
        if not path:
            raise GrubioError("the name of an output is empty")
        refuse_input(path)
        found = identity(path, sys.stdout)
        if found in written:
            raise GrubioError("the same output is given twice", path=path)
        written |= {found} - {None}


def refuse_input(path: str | Path) -> None:
    """Raise GrubioError if a path to be written is a file that :func:`inputs_kept` keeps."""
    found = identity(path, sys.stdout)
    for read in _kept:
        if found in read:
            raise GrubioError(
                f"is read as the input {read[found]}, and would be overwritten",
                path=path,
                hint="give the output another name",
            )


def require_once(inputs: Iterable[str | Path]) -> None:
    """Raise GrubioError if two paths are the same file or folder, which would count twice."""
    known: set[Identity | None] = set()
    for path in inputs:
        found = identity(path)
        if found is not None and found in known:
            raise GrubioError("is given twice", path=path, hint="give each one once")
        known.add(found)


def identity(path: str | Path, stdio: Any = None) -> Identity | None:
    """Return what identifies a file; None for what is never replaced, such as a pipe.

    A path that does not exist is identified by the folder above it that does, and the rest.

    Parameters
    ----------
    path
        File or folder.
    stdio
        The stream that ``-`` means.
    """
    try:
        is_stream = stdio is not None and str(path) == STDIO
        found = os.fstat(stdio.fileno()) if is_stream else Path(path).stat()
    except FileNotFoundError:
        return _of_what_is_to_be(Path(os.path.realpath(path)))
    except (OSError, ValueError):
        return None
    regular = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
    return (found.st_dev, found.st_ino, "") if regular else None


def _of_what_is_to_be(path: Path) -> Identity | None:
    above = next(folder for folder in path.parents if folder.exists())
    rest = str(path.relative_to(above))
    # A case-insensitive disk also finds the folder by its name in the other case.
    other = above.with_name(above.name.swapcase()) if above.name else above
    if other != above and other.exists() and other.samefile(above):
        rest = rest.casefold()
    found = above.stat()
    return found.st_dev, found.st_ino, rest


def _files(paths: object) -> Iterator[str]:
    for path in _paths(paths):
        if Path(path).is_dir():
            yield from (str(inside) for inside in Path(path).rglob("*") if inside.is_file())
        else:
            yield path


def _paths(values: object) -> Iterator[str]:
    if isinstance(values, str | Path):
        yield str(values)
    elif isinstance(values, list | tuple):
        for value in values:
            yield from _paths(value)
