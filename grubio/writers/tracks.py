"""Tracks of a genome, bedGraph and BigWig: one file per class and strand.

Values are probabilities rounded to three decimals. Neighbours of equal value are one interval;
zeros and bases that are N have none. Coordinates are 0-based and half-open. The background has no
track: its probability is one minus the sum of the others.

Formats: https://genome.ucsc.edu/goldenPath/help/bedgraph.html (without its track line, as the
tools that read bedGraph expect it) and bigWig.html there. A BigWig file cannot be empty: a track
without intervals has one of value 0 at the first base. It lists the contigs that have intervals.
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple, TextIO

import numpy as np
import numpy.typing as npt
import pybigtools

from grubio.config.formats import FORMATS, PredictionFormat
from grubio.errors import GrubioError
from grubio.files import written_folder
from grubio.inference.called_features import CalledRegion
from grubio.inference.labelled_region import LabelledRegion, additional_columns
from grubio.sequences.locus import Strand
from grubio.writers.text import Content, file_name

STRAND_NAMES: dict[Strand, str] = {"+": "plus", "-": "minus"}

_INTERVAL = np.dtype([("contig", "<u4"), ("start", "<u4"), ("end", "<u4"), ("value", "<f4")])
_INTERVALS_READ = 1 << 16
_Interval = tuple[int, int, float]


def track_paths(
    path: str, name: PredictionFormat, content: Content
) -> dict[tuple[str, Strand], Path]:
    """Return the file of each class but the background, or column of values, and each strand.

    ``out/tracks.bw`` stands for the files ``out/tracks.<class>.plus.bw`` and so on, and
    the folder ``out/`` for ``out/<class>.plus.bw``. Characters of a class's name that do not
    suit a file name become ``_``.

    Examples
    --------
    >>> from grubio.sequences.scheme import custom_scheme
    >>> scheme = custom_scheme("s", "T.", ["tss", "none"], ".")
    >>> content = Content("genome", scheme, strands=("+",))
    >>> [str(path) for path in track_paths("a.bw", "bigwig", content).values()]
    ['a.tss.plus.bw']
    """
    place, scheme = Path(path), content.scheme
    endings = [f".{ending}" for ending in FORMATS[name].endings]
    if path.endswith("/") or place.is_dir():
        folder, stem, ending = place, "", endings[0]
    else:
        known = place.suffix.lower() in endings
        ending = place.suffix if known else endings[0]
        folder, stem = place.parent, f"{place.stem if known else place.name}."
    paths: dict[tuple[str, Strand], Path] = {}
    taken: set[str] = set()
    tracks = [
        (letter, class_name)
        for letter, class_name in zip(scheme.letters, scheme.class_names, strict=True)
        if letter != scheme.background
    ]
    tracks += [(name, name) for target in content.additional for name in target.columns]
    for key, name_of_track in tracks:
        track = file_name(name_of_track, taken)
        for strand in content.strands:
            paths[key, strand] = folder / f"{stem}{track}.{STRAND_NAMES[strand]}{ending}"
    return paths


@contextlib.contextmanager
def open_tracks(
    path: str, content: Content, name: PredictionFormat
) -> Iterator[Callable[[CalledRegion], None]]:
    """Give a function that adds a region to all tracks; see :func:`track_paths`.

    Raises
    ------
    GrubioError
        If a file cannot be written.
    """
    paths = track_paths(path, name, content)
    opener = _bedgraph_file if name == "bedgraph" else _bigwig_file
    with contextlib.ExitStack() as stack:
        place = next(iter(paths.values())).parent
        folder = stack.enter_context(written_folder(place, [file.name for file in paths.values()]))
        names = {name for target in content.additional for name in target.columns}
        tracks = [
            (
                key,
                strand,
                _Merger(_OF_VALUES if key in names else _OF_CLASSES),
                stack.enter_context(opener(folder / file.name)),
            )
            for (key, strand), file in paths.items()
        ]

        def write(item: CalledRegion) -> None:
            region = item.region
            final = region.end == region.length
            for key, strand, merger, add in tracks:
                numbers = _track(region, key, strand, merger.scale)
                add(region, merger.feed(numbers, region.start, final=final))

        yield write


open_bedgraph = partial(open_tracks, name="bedgraph")
open_bigwig = partial(open_tracks, name="bigwig")


class _Scale(NamedTuple):
    # Numbers are written as integers over `parts`; one of them is not written.
    parts: int
    unwritten: int


_OF_CLASSES = _Scale(1000, 0)
_OF_VALUES = _Scale(10_000, np.iinfo(np.int64).min)


def _track(
    region: LabelledRegion, key: str, strand: Strand, scale: _Scale
) -> npt.NDArray[np.int64]:
    if scale is _OF_VALUES:
        numbers = additional_columns(region.additional, strand)[key].astype(np.float64)
    else:
        column = region.scheme.letters.index(key)
        numbers = region.probabilities[strand][:, column].astype(np.float64)
    known = region.known & np.isfinite(numbers)
    parts = np.rint(scale.parts * np.where(known, numbers, 0)).astype(np.int64)
    return np.where(known, parts, scale.unwritten)


_Add = Callable[[LabelledRegion, list[_Interval]], None]


class _Merger:
    """Joins equal neighbours, also over the border of regions."""

    def __init__(self, scale: _Scale) -> None:
        self.scale = scale
        # Number and start of the run that is not closed yet.
        self._open = (0, 0)

    def feed(self, numbers: npt.NDArray[np.int64], start: int, *, final: bool) -> list[_Interval]:
        if start == 0:
            self._open = (int(numbers[0]), 0)
        before = np.concatenate(([self._open[0]], numbers[:-1]))
        found: list[_Interval] = []
        for change in np.flatnonzero(numbers != before).tolist():
            self._close(start + change, found)
            self._open = (int(numbers[change]), start + change)
        if final:
            self._close(start + len(numbers), found)
        return found

    def _close(self, end: int, found: list[_Interval]) -> None:
        value, start = self._open
        if value != self.scale.unwritten and end > start:
            found.append((start, end, value / self.scale.parts))


def _text(value: float) -> str:
    # Three decimals; four where they say more.
    text = f"{value:.4f}"
    return text.removesuffix("0")


@contextlib.contextmanager
def _bedgraph_file(temporary: Path) -> Iterator[_Add]:
    with open(temporary, "w", encoding="utf-8", newline="\n") as out:

        def add(region: LabelledRegion, intervals: list[_Interval], out: TextIO = out) -> None:
            out.write(
                "".join(
                    f"{region.contig}\t{start}\t{end}\t{_text(value)}\n"
                    for start, end, value in intervals
                )
            )

        yield add


@contextlib.contextmanager
def _bigwig_file(temporary: Path) -> Iterator[_Add]:
    # The header of a BigWig file needs the lengths of all contigs, so intervals wait in a file.
    with tempfile.TemporaryFile(dir=temporary.parent) as waiting:
        lengths: dict[str, int] = {}

        def add(region: LabelledRegion, intervals: list[_Interval]) -> None:
            if region.start == 0:
                lengths[region.contig] = region.length
            rows = [(len(lengths) - 1, *interval) for interval in intervals]
            waiting.write(np.array(rows, dtype=_INTERVAL).tobytes())

        yield add
        waiting.seek(0)
        _write_bigwig(temporary, lengths, waiting)


def _write_bigwig(temporary: Path, lengths: dict[str, int], waiting: BinaryIO) -> None:
    contigs = list(lengths)
    failures: list[BaseException] = []
    covered = 0

    def values() -> Iterator[tuple[str, int, int, float]]:
        nonlocal covered
        try:
            while part := waiting.read(_INTERVALS_READ * _INTERVAL.itemsize):
                for number, start, end, value in np.frombuffer(part, dtype=_INTERVAL).tolist():
                    covered += end - start
                    yield contigs[number], start, end, value
            if not covered:
                covered = 1
                yield contigs[0], 0, 1, 0.0
        except BaseException as error:
            failures.append(error)
            raise

    # The library knows the format by the ending, and does not raise if writing fails.
    named = temporary.with_name(temporary.name + ".bw")
    try:
        pybigtools.open(str(named), "w").write(lengths, values())
        if failures:
            raise failures[0]
        with pybigtools.open(str(named)) as reader:
            found = reader.info()["summary"]["basesCovered"]
        if found != covered:
            raise GrubioError(
                f"the BigWig file holds {found} bases instead of {covered}",
                path=temporary.parent,
                hint="is there space left? format bedgraph holds the same",
            )
        named.replace(temporary)
    finally:
        named.unlink(missing_ok=True)
