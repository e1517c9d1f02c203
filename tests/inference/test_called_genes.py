"""Genes that are called obey their rules, and are those that were planted."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from grubio.inference.called_features import FeatureCaller
from grubio.inference.called_genes import called_genes
from grubio.inference.labelled_region import LabelledRegion
from grubio.sequences.called_feature import CalledGene
from grubio.sequences.gene_rules import GeneRules, gene_rules
from grubio.sequences.grammar import grammar_from_dict
from grubio.sequences.locus import STRANDS, Strand, reverse_complement
from grubio.sequences.scheme import custom_scheme
from grubio.sequences.translation import translated

SCHEME = custom_scheme("motifs", "C.", ("cds", "background"), background=".")
RULES = gene_rules("C", "C.")
STOPS = ("TAA", "TAG", "TGA")
CODONS = ("GCG", "CTG", "GAA", "AAA", "GAT", "CGT", "ATC", "GGC", "GTT", "CAG", "ACC", "CCG")
Gene = tuple[int, int, Strand]


def planted(genes: int = 30, seed: int = 1) -> tuple[str, list[Gene]]:
    """A contig with genes on both strands, each after a ribosome binding site."""
    generator = np.random.default_rng(seed)
    text, found = "", list[Gene]()
    for _ in range(genes):
        text += "".join(generator.choice(list("ACGT"), int(generator.integers(80, 200))))
        middle = "".join(generator.choice(CODONS, int(generator.integers(110, 200))))
        piece = f"AGGAGGATATACC{'ATG'}{middle}{generator.choice(STOPS)}"
        strand = STRANDS[int(generator.integers(2))]
        size = len(piece) - 13
        first = len(text) + 13 if strand == "+" else len(text)
        found.append((first, first + size, strand))
        text += piece if strand == "+" else reverse_complement(piece)
    return text + "".join(generator.choice(list("ACGT"), 150)), found


def regions_of(
    text: str, genes: list[Gene], size: int = 4000, certainty: float = 0.9
) -> list[LabelledRegion]:
    """Regions of a network that knows roughly where genes are, not where they end."""
    known = {strand: np.full(len(text), 1 - certainty) for strand in STRANDS}
    for first, last, strand in genes:
        known[strand][first + 20 : last - 20] = certainty
    return [
        LabelledRegion(
            "c",
            len(text),
            start,
            min(start + size, len(text)),
            text[start : start + size],
            {
                strand: np.column_stack((rows, 1 - rows))[start : start + size].astype(np.float32)
                for strand, rows in known.items()
            },
            SCHEME,
        )
        for start in range(0, len(text), size)
    ]


def genes_in(regions: list[LabelledRegion], rules: GeneRules = RULES) -> list[CalledGene]:
    called = list(called_genes(regions, rules, FeatureCaller(SCHEME, {})))
    assert [one.region.start for one in called] == [one.start for one in regions]
    return [gene for one in called for gene in one.features if isinstance(gene, CalledGene)]


def place(gene: CalledGene) -> Gene:
    return gene.locus.start, gene.locus.end, gene.locus.strand


def test_planted_genes_are_found_from_start_to_stop() -> None:
    text, genes = planted()
    found = genes_in(regions_of(text, genes))
    stops = {(end if strand == "+" else start) for start, end, strand in map(place, found)}
    wanted = {(end if strand == "+" else start) for start, end, strand in genes}
    assert len(wanted - stops) <= 1
    assert len(found) <= 1.1 * len(genes)
    assert len({*map(place, found)} & {*genes}) >= 0.85 * len(genes)


def test_every_gene_obeys_the_rules() -> None:
    text, genes = planted(seed=2)
    found = genes_in(regions_of(text, genes))
    for gene in found:
        bases = text[gene.locus.start : gene.locus.end]
        bases = bases if gene.locus.strand == "+" else reverse_complement(bases)
        codons = [bases[at : at + 3] for at in range(0, len(bases), 3)]
        assert len(bases) % 3 == 0
        assert len(bases) >= RULES.least
        assert codons[0] in RULES.start or gene.cut_before
        assert codons[-1] in RULES.stop or gene.cut_after
        assert not set(codons[:-1]) & set(RULES.stop)
        assert gene.protein == translated(bases, begun=not gene.cut_before)
    for one, other in itertools.pairwise(found):
        assert other.locus.start >= one.locus.end - RULES.overlap


def test_labels_are_those_of_the_genes_and_regions_do_not_matter() -> None:
    text, genes = planted(seed=3)
    wide = list(called_genes(regions_of(text, genes), RULES, FeatureCaller(SCHEME, {})))
    small = list(called_genes(regions_of(text, genes, 700), RULES, FeatureCaller(SCHEME, {})))
    assert [f for one in wide for f in one.features] == [f for one in small for f in one.features]
    for strand in STRANDS:
        labels = np.concatenate([one.region.classes(strand) for one in small])
        coding = np.zeros(len(text), dtype=bool)
        for one in small:
            for gene in one.features:
                if gene.locus.strand == strand:
                    coding[gene.locus.start : gene.locus.end] = True
        assert (labels == np.where(coding, 0, 1)).all()


def test_the_other_strand_has_the_mirrored_genes() -> None:
    text, genes = planted(seed=4)
    size = len(text)
    turned: list[Gene] = [(size - e, size - s, "-" if t == "+" else "+") for s, e, t in genes]
    found = sorted(map(place, genes_in(regions_of(text, genes))))
    other = genes_in(regions_of(reverse_complement(text), turned))
    mirrored = [(size - e, size - s, "-" if t == "+" else "+") for s, e, t in map(place, other)]
    assert sorted(mirrored) == found


def test_a_gene_that_the_contig_cuts_off_is_open_there() -> None:
    text, genes = planted(seed=5)
    first = next(gene for gene in genes if gene[2] == "+")
    cut = text[first[0] + 30 :]
    moved: list[Gene] = [
        (max(s - first[0] - 30, 0), e - first[0] - 30, t) for s, e, t in genes if s >= first[0]
    ]
    found = genes_in(regions_of(cut, moved))
    own = found[0]
    assert (own.locus.start, own.locus.end) == moved[0][:2]
    assert own.cut_before
    assert own.cut_left
    assert not own.cut_after


def test_a_short_contig_has_no_gene_and_does_not_fail() -> None:
    for size in (1, 2, 5, 89):
        assert not genes_in(regions_of("ACGTACGT" * 20, [], 4000)[:0] or regions_of("A" * size, []))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"genes": "X"}, "the label of genes is 'X'"),
        ({"genes": {"label": "C", "begin": ["ATG"]}}, "has no 'begin'"),
        ({"genes": {"label": "C", "start": ["AT"]}}, "is a list of codons"),
        ({"genes": {"label": "C", "start": ["TAA"]}}, "'TAA' is a start and a stop"),
        ({"genes": {"label": "C", "least": "x"}}, "is a number of bases"),
        ({"genes": "C", "least": {"C": 3}}, "takes no 'least'"),
    ],
)
def test_rules_that_are_wrong_are_told(content: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        grammar_from_dict(content, "C.")


def test_rules_are_kept_with_a_scheme() -> None:
    grammar = grammar_from_dict({"genes": {"label": "C", "stop": ["TAA", "TAG"]}}, "C.")
    assert grammar_from_dict(grammar.as_dict(), "C.") == grammar
    scheme = SCHEME.with_grammar(grammar)
    assert scheme.graph is None
    assert scheme.genes is not None
    assert scheme.genes.stop == ("TAA", "TAG")
