"""Sites are aligned before they are drawn, and noise is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from grubio.metrics.site_alignment import information
from grubio.motifs.alignment import aligned
from grubio.motifs.best_sites import AlignedSite
from grubio.motifs.matrices import consensus, frequencies
from grubio.sequences.record import Record

EVEN = np.full(4, 0.25)
FLANK, ROOM = 6, 3


def sites(motif: str, shifts: list[int], share: float, seed: int = 1) -> list[AlignedSite]:
    """Sites called ``shift`` bases before where the motif is, each base kept with a probability."""
    random = np.random.default_rng(seed)
    found = []
    for number, shift in enumerate(shifts):
        bases = random.choice(list("ACGT"), 60)
        for place, base in enumerate(motif, start=30):
            if random.random() < share:
                bases[place] = base
        text, start = "".join(bases), 30 - shift
        around = text[start - FLANK - ROOM : start + len(motif) + FLANK + ROOM]
        record = Record(f"c:{100 * number}-{100 * number + 60}(+)", "", text)
        found.append(AlignedSite(1.0, record, start, len(motif), around))
    return found


def site_bits(found: list[AlignedSite], width: int) -> float:
    matrix = frequencies([site.sequence for site in found])
    return float(information(matrix, EVEN)[FLANK : FLANK + width].sum())


def test_sites_that_lie_one_base_off_are_drawn_as_one_motif() -> None:
    motif = "TGTGATCTAGATCACA"
    called = sites(motif, [0] * 35 + [1] * 22, 0.8)
    blurred = site_bits(aligned(called, 0, EVEN), len(motif))
    found = aligned(called, ROOM, EVEN)
    assert {site.start for site in found} == {30}
    matrix = frequencies([site.sequence for site in found])
    assert consensus(matrix)[FLANK : FLANK + len(motif)].upper() == motif
    assert site_bits(found, len(motif)) > 1.5 * blurred
    assert [site.sequence in site.record.sequence for site in found] == [True] * len(found)
    assert found[-1].locus.start - called[-1].locus.start == 1


def test_every_site_keeps_its_sequence_where_it_lies() -> None:
    for site in aligned(sites("ACGTTGCA", [-3, 0, 2, 1, 3], 0.9), ROOM, EVEN):
        start = site.start - FLANK
        assert site.sequence == site.record.sequence[start : start + len(site.sequence)]


@pytest.mark.parametrize("number", [5, 60])
def test_sites_that_have_nothing_in_common_gain_little(number: int) -> None:
    called = sites("ACGTTGCA", [0] * number, 0.0)
    # Of as many random sites: 3 / (2 ln 2 sites) at each place (Schneider et al., 1986).
    expected = 8 * 3 / (2 * np.log(2) * number)
    assert site_bits(aligned(called, ROOM, EVEN), 8) < 2.5 * expected


def test_sites_that_agree_stay() -> None:
    called = sites("TATAAT", [0] * 20, 1.0)
    assert [site.start for site in aligned(called, ROOM, EVEN)] == [30] * 20
