"""Introns are made of called splice sites."""

from __future__ import annotations

import numpy as np

from grubio.inference.called_features import FeatureCaller
from grubio.inference.called_introns import CalledIntron, IntronCaller, splice_letters
from grubio.inference.labelled_region import LabelledRegion
from grubio.model.bundle import Site
from grubio.sequences.called_feature import CalledFeature
from grubio.sequences.locus import STRANDS, Locus, Strand, reverse_complement
from grubio.sequences.scheme import custom_scheme

SCHEME = custom_scheme("motifs", "DA.", ("donor", "acceptor", "background"), background=".")


def introns(
    text: str, sites: list[tuple[str, int, float]], strand: Strand = "+", size: int = 1000
) -> list[CalledIntron]:
    caller = IntronCaller("D", "A", least=20)
    found: list[CalledIntron] = []
    for start in range(0, len(text), size):
        end = min(start + size, len(text))
        nothing = {one: np.zeros((end - start, 3), dtype=np.float32) for one in STRANDS}
        own = [
            CalledFeature(Locus("c", at, at + 2, strand), letter, score)
            for letter, at, score in sites
            if start <= at < end
        ]
        part = text[start:end]
        region = LabelledRegion("c", len(text), start, end, part, nothing, SCHEME)
        found += caller.feed(region, own)
    return found


def test_a_donor_comes_before_its_acceptor_and_introns_do_not_overlap() -> None:
    text = "C" * 100 + "GT" + "C" * 96 + "AG" + "C" * 200 + "GC" + "C" * 60 + "AG" + "C" * 300
    sites = [
        ("A", 50, 0.9),  # nothing before it
        ("D", 100, 0.9),
        ("A", 110, 0.9),  # too near
        ("A", 198, 0.8),
        ("D", 400, 0.7),
        ("A", 462, 0.6),
        ("D", 700, 0.9),  # nothing after it
    ]
    for size in (1000, 130):
        found = introns(text, sites, size=size)
        assert [(one.locus.start, one.locus.end) for one in found] == [(100, 200), (400, 464)]
        assert [one.ends for one in found] == ["GT-AG", "GC-AG"]
        assert [one.score for one in found] == [0.8, 0.6]
        assert {one.gene for one in found} == {1}


def test_the_minus_strand_is_read_in_its_own_direction() -> None:
    text = "C" * 100 + "GT" + "C" * 96 + "AG" + "C" * 100
    found = introns(reverse_complement(text), [("A", 100, 0.9), ("D", 198, 0.9)], "-")
    assert [(one.locus.start, one.locus.end, one.ends) for one in found] == [(100, 200, "GT-AG")]
    assert not introns(text, [("A", 100, 0.9), ("D", 198, 0.9)], "+")


def test_introns_far_apart_belong_to_different_genes() -> None:
    text = "C" * 20_000
    found = introns(text, [("D", 10, 0.9), ("A", 100, 0.9), ("D", 9000, 0.9), ("A", 9100, 0.9)])
    assert [one.gene for one in found] == [1, 2]


def test_of_two_acceptors_the_likelier_one_ends_the_intron() -> None:
    found = introns("C" * 500, [("D", 10, 0.9), ("A", 100, 0.5), ("A", 103, 0.9)])
    assert [(one.locus.end, one.score) for one in found] == [(105, 0.9)]


def test_letters_are_found_by_the_terms_of_classes() -> None:
    terms = {"D": "five_prime_cis_splice_site", "A": "three_prime_cis_splice_site", "X": "exon"}
    assert splice_letters(terms) == ("D", "A")
    assert splice_letters({"X": "exon"}) is None


def test_neighbours_within_ten_bases_are_called_where_the_model_says_so() -> None:
    rows = np.zeros((100, 3), dtype=np.float32)
    for at in (40, 46):
        rows[at : at + 2, 1] = 0.9
    region = LabelledRegion("c", 100, 0, 100, "A" * 100, {"+": rows}, SCHEME)
    called = {
        apart: [
            one.locus.start
            for one in FeatureCaller(SCHEME, {"A": Site(2, 0.5, apart)}).feed(region)
            if one.letter == "A"
        ]
        for apart in (None, 2)
    }
    assert called == {None: [40], 2: [40, 46]}
