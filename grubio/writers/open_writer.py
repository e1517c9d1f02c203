"""The one place that opens the writers of predictions, one file per format."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO, TypeAlias

from grubio.config.formats import FORMATS, PredictionFormat, unfit
from grubio.errors import GrubioError
from grubio.files import STDIO, written_folder, written_whole
from grubio.writers.text import Content, TextFormat, file_name

Write: TypeAlias = Callable[[Any], object]
"""Takes the items of the content's kind in order; see :class:`grubio.writers.text.Content`."""


@contextlib.contextmanager
def open_writer(path: str, name: PredictionFormat, content: Content) -> Iterator[Write]:
    """Give a function that writes labelled sequences, or regions of a genome, in order.

    ``-`` is standard output; a folder (or a name that ends in ``/``) gets one file per sequence,
    or per class and strand of a genome; any other path becomes a file once the block has ended
    well. The module of the format is imported here, and no other.

    Raises
    ------
    GrubioError
        If the place cannot be written, or the format cannot hold the content.
    """
    _require_suitable(path, name, content)
    module, _, attribute = FORMATS[name].writer(content.kind).partition(".")
    writer = getattr(import_module(f"grubio.writers.{module}"), attribute)
    if not (isinstance(writer, type) and issubclass(writer, TextFormat)):
        with writer(path, content) as write:
            yield write
    elif path != STDIO and _is_folder(path):
        ending = f".{FORMATS[name].endings[0]}"
        with written_folder(path) as folder:
            yield _file_per_sequence(folder, ending, lambda: writer(content))
    elif path == STDIO:
        with _written_to(sys.stdout, writer(content)) as write:
            yield write
        sys.stdout.flush()
    else:
        with (
            written_whole(path, streamed=True) as temporary,
            _text_file(temporary) as out,
            _written_to(out, writer(content)) as write,
        ):
            yield write


def _require_suitable(path: str, name: PredictionFormat, content: Content) -> None:
    known, genome = FORMATS[name], content.kind == "genome"
    folder = path != STDIO and _is_folder(path)
    schemes = [content.scheme, *content.schemes]
    if problem := unfit(name, content.kind, schemes, content.has_regions):
        raise GrubioError(problem[0], path=path, hint=problem[1])
    if not known.text and (path == STDIO or (folder and not known.folder)):
        raise GrubioError(
            f"format {name} needs a file name", hint=f"use --output FILE.{known.endings[0]}"
        )
    if known.folder and Path(path).exists() and not (folder or Path(path).is_file()):
        raise GrubioError(
            f"is not a file or folder; format {name} makes several files",
            path=path,
            hint="give the name of a file or a folder",
        )
    if folder and genome and not known.folder:
        folders = ", ".join(other for other, one in FORMATS.items() if one.folder)
        raise GrubioError(
            f"is a folder; format {name} puts all contigs into one file",
            path=path,
            hint=f"give a file name; these make folders: {folders}",
        )


def _is_folder(path: str) -> bool:
    return path.endswith("/") or Path(path).is_dir()


def _text_file(path: Path) -> TextIO:
    return open(path, "w", encoding="utf-8", newline="\n")


@contextlib.contextmanager
def _written_to(out: TextIO, style: TextFormat[Any]) -> Iterator[Write]:
    out.write(style.header())
    yield lambda item: out.write(style.text(item))
    out.write(style.footer())


def _file_per_sequence(folder: Path, ending: str, style: Callable[[], TextFormat[Any]]) -> Write:
    taken: set[str] = set()

    def write(sequence: Any) -> None:
        path = folder / f"{file_name(sequence.id, taken)}{ending}"
        with _text_file(path) as out, _written_to(out, style()) as write_to:
            write_to(sequence)

    return write
