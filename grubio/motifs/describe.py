"""What a DNA model has learned: aligned sites, logos, and in-silico mutagenesis."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from grubio.config import Device, MotifSettings
from grubio.datasets.parquet import read_header, read_records, require_splits
from grubio.errors import GrubioError
from grubio.files import table_text, write_text_whole
from grubio.inference.predictor import Predictor
from grubio.metrics.site_alignment import information
from grubio.metrics.sites import HEADLINE_TOLERANCE
from grubio.model.bundle import load_bundle
from grubio.motifs.alignment import aligned
from grubio.motifs.best_sites import AlignedSite, best_sites
from grubio.motifs.logos import effects_figure, logo_figure
from grubio.motifs.matrices import (
    Match,
    consensus,
    frequencies,
    informative_part,
    meme_text,
    nearest,
)
from grubio.motifs.mutagenesis import substitution_effects
from grubio.overwriting import keeps_inputs
from grubio.readers.motifs import Matrix, read_database
from grubio.runs.files import MOTIFS_FILE
from grubio.sequences.alphabet import DNA
from grubio.sequences.record import Record
from grubio.view.svg import write_svg

LEAST_SITES = 5
"""Minimum number of sites for a motif."""

ENOUGH_CALLED = 20
"""A class with fewer called sites shows this many of its best ones."""

LEAST_COMPARED = 4
"""Minimum length of a motif that is compared with a database; shorter ones match anything."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Motif:
    """What a model has learned about one class.

    Attributes
    ----------
    name, letter, width
        The class, and the length of its site in bases.
    sites
        Aligned sites, best first.
    matrix, bits
        Frequencies ``(place, base)`` and information ``(place,)`` of the sites with their flanks.
    flank
        Row of the first base of the site in ``matrix``.
    core
        The site and the informative places around it: first row, and one past the last.
    match
        Most similar motif of the database; its offset is from the first base of the site.
    """

    name: str
    letter: str
    width: int
    sites: Sequence[AlignedSite]
    matrix: Matrix
    bits: Matrix
    flank: int
    core: tuple[int, int]
    match: Match | None


@dataclass(frozen=True)
class EffectMap:
    """Effects of substitutions around one site, ``(place, base)``, and its reference bases."""

    site: AlignedSite
    text: str
    effects: Matrix


@keeps_inputs("model", "dataset", "database")
def describe_motifs(
    model: Path,
    dataset: Path,
    output: Path,
    settings: MotifSettings,
    *,
    split: str = "test",
    database: Path | None = None,
    device: Device = "auto",
    threads: int | None = None,
) -> dict[str, Any]:
    """Describe the sites that a genome model calls in one split; return ``motifs.json``.

    Writes ``motifs.meme``, ``motifs.json``, ``sites.tsv``, ``ism.tsv`` and, for each class of fixed
    width, ``CLASS.logo.svg`` and ``CLASS.ism.svg`` into ``output``; with a database also
    ``matches.tsv``. A class with fewer than five candidate sites is left out, with a warning.

    Raises
    ------
    GrubioError
        If the model or the dataset is not of a genome, or the database cannot be read.
    """
    bundle = load_bundle(model)
    if bundle.kind != "genome":
        raise GrubioError("is not a genome model", path=model)
    thresholds = {letter: site.threshold for letter, site in (bundle.sites or {}).items()}
    if not thresholds:
        logger.warning("the model has no classes of fixed width, hence no motifs")
    if read_header(dataset).kind != "genome":
        raise GrubioError("is not a genome dataset", path=dataset)
    theirs = read_database(database) if database else {}
    records = list(read_records(dataset, split))
    require_splits(dataset, records, split)
    predictor = Predictor(bundle, device, threads)
    background = _composition(records)
    motifs, maps = [], {}
    room = settings.flank + HEADLINE_TOLERANCE
    for letter, sites in best_sites(predictor, records, settings.sites, room).items():
        name = bundle.scheme.class_names[bundle.scheme.letters.index(letter)]
        if len(sites) < LEAST_SITES:
            logger.warning("only %d sites of %s: no motif", len(sites), name)
            continue
        shown = shown_sites(sites, thresholds[letter])
        shown = aligned(shown, HEADLINE_TOLERANCE, background)
        motif = motif_of(name, letter, shown, background, settings)
        if theirs:
            motif = _compared(motif, theirs)
        motifs.append(motif)
        maps[name] = effect_maps(predictor, motif, settings)
    content = {motif.name: _summary(motif, split, thresholds[motif.letter]) for motif in motifs}
    for motif in motifs:
        _draw(motif, maps[motif.name], output, settings.mutated_flank)
    matrices = {motif.name: motif.matrix[slice(*motif.core)] for motif in motifs}
    counts = {motif.name: len(motif.sites) for motif in motifs}
    write_text_whole(output / "motifs.meme", meme_text(matrices, counts, background))
    effects = _effect_lines(maps, settings.mutated_flank)
    write_text_whole(output / "sites.tsv", table_text(_SITE_COLUMNS, _site_lines(motifs)))
    write_text_whole(output / "ism.tsv", table_text(_EFFECT_COLUMNS, effects))
    if theirs:
        write_text_whole(output / "matches.tsv", table_text(_MATCH_COLUMNS, _match_lines(motifs)))
    write_text_whole(output / MOTIFS_FILE, json.dumps(content, indent=2, sort_keys=True) + "\n")
    return content


