"""Motifs of a model that is known to look for TATAAT."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from Bio import motifs as bio_motifs

from grubio.config import MotifSettings
from grubio.errors import GrubioError
from grubio.inference.predictor import Prediction
from grubio.metrics.site_alignment import information
from grubio.model.architecture import Architecture
from grubio.model.bundle import Bundle, Site
from grubio.motifs.best_sites import best_sites
from grubio.motifs.describe import ENOUGH_CALLED, motif_of, shown_sites
from grubio.motifs.logos import effects_figure, logo_figure
from grubio.motifs.matrices import (
    consensus,
    frequencies,
    informative_part,
    meme_text,
    nearest,
)
from grubio.motifs.mutagenesis import substitution_effects
from grubio.readers.motifs import read_database
from grubio.sequences.alphabet import DNA
from grubio.sequences.locus import reverse_complement
from grubio.sequences.record import Record
from grubio.sequences.scheme import custom_scheme
from grubio.sequences.target import Target
from grubio.view.svg import write_svg

SCHEME = custom_scheme("motifs", "M.", ("minus10", "background"), background=".")
UNIFORM = np.full(4, 0.25)


class LooksForTataat:
    """Says of each base how well the best TATAAT over it fits."""

    bundle = Bundle(
        (Architecture("gru", 1, 1, 0.0),),
        (Target("labels", "classes", SCHEME),),
        {},
        DNA,
        sites={"M": Site(6, 0.5)},
    )

    def predict(self, records: Iterable[Record]) -> Iterator[Prediction]:
        for record in records:
            text = record.sequence.upper()
            p = np.full(len(text), 0.01)
            for start in range(len(text) - 5):
                right = sum(a == b for a, b in zip(text[start : start + 6], "TATAAT", strict=True))
                p[start : start + 6] = np.maximum(p[start : start + 6], 0.95 * (right / 6) ** 3)
            yield Prediction(record, np.stack((p, 1 - p), 1).astype(np.float32), SCHEME)


def block(seed: int, planted: tuple[int, ...]) -> Record:
    letters = list(np.random.default_rng(seed).choice(list("ACGT"), 600))
    for at in planted:
        letters[at : at + 6] = "TATAAT"
    return Record(f"chr:{600 * seed}-{600 * seed + 600}(+)", "", "".join(letters))


def test_the_best_sites_read_what_the_model_looks_for() -> None:
    records = [block(n, (100, 300, 500)) for n in range(3)]
    sites = best_sites(LooksForTataat(), records, 9, 4)["M"]  # type: ignore[arg-type]
    assert {(s.record.id, s.start) for s in sites} >= {(r.id, a) for r in records for a in (100,)}
    matrix = frequencies([site.sequence for site in sites])
    assert consensus(matrix[4:10]) == "TATAAT"
    assert information(matrix, UNIFORM)[4:10] == pytest.approx(2.0)


def test_sites_without_room_or_with_n_are_left_out() -> None:
    at_the_end = Record("chr:0-20(+)", "", "TATAAT" + "G" * 14)
    with_n = Record("chr:0-30(+)", "", "GGNGGGTATAATGGGGGGGGGGGGGGGGGG")
    sites = best_sites(LooksForTataat(), [at_the_end, with_n], 50, 4)["M"]  # type: ignore[arg-type]
    assert all("N" not in site.sequence and site.start >= 4 for site in sites)
    assert all(len(site.sequence) == 14 for site in sites)


def test_mutations_hurt_in_the_motif_and_nowhere_else() -> None:
    sequence = "GC" * 100 + "TATAAT" + "GC" * 100
    effects = substitution_effects(LooksForTataat(), sequence, 200, 6, "M", 10)  # type: ignore[arg-type]
    assert effects.shape == (26, 4)
    inside = effects[10:16]
    for row, letter in zip(inside, "TATAAT", strict=True):
        assert row[DNA.letters.index(letter)] == 0
        assert sorted(row)[2] < -1
    assert np.abs(np.delete(effects, range(10, 16), axis=0)).max() == 0


def test_meme_is_read_by_biopython() -> None:
    matrix = frequencies(["TATAAT", "TATACT", "TAGAAT"])
    text = meme_text({"minus10": matrix}, {"minus10": 3}, UNIFORM)
    (motif,) = bio_motifs.parse(io.StringIO(text), "minimal")
    read = np.array([motif.counts[letter] for letter in "ACGT"]).T
    assert motif.name == "minus10"
    assert read / read.sum(axis=1, keepdims=True) == pytest.approx(matrix, abs=0.01)


def test_the_nearest_motif_is_found_on_either_strand(tmp_path: Path) -> None:
    ours = frequencies(["GGTATAATGG", "CCTATAATCC", "ACTATAATGT"])
    turned = {
        "pribnow": frequencies([reverse_complement("TATAAT")]),
        "other": frequencies(["GGGCGGGG"]),
    }
    path = tmp_path / "database.meme"
    path.write_text(meme_text(turned, dict.fromkeys(turned, 20), UNIFORM))
    match = nearest(ours, read_database(path))
    assert (match.name, match.strand, match.offset) == ("pribnow", "-", 2)
    assert match.correlation > 0.95
    path.write_text("nothing of the kind\n")
    with pytest.raises(GrubioError, match="motifs"):
        read_database(path)


def test_figures_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    matrix = frequencies(["TATAAT", "TATACT", "TAGAAT"])
    effects = np.zeros((6, 4)) - 1.0
    for turn in "ab":
        figure = logo_figure(matrix, information(matrix, UNIFORM), 0, 6, "minus10")
        write_svg(tmp_path / f"{turn}.logo.svg", figure, "logo")
        figure = effects_figure([("chr:0-6(+)", "TATAAT", effects)], 0, 6, "minus10")
        write_svg(tmp_path / f"{turn}.ism.svg", figure, "map")
    for kind in ("logo", "ism"):
        one = (tmp_path / f"a.{kind}.svg").read_bytes()
        assert one == (tmp_path / f"b.{kind}.svg").read_bytes()
        assert len(one) > 2000


def test_a_logo_holds_its_letters_whatever_the_background() -> None:
    matrix = frequencies(["TATAAT"] * 6)
    bits = information(matrix, np.array([0.125, 0.375, 0.375, 0.125]))
    assert bits == pytest.approx(3.0)
    (axes,) = logo_figure(matrix, bits, 0, 6, "in a GC-rich genome").axes
    assert axes.get_ylim()[1] > 3.0
    none_in_background = np.array([0.5, 0.5, 0.0, 0.0])
    assert information(frequencies(["AC"] * 5), none_in_background) == pytest.approx(1.0)


def test_the_core_holds_the_site_and_what_is_informative_beside_it() -> None:
    generator = np.random.default_rng(1)
    texts = ["".join(generator.choice(list("ACGT"), 26)) for _ in range(400)]
    texts = [f"{text[:8]}GG{text[10:12]}TATAAT{text[18:]}" for text in texts]
    bits = information(frequencies(texts), UNIFORM)
    assert informative_part(bits, 400, 12, 18, 10) == (8, 18)
    assert informative_part(bits, 400, 12, 18, 3) == (9, 18)
    assert informative_part(bits, 400, 12, 18, 0) == (12, 18)
    # Five random sites show half a bit at every place.
    assert informative_part(np.full(26, 0.5), 5, 12, 18, 10) == (12, 18)


def test_a_motif_leaves_the_noise_of_its_flanks_out() -> None:
    records = [block(n, tuple(range(50, 550, 50))) for n in range(12)]
    settings = MotifSettings(flank=20)
    sites = best_sites(LooksForTataat(), records, 120, settings.flank)["M"]  # type: ignore[arg-type]
    motif = motif_of("minus10", "M", sites, UNIFORM, settings)
    assert motif.core == (20, 26)
    assert consensus(motif.matrix[slice(*motif.core)]) == "TATAAT"


def test_few_sites_in_meme_and_one_name_twice_in_jaspar(tmp_path: Path) -> None:
    path = tmp_path / "few.meme"
    uneven = frequencies(["AC", "CC", "GC", "TC"])
    path.write_text(meme_text({"few": uneven}, {"few": 1}, UNIFORM))
    assert read_database(path)["few"] == pytest.approx(uneven)
    rows = "A [ 4 0 ]\nC [ 0 4 ]\nG [ 0 0 ]\nT [ 0 0 ]\n"
    path.write_text(f">MA0001.1 SPI1\n{rows}>MA0001.2 SPI1\n{rows}>MA0009.1 TBXT\n{rows}")
    assert list(read_database(path)) == ["SPI1 (MA0001.1)", "SPI1 (MA0001.2)", "TBXT"]
    path.write_text(">MA0001.1 SPI1\nA [ 0 0 ]\nC [ 0 4 ]\nG [ 0 0 ]\nT [ 0 0 ]\n")
    with pytest.raises(GrubioError, match="'SPI1' has a place without any base"):
        read_database(path)


def test_a_logo_shows_what_is_called_or_the_best_few() -> None:
    records = [block(n, tuple(range(50, 550, 50))) for n in range(5)]
    sites = best_sites(LooksForTataat(), records, 200, 10)["M"]  # type: ignore[arg-type]
    called = shown_sites(sites, 0.9)
    assert len(called) >= 50
    assert {site.sequence[10:16] for site in called} == {"TATAAT"}
    assert shown_sites(sites, 0.99) == sites[:ENOUGH_CALLED]
