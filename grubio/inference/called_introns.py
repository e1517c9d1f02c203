"""Introns from called splice sites: donor before acceptor, with a least and a largest length.

On each strand of a contig the chain of introns is taken, none of which overlap, whose sites have
the highest sum of log-odds against the least probability that was called. Introns with no more than
a few thousand bases between them belong to one gene.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log

from grubio.inference.labelled_region import LabelledRegion
from grubio.sequences.called_feature import CalledFeature
from grubio.sequences.locus import Locus, reverse_complement

MOST_INTRON = 20_000
_MOST_EXON = 3_000
_CLIP = 1e-6
_WORST_SITE = 0.1


@dataclass(frozen=True, slots=True)
class CalledIntron:
    """An intron.

    Attributes
    ----------
    locus
        From the first base of its donor to the last of its acceptor.
    score
        The smaller of the probabilities of its sites.
    ends
        What its first and last two bases read on its strand, such as ``GT-AG``.
    gene
        Number of the gene on its contig, from 1.
    """

    locus: Locus
    score: float
    ends: str
    gene: int


class IntronCaller:
    """Finds the introns of contigs whose sites come region by region.

    Parameters
    ----------
    donor, acceptor
        Letters of the classes of sites.
    least
        Least bases of an intron.
    """

    def __init__(self, donor: str, acceptor: str, least: int) -> None:
        self._donor, self._acceptor, self._least = donor, acceptor, least
        self._text: list[str] = []
        self._sites: list[CalledFeature] = []

    def feed(
        self, region: LabelledRegion, sites: Sequence[CalledFeature]
    ) -> Sequence[CalledIntron]:
        """Return the introns of a contig with its last region, in order; before it, none."""
        if region.start == 0:
            self._text, self._sites = [], []
        self._text.append(region.residues)
        self._sites += [one for one in sites if one.letter in (self._donor, self._acceptor)]
        if region.end < region.length:
            return ()
        text = "".join(self._text).upper()
        found = []
        for strand in region.probabilities:
            own = [one for one in self._sites if one.locus.strand == strand]
            found += self._on_strand(own, region.length)
        found.sort(key=lambda pair: pair[0].locus.start)
        introns = _numbered(found, text)
        return sorted(introns, key=lambda one: (one.gene, one.locus.start))

    def _on_strand(
        self, sites: Sequence[CalledFeature], length: int
    ) -> list[tuple[CalledFeature, CalledFeature]]:
        # Positions are counted in the direction of the strand.
        def place(site: CalledFeature) -> tuple[int, int]:
            first, last = site.locus.start, site.locus.end
            return (first, last) if site.locus.strand == "+" else (length - last, length - first)

        ordered = sorted(sites, key=place)
        worst = min((site.score for site in ordered), default=0.5) * _WORST_SITE
        best: list[float] = []
        back: list[tuple[int, int]] = []
        for number, site in enumerate(ordered):
            # Without this site, or with an intron that it ends.
            most = best[-1] if best else 0.0
            link = (-1, number - 1)
            if site.letter == self._acceptor:
                for other in range(number - 1, -1, -1):
                    size = place(site)[1] - place(ordered[other])[0]
                    if size > MOST_INTRON:
                        break
                    if ordered[other].letter != self._donor or size < self._least:
                        continue
                    before = best[other - 1] if other else 0.0
                    total = before + _odds(site, worst) + _odds(ordered[other], worst)
                    if total > most:
                        most, link = total, (other, other - 1)
            best.append(most)
            back.append(link)
        pairs, at = [], len(ordered) - 1
        while at >= 0:
            donor, before = back[at]
            if donor >= 0:
                pairs.append((ordered[donor], ordered[at]))
            at = before
        return pairs


def _odds(site: CalledFeature, worst: float) -> float:
    score = min(max(site.score, _CLIP), 1 - _CLIP)
    worst = min(max(worst, _CLIP), 1 - _CLIP)
    return log(score / (1 - score)) - log(worst / (1 - worst))


def _numbered(
    pairs: Sequence[tuple[CalledFeature, CalledFeature]], text: str
) -> Iterator[CalledIntron]:
    last: dict[str, tuple[int, int]] = defaultdict(lambda: (0, -_MOST_EXON - 1))
    genes = 0
    for donor, acceptor in pairs:
        strand = donor.locus.strand
        first, second = (donor, acceptor) if strand == "+" else (acceptor, donor)
        locus = Locus(donor.locus.contig, first.locus.start, second.locus.end, strand)
        gene, end = last[strand]
        if locus.start - end > _MOST_EXON:
            genes += 1
            gene = genes
        last[strand] = gene, locus.end
        bases = text[locus.start : locus.end]
        bases = bases if strand == "+" else reverse_complement(bases)
        score = min(donor.score, acceptor.score)
        yield CalledIntron(locus, score, f"{bases[:2]}-{bases[-2:]}", gene)


def splice_letters(names: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the letters of donors and acceptors among classes, None if one of them is missing.

    Parameters
    ----------
    names
        Term of the Sequence Ontology of each class, by letter.
    """
    of_term = {term: letter for letter, term in names.items()}
    donor = of_term.get("five_prime_cis_splice_site")
    acceptor = of_term.get("three_prime_cis_splice_site")
    return (donor, acceptor) if donor and acceptor else None