def shown_sites(sites: Sequence[AlignedSite], threshold: float) -> Sequence[AlignedSite]:
    """Return the sites that reach the threshold, or the best 20 if fewer do."""
    called = sum(site.score >= threshold for site in sites)
    return sites[: max(called, ENOUGH_CALLED)]


def motif_of(
    name: str,
    letter: str,
    sites: Sequence[AlignedSite],
    background: Matrix,
    settings: MotifSettings,
) -> Motif:
    """Return the motif of the aligned sites of one class."""
    matrix = frequencies([site.sequence for site in sites])
    bits = information(matrix, background)
    width, first = sites[0].width, settings.flank
    core = informative_part(bits, len(sites), first, first + width, settings.meme_flank)
    return Motif(name, letter, width, sites, matrix, bits, first, core, None)


def effect_maps(predictor: Predictor, motif: Motif, settings: MotifSettings) -> list[EffectMap]:
    """Return the effects of substitutions in the best sites whose flanks lie in their record."""
    flank = settings.mutated_flank
    maps = []
    for site in [one for one in motif.sites if one.has_room(flank)][: settings.mutated_sites]:
        effects = substitution_effects(
            predictor, site.record.sequence, site.start, site.width, motif.letter, flank
        )
        first = site.start - flank
        text = site.record.sequence[first : first + len(effects)].upper()
        maps.append(EffectMap(site, text, effects))
    return maps


def _compared(motif: Motif, database: dict[str, Matrix]) -> Motif:
    first, last = motif.core
    if last - first < LEAST_COMPARED:
        logger.warning("%s has %d informative bases, too few to compare", motif.name, last - first)
        return motif
    found = nearest(motif.matrix[first:last], database)
    return replace(motif, match=replace(found, offset=found.offset + first - motif.flank))


def _summary(motif: Motif, split: str, threshold: float) -> dict[str, Any]:
    first, last = motif.core
    site = slice(motif.flank, motif.flank + motif.width)
    summary: dict[str, Any] = {
        "sites": len(motif.sites),
        "called": sum(site.score >= threshold for site in motif.sites),
        "split": split,
        "width": motif.width,
        "first_place": -motif.flank,
        "consensus": consensus(motif.matrix),
        "site_consensus": consensus(motif.matrix[site]),
        "core_first_place": first - motif.flank,
        "core_consensus": consensus(motif.matrix[first:last]),
        "information": [round(float(value), 4) for value in motif.bits],
        "site_bits": round(float(motif.bits[site].sum()), 3),
        "core_bits": round(float(motif.bits[first:last].sum()), 3),
        "lowest_score": round(motif.sites[-1].score, 4),
    }
    if motif.match is not None:
        summary["match"] = asdict(motif.match)
    return summary


def _draw(motif: Motif, maps: Sequence[EffectMap], output: Path, flank: int) -> None:
    title = f"{motif.name}: {len(motif.sites)} sites"
    figure = logo_figure(motif.matrix, motif.bits, -motif.flank, motif.width, title)
    write_svg(output / f"{motif.name}.logo.svg", figure, f"Logo of {motif.name}")
    if maps:
        shown = [(str(one.site.locus), one.text, one.effects) for one in maps]
        figure = effects_figure(shown, -flank, motif.width, motif.name)
        title = f"Substitutions in sites of {motif.name}"
        write_svg(output / f"{motif.name}.ism.svg", figure, title)


_SITE_COLUMNS = ("class", "locus", "score", "sequence")
_EFFECT_COLUMNS = ("class", "locus", "place", "reference", "alternative", "change")
_MATCH_COLUMNS = ("class", "motif", "correlation", "offset", "strand")


def _site_lines(motifs: Iterable[Motif]) -> Iterable[tuple[object, ...]]:
    for motif in motifs:
        for site in motif.sites:
            yield motif.name, site.locus, f"{site.score:.4f}", site.sequence


def _effect_lines(maps: dict[str, list[EffectMap]], flank: int) -> Iterable[tuple[object, ...]]:
    for name, of_class in maps.items():
        for one in of_class:
            for place, (reference, row) in enumerate(zip(one.text, one.effects, strict=True)):
                for base, change in zip(DNA.letters, row, strict=True):
                    if base != reference:
                        cells = (place - flank, reference, base, f"{change:.4f}")
                        yield name, one.site.locus, *cells


def _match_lines(motifs: Iterable[Motif]) -> Iterable[tuple[object, ...]]:
    for motif in motifs:
        if found := motif.match:
            yield motif.name, found.name, f"{found.correlation:.4f}", found.offset, found.strand


def _composition(records: Sequence[Record]) -> Matrix:
    texts = [record.sequence.upper() for record in records]
    counts = np.array([sum(text.count(letter) for text in texts) for letter in DNA.letters])
    # A pseudocount: a base with frequency 0 has no logarithm, and MEME refuses it.
    return np.asarray((counts + 1) / (counts.sum() + len(DNA.letters)))
