"""A folder that IGV opens: format ``igv`` of genome models.

``igv_session.xml`` names everything else by relative paths, so that the folder can be moved:
``genome.fa`` with its index ``genome.fa.fai``, ``features.bed`` (BED9 with the colours of the
classes) and a BigWig file per class and strand. In IGV: File, Open Session.

Session: https://igv.org/doc/desktop (Sessions). Index: http://www.htslib.org/doc/faidx.html.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO
from xml.etree import ElementTree

from grubio.files import write_text_whole, written_folder
from grubio.inference.called_features import CalledRegion
from grubio.inference.labelled_region import LabelledRegion
from grubio.sequences.locus import Strand
from grubio.sequences.scheme import LabelScheme
from grubio.writers.bed import BedFormat, decimal_colour
from grubio.writers.text import Content, tsv_line
from grubio.writers.tracks import STRAND_NAMES, open_bigwig, track_paths

SESSION = "igv_session.xml"
GENOME = "genome.fa"
FEATURES = "features.bed"
_LINE = 60
_SHOWN_AT_FIRST = 20_000

_GREY = "#8a929b"
"""Colour of the tracks of values."""


@contextlib.contextmanager
def open_session(path: str, content: Content) -> Iterator[Callable[[CalledRegion], None]]:
    """Give a function that adds regions and features; the session is written last.

    Raises
    ------
    GrubioError
        If a file cannot be written.
    """
    bed = BedFormat(content, colours=True)
    with written_folder(path, [GENOME, f"{GENOME}.fai", FEATURES, SESSION]) as folder:
        tracks = f"{folder}/"
        with contextlib.ExitStack() as stack:
            add = stack.enter_context(open_bigwig(tracks, content))
            genome = _GenomeFasta(stack.enter_context(_text_file(folder / GENOME)))
            features_out = stack.enter_context(_text_file(folder / FEATURES))

            def write(item: CalledRegion) -> None:
                add(item)
                genome.add(item.region)
                features_out.write(bed.text(item))

            yield write
        paths = track_paths(tracks, "bigwig", content)
        files = {key: path.name for key, path in paths.items()}
        write_text_whole(folder / f"{GENOME}.fai", genome.index())
        write_text_whole(folder / SESSION, _session(content.scheme, files, genome.first()))


class _GenomeFasta:
    def __init__(self, out: TextIO) -> None:
        self._out = out
        # Name, length and place of the first base of each contig.
        self._contigs: list[tuple[str, int, int]] = []
        self._written = 0
        self._rest = ""

    def add(self, region: LabelledRegion) -> None:
        if region.start == 0:
            self._put(f">{region.contig}\n")
            self._contigs.append((region.contig, region.length, self._written))
        text = self._rest + region.residues
        final = region.end == region.length
        whole = len(text) if final else len(text) - len(text) % _LINE
        self._put(
            "".join(f"{text[at : min(at + _LINE, whole)]}\n" for at in range(0, whole, _LINE))
        )
        self._rest = text[whole:]

    def index(self) -> str:
        return "".join(
            tsv_line(name, length, place, min(_LINE, length), min(_LINE, length) + 1)
            for name, length, place in self._contigs
        )

    def first(self) -> str:
        name, length, _ = self._contigs[0]
        return f"{name}:1-{min(length, _SHOWN_AT_FIRST)}"

    def _put(self, text: str) -> None:
        self._out.write(text)
        self._written += len(text)


def _session(scheme: LabelScheme, files: dict[tuple[str, Strand], str], locus: str) -> str:
    root = ElementTree.Element("Session", genome=GENOME, locus=locus, version="8")
    resources = ElementTree.SubElement(root, "Resources")
    for name in (FEATURES, *files.values()):
        ElementTree.SubElement(resources, "Resource", path=name)
    panel = ElementTree.SubElement(root, "Panel", name="Predictions of grubio")
    ElementTree.SubElement(
        panel, "Track", id=FEATURES, name="Called features", displayMode="EXPANDED"
    )
    for (letter, strand), name in files.items():
        of_class = letter in scheme.letters
        column = scheme.letters.index(letter) if of_class else 0
        title = scheme.class_names[column] if of_class else letter
        track = ElementTree.SubElement(
            panel,
            "Track",
            id=name,
            name=f"{title}, {STRAND_NAMES[strand]} strand",
            color=decimal_colour(scheme.colours[column] if of_class else _GREY),
            renderer="BAR_CHART",
            autoScale="false" if of_class else "true",
        )
        if not of_class:
            continue
        ElementTree.SubElement(
            track, "DataRange", baseline="0.0", minimum="0.0", maximum="1.0", type="LINEAR"
        )
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n{text}\n'


def _text_file(path: Path) -> TextIO:
    return open(path, "w", encoding="utf-8", newline="\n")
