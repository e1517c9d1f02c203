"""Called genes: whole reading frames of a genome without introns, from the probabilities of bases.

A gene is a start codon, codons of which none is a stop, and a stop codon
(:mod:`grubio.sequences.gene_rules`); at the end of a contig it may be cut off. The score of a gene
is a sum of log-odds:

* of its codons, counted on the genes of the genome itself, as pairs of neighbouring codons in frame
  against all words of six bases (Hyatt et al., BMC Bioinformatics 11:119, 2010, Prodigal);
* of its length: how rarely chance leaves so many codons without a stop;
* of its start: the codon, the ribosome binding site before it, and the bases upstream;
* of its bases in the network, whose neighbours tell the same thing, so that their sum is scaled
  down and bounded.

Of all sets of genes in which neighbours overlap by no more than the rules allow, that with the
highest sum is called (dynamic programming over the ends of genes). Codons and starts are counted on
the called genes of the first ten million bases, and calling and counting alternate; the first round
goes by the network and the length. Later contigs are called with what was counted. The weights were
chosen on validation blocks of *E. coli*.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from grubio.inference.called_features import CalledRegion, FeatureCaller
from grubio.inference.labelled_region import LabelledRegion
from grubio.inference.reading_frames import (
    BASE_CODES,
    SITE_CLASSES,
    UNKNOWN_BASE,
    UPSTREAM,
    WORD,
    WORDS,
    Floats,
    Ints,
    Reading,
    reading_frames,
)
from grubio.sequences.called_feature import CalledGene
from grubio.sequences.gene_rules import GeneRules
from grubio.sequences.locus import STRANDS, Locus, Strand, reverse_complement
from grubio.sequences.translation import translated

_COUNTED_BASES = 10_000_000
_ROUNDS = 4
_COUNTED_GENE = 300
"""Bases of the shortest genes that are counted on."""
_FEW = 2_000
"""Codons to which counts are added as if the genome had them like its background."""
_FIRST_COST = 50.0
_FIRST_OF_A_CODON = 5.0
_LOG_ODDS_LIMIT = 3.0
_NETWORK_WEIGHT, _NETWORK_LIMIT = 0.05, 10.0
_START_WEIGHT = 2.0
_CHANCE_CODONS, _MOST_CODONS = 80.0, 1000.0
_LONG = 3.0


def called_genes(
    regions: Iterable[LabelledRegion], rules: GeneRules, caller: FeatureCaller
) -> Iterator[CalledRegion]:
    """Yield the regions of contigs, in order, with labels that obey the rules, and their features.

    Contigs are held until they are complete, the first ten million bases together.

    Parameters
    ----------
    regions
        All regions of each contig.
    rules
        What genes look like.
    caller
        Calls the features of other classes; it also leaves out what scores too little.
    """
    finder: GeneFinder | None = None
    waiting: list[_Contig] = []
    parts: list[LabelledRegion] = []
    for region in regions:
        parts.append(region)
        if region.end < region.length:
            continue
        waiting.append(_Contig(parts, rules))
        parts = []
        if finder is None and sum(len(one) for one in waiting) < _COUNTED_BASES:
            continue
        finder = finder or GeneFinder(rules, waiting)
        while waiting:
            yield from _labelled(waiting.pop(0), finder, caller)
    if waiting:
        finder = GeneFinder(rules, waiting)
        while waiting:
            yield from _labelled(waiting.pop(0), finder, caller)


def _labelled(contig: _Contig, finder: GeneFinder, caller: FeatureCaller) -> Iterator[CalledRegion]:
    scheme = contig.regions[0].scheme
    label = scheme.letters.index(finder.rules.label)
    genes = [gene for gene in finder.genes(contig) if caller.takes(gene)]
    coding = {strand: np.zeros(len(contig), dtype=bool) for strand in contig.readings}
    for gene in genes:
        coding[gene.locus.strand][gene.locus.start : gene.locus.end] = True
    waiting = deque(genes)
    for region in contig.regions:
        labels = {}
        for strand, rows in region.probabilities.items():
            others = rows.copy()
            others[:, label] = -1
            inside = coding[strand][region.start : region.end]
            labels[strand] = np.where(inside, label, others.argmax(axis=1)).astype(np.uint8)
        done = replace(region, labels=labels)
        found = [one for one in caller.feed(done) if one.letter != finder.rules.label]
        while waiting and waiting[0].locus.start < region.end:
            found.append(waiting.popleft())
        yield CalledRegion(done, sorted(found, key=lambda one: (one.locus.start, one.locus.end)))


class _Contig:
    """A contig, its regions, and its reading frames on each strand that was labelled."""

    def __init__(self, regions: Sequence[LabelledRegion], rules: GeneRules) -> None:
        self.regions = list(regions)
        self.id = regions[0].contig
        self.text = "".join(region.residues for region in regions).upper()
        label = regions[0].scheme.letters.index(rules.label)
        self.probabilities: dict[Strand, npt.NDArray[np.float32]] = {
            strand: np.concatenate([one.probabilities[strand][:, label] for one in regions])
            for strand in STRANDS
            if strand in regions[0].probabilities
        }
        texts = {"+": self.text, "-": reverse_complement(self.text)}
        self.texts = {strand: texts[strand] for strand in self.probabilities}
        self.readings = {strand: self._reading(strand, rules) for strand in self.probabilities}

    def __len__(self) -> int:
        return len(self.text)

    def on_plus(self, strand: Strand, first: int, last: int) -> tuple[int, int]:
        """Return where a part of a strand begins and ends on the plus strand."""
        return (first, last) if strand == "+" else (len(self) - last, len(self) - first)

    def _reading(self, strand: Strand, rules: GeneRules) -> Reading:
        along = slice(None) if strand == "+" else slice(None, None, -1)
        found = np.clip(self.probabilities[strand][along].astype(np.float64), 1e-6, 1 - 1e-6)
        bounded = np.clip(np.log(found / (1 - found)), -_LOG_ODDS_LIMIT, _LOG_ODDS_LIMIT)
        return reading_frames(
            self.texts[strand], np.concatenate(([0.0], np.cumsum(bounded))), rules
        )


@dataclass(frozen=True, eq=False)
class _Counts:
    """Log-odds counted on called genes: words in frame, start codons, binding sites, upstream."""

    words: Floats
    kinds: Floats
    binding: Floats
    upstream: Floats


_Chosen = list[dict[Strand, Ints]]
"""For each contig and strand the candidates that are called, by their index."""


class GeneFinder:
    """Calls the genes of contigs with what it has counted on some of them.

    Parameters
    ----------
    rules
        What genes look like.
    contigs
        What is counted on.
    """

    def __init__(self, rules: GeneRules, contigs: Sequence[_Contig]) -> None:
        self.rules = rules
        self._chance = _chance_of_a_codon(contigs, rules)
        first = [{s: _first_scores(one) for s, one in c.readings.items()} for c in contigs]
        chosen = [self._best(c, s) for c, s in zip(contigs, first, strict=True)]
        kinds = len(rules.start)
        given = _tallies(contigs, kinds)
        for _ in range(_ROUNDS):
            self._counts = _log_odds(_tallies(contigs, kinds, chosen), given, kinds)
            chosen = [self._best(contig, self._scores(contig)) for contig in contigs]

    def genes(self, contig: _Contig) -> list[CalledGene]:
        """Return the genes of a contig, by their start."""
        scores = self._scores(contig)
        found = [
            self._gene(contig, strand, int(index), float(scores[strand][index]))
            for strand, indices in self._best(contig, scores).items()
            for index in indices
        ]
        return sorted(found, key=lambda gene: (gene.locus.start, gene.locus.end))

    def _gene(self, contig: _Contig, strand: Strand, index: int, total: float) -> CalledGene:
        reading = contig.readings[strand]
        first, last = int(reading.start[index]), int(reading.end[index])
        text = contig.texts[strand]
        begun = int(reading.kind[index]) < len(self.rules.start)
        cut = bool(reading.cut[index])
        protein = translated(text[first:last], self.rules.stop, begun=begun)
        first, last = contig.on_plus(strand, first, last)
        score = float(contig.probabilities[strand][first:last].mean(dtype=np.float64))
        locus = Locus(contig.id, first, last, strand)
        return CalledGene(locus, self.rules.label, score, protein, total, not begun, cut)

    def _scores(self, contig: _Contig) -> dict[Strand, Floats]:
        return {s: self._score(one) for s, one in contig.readings.items()}

    def _score(self, reading: Reading) -> Floats:
        counts = self._counts
        words = reading.words_in_frame(counts.words)
        length = self._length(reading.codons) - self._length(np.array(_CHANCE_CODONS))
        # A long frame is no accident, however unlike the others its codons are.
        coding = np.where(length > _LONG, np.maximum(words, length), words) + length
        whole = reading.kind < len(self.rules.start)
        start = counts.kinds[reading.kind] + counts.binding[reading.binding]
        for table, bases in zip(counts.upstream, reading.upstream, strict=True):
            start += table[bases]
        bounded = _NETWORK_LIMIT * np.tanh(reading.network * _NETWORK_WEIGHT / _NETWORK_LIMIT)
        return np.asarray(coding + _START_WEIGHT * np.where(whole, start, 0.0) + bounded)

    def _length(self, codons: Floats) -> Floats:
        count = np.minimum(codons, _MOST_CODONS)
        return np.asarray(np.log1p(-(self._chance**count)) - count * np.log(self._chance))

    def _best(self, contig: _Contig, scores: dict[Strand, Floats]) -> dict[Strand, Ints]:
        nodes: list[_Node] = []
        for strand, reading in contig.readings.items():
            for index in _useful(reading, scores[strand]).tolist():
                first, last = contig.on_plus(
                    strand, int(reading.start[index]), int(reading.end[index])
                )
                nodes.append((last, first, float(scores[strand][index]), strand, index))
        found: dict[Strand, list[int]] = {strand: [] for strand in contig.readings}
        for _, _, _, strand, index in _heaviest(sorted(nodes), self.rules.overlap):
            found[strand].append(index)
        return {strand: np.array(one, dtype=np.int64) for strand, one in found.items()}


_Node = tuple[int, int, float, Strand, int]
"""End and start on the plus strand, score, strand, index of the candidate."""


def _first_scores(reading: Reading) -> Floats:
    return np.asarray(reading.network + _FIRST_OF_A_CODON * reading.codons - _FIRST_COST)


def _useful(reading: Reading, scores: Floats) -> Ints:
    # Of the starts of one frame those that score more than every later one, so that no other is
    # needed, however much its neighbours leave of it.
    order = np.lexsort((-reading.start, reading.end))
    ends, own = reading.end[order], scores[order]
    if not len(own):
        return order
    new = np.concatenate(([True], ends[1:] != ends[:-1]))
    apart = np.ptp(own) + 1.0
    raised = own + (np.cumsum(new) - 1) * apart
    before = np.concatenate(([-np.inf], np.maximum.accumulate(raised)[:-1]))
    return np.asarray(order[(new | (raised > before)) & (own > 0)])


def _heaviest(nodes: Sequence[_Node], overlap: int) -> list[_Node]:
    """Return the nodes, sorted by end, of the chain with the highest sum.

    A node may begin up to ``overlap`` bases before the one before it has ended.
    """
    ends = np.array([node[0] for node in nodes], dtype=np.int64)
    firsts = np.array([node[1] for node in nodes], dtype=np.int64)
    before = np.searchsorted(ends, firsts, side="right")
    total: list[float] = []
    back: list[int] = []
    best: list[int] = []
    for number, (end, start, score, _, _) in enumerate(nodes):
        count = int(before[number])
        link, most = (-1, 0.0) if count == 0 else (best[count - 1], total[best[count - 1]])
        other = count
        while other < number and nodes[other][0] <= start + overlap:
            if nodes[other][1] < start and nodes[other][0] < end and total[other] > most:
                link, most = other, total[other]
            other += 1
        total.append(score + most)
        back.append(link)
        best.append(number if not best or total[number] > total[best[-1]] else best[-1])
    chain, at = [], best[-1] if best else -1
    while at >= 0:
        chain.append(nodes[at])
        at = back[at]
    return chain[::-1]


def _chance_of_a_codon(contigs: Sequence[_Contig], rules: GeneRules) -> float:
    """Return how likely a codon of random bases of this composition is no stop."""
    counts = np.ones(4)
    for contig in contigs:
        for reading in contig.readings.values():
            counts += np.bincount(reading.codes, minlength=5)[:4]
    shares = counts / counts.sum()
    stop = sum(np.prod(shares[[int(BASE_CODES[ord(c)]) for c in codon]]) for codon in rules.stop)
    return float(1 - stop)


@dataclass(frozen=True, eq=False)
class _Tallies:
    """Counts of words, and of start codons, binding sites and upstream bases of starts."""

    words: Floats
    kinds: Floats
    binding: Floats
    upstream: Floats


def _tallies(contigs: Sequence[_Contig], kinds: int, chosen: _Chosen | None = None) -> _Tallies:
    """Return the counts of called genes that are long, or of all words and candidates."""
    words = np.zeros(WORDS + 1)
    starts = np.ones(kinds + 1), np.ones(SITE_CLASSES), np.ones((UPSTREAM, UNKNOWN_BASE + 1))
    for number, contig in enumerate(contigs):
        for strand, reading in contig.readings.items():
            if chosen is None:
                words += np.bincount(reading.words, minlength=WORDS + 1)
                some = np.flatnonzero(reading.kind < kinds)
            else:
                some = chosen[number][strand]
                some = some[(reading.end - reading.start)[some] > _COUNTED_GENE]
                for first, last in zip(reading.start[some], reading.end[some], strict=True):
                    own = reading.words[first : last - WORD + 1 : 3]
                    words += np.bincount(own, minlength=WORDS + 1)
                some = some[reading.kind[some] < kinds]
            starts[0][:] += np.bincount(reading.kind[some], minlength=kinds + 1)
            starts[1][:] += np.bincount(reading.binding[some], minlength=SITE_CLASSES)
            for place, bases in enumerate(reading.upstream):
                starts[2][place] += np.bincount(bases[some], minlength=UNKNOWN_BASE + 1)
    return _Tallies(words, *starts)


def _log_odds(called: _Tallies, given: _Tallies, kinds: int) -> _Counts:
    background = (given.words[:WORDS] + 1) / (given.words[:WORDS] + 1).sum()
    in_frame = called.words[:WORDS] + 1 + _FEW * background
    words = np.zeros(WORDS + 1)
    words[:WORDS] = np.log(in_frame / in_frame.sum()) - np.log(background)
    odds = _Counts(
        words,
        _ratio(called.kinds, given.kinds),
        _ratio(called.binding, given.binding),
        _ratio(called.upstream, given.upstream),
    )
    odds.kinds[kinds] = 0.0
    odds.upstream[:, UNKNOWN_BASE] = 0.0
    return odds


def _ratio(called: Floats, given: Floats) -> Floats:
    first, second = (np.log(one / one.sum(axis=-1, keepdims=True)) for one in (called, given))
    return np.asarray(first - second)
