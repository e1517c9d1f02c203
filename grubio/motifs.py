"""What a DNA model has learned: aligned sites, logos, and in-silico mutagenesis."""

from __future__ import annotations

import heapq
import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from grubio.alphabet import DNA
from grubio.bundle import Bundle, load_bundle
from grubio.config import Device, MotifSettings
from grubio.dataset import read_header, read_records, require_splits
from grubio.errors import GrubioError
from grubio.files import write_text_whole
from grubio.inference import Predictor
from grubio.locus import Locus
from grubio.motif_formats import (
    Matrix,
    consensus,
    frequencies,
    information,
    meme_text,
    nearest,
    read_database,
)
from grubio.mutagenesis import substitution_effects
from grubio.record import Record
from grubio.report.logos import effects_figure, logo_figure
from grubio.report.svg import write_svg
from grubio.sites import called_radius, peaks, site_scores

LEAST_SITES = 5

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class AlignedSite:
    """A high-scoring site.

    Attributes
    ----------
    score
        Mean probability of the class over the site.
    record
        The record that holds it.
    start
        Offset of its first base in the record.
    sequence
        The site with its flanks, upper case.
    """

    score: float
    record: Record
    start: int
    sequence: str


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
    """Write what a model calls in one split of a genome; return the content of ``motifs.json``.

    Writes ``motifs.meme``, ``motifs.json``, ``sites.tsv``, ``ism.tsv`` and, for each class of fixed
    width, ``CLASS.logo.svg`` and ``CLASS.ism.svg`` into ``output``; with a database also
    ``matches.tsv``. A class that is called fewer than five times is left out, with a warning.

    Raises
    ------
    GrubioError
        If the model is not one of a genome, or the database cannot be read.
    """
    bundle = load_bundle(model)
    if bundle.sites is None:
        raise GrubioError("is no model of a genome", path=model)
    if not bundle.sites:
        logger.warning("the model has no classes of fixed width, hence no motifs")
    if read_header(dataset).sites is None:
        raise GrubioError("is no dataset of a genome", path=dataset)
    theirs = read_database(database) if database else {}
    records = list(read_records(dataset, split))
    require_splits(dataset, records, split)
    predictor = Predictor(bundle, device, threads)
    background = _composition(records)
    content: dict[str, Any] = {}
    matrices: dict[str, Matrix] = {}
    site_lines, effect_lines = (
        ["class\tlocus\tscore\tsequence"],
        ["class\tlocus\tplace\treference\talternative\tchange"],
    )
    match_lines = ["class\tmotif\tcorrelation\toffset\tstrand"]
    for letter, sites in best_sites(predictor, records, settings.sites, settings.flank).items():
        name = bundle.scheme.class_names[bundle.scheme.letters.index(letter)]
        width = bundle.sites[letter].width
        if len(sites) < LEAST_SITES:
            logger.warning("only %d sites of %s: no motif", len(sites), name)
            continue
        matrices[name] = matrix = frequencies([site.sequence for site in sites])
        bits = information(matrix, background)
        content[name] = {
            "sites": len(sites),
            "first_place": -settings.flank,
            "consensus": consensus(matrix),
            "site_consensus": consensus(matrix[settings.flank : settings.flank + width]),
            "information": [round(float(value), 4) for value in bits],
        }
        site_lines += [
            f"{name}\t{_locus(site, width)}\t{site.score:.4f}\t{site.sequence}" for site in sites
        ]
        figure = logo_figure(matrix, bits, -settings.flank, f"{name}: {len(sites)} sites")
        write_svg(output / f"{name}.logo.svg", figure, f"Logo of {name}")
        maps = []
        for site in _with_room(sites, width, settings.mutated_flank)[: settings.mutated_sites]:
            effects = substitution_effects(
                predictor,
                site.record.sequence,
                site.start,
                width,
                letter,
                settings.mutated_flank,
            )
            first = site.start - settings.mutated_flank
            text = site.record.sequence[first : first + len(effects)].upper()
            maps.append((_locus(site, width), text, effects))
            effect_lines += [
                f"{name}\t{_locus(site, width)}\t{place - settings.mutated_flank}\t{text[place]}"
                f"\t{base}\t{effects[place, column]:.4f}"
                for place in range(len(effects))
                for column, base in enumerate(DNA.letters)
                if base != text[place]
            ]
        if maps:
            figure = effects_figure(maps, -settings.mutated_flank, name)
            write_svg(output / f"{name}.ism.svg", figure, f"Substitutions in sites of {name}")
        if theirs:
            match = nearest(matrix, theirs)
            match_lines.append(
                f"{name}\t{match.name}\t{match.correlation:.4f}\t{match.offset}\t{match.strand}"
            )
    counts = {name: one["sites"] for name, one in content.items()}
    write_text_whole(output / "motifs.meme", meme_text(matrices, counts, background))
    write_text_whole(output / "sites.tsv", "\n".join(site_lines) + "\n")
    write_text_whole(output / "ism.tsv", "\n".join(effect_lines) + "\n")
    if theirs:
        write_text_whole(output / "matches.tsv", "\n".join(match_lines) + "\n")
    write_text_whole(output / "motifs.json", json.dumps(content, indent=2, sort_keys=True) + "\n")
    return content


def best_sites(
    predictor: Predictor, records: Iterable[Record], most: int, flank: int
) -> dict[str, list[AlignedSite]]:
    """Return the highest-scoring sites of each class of fixed width, best first.

    Sites whose flanks leave the record or hold other letters than ACGT are left out.
    """
    bundle: Bundle = predictor.bundle
    kept: dict[str, list[tuple[float, int, AlignedSite]]] = {k: [] for k in bundle.sites or {}}
    number = 0
    for answer in predictor.predict(records):
        record = answer.record
        for letter, site in (bundle.sites or {}).items():
            column = bundle.scheme.letters.index(letter)
            scores = site_scores(answer.probabilities[:, column], site.width)
            for start in peaks(scores, called_radius(site.width)).tolist():
                text = record.sequence[max(start - flank, 0) : start + site.width + flank].upper()
                if len(text) < site.width + 2 * flank or start < flank or set(text) - set("ACGT"):
                    continue
                number += 1
                entry = (
                    float(scores[start]),
                    -number,
                    AlignedSite(float(scores[start]), record, start, text),
                )
                if len(kept[letter]) < most:
                    heapq.heappush(kept[letter], entry)
                else:
                    heapq.heappushpop(kept[letter], entry)
    return {k: [e[2] for e in sorted(entries, reverse=True)] for k, entries in kept.items()}


def _with_room(sites: Sequence[AlignedSite], width: int, flank: int) -> list[AlignedSite]:
    return [
        s for s in sites if s.start >= flank and s.start + width + flank <= len(s.record.sequence)
    ]


def _locus(site: AlignedSite, width: int) -> str:
    return str(Locus.from_id(site.record.id).part(site.start, site.start + width))


def _composition(records: Sequence[Record]) -> Matrix:
    texts = [record.sequence.upper() for record in records]
    counts = np.array([sum(text.count(letter) for text in texts) for letter in DNA.letters])
    return np.asarray(counts / counts.sum())
