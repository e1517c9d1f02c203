"""Scores of a genome model: classes of fixed width (sites), classes of varying width, baselines.

Sites are scored over all test blocks (``genome``) and within 300 bases of known sites
(``near_known``). A site that nobody has annotated is unknown, not negative, so what is called
wrong over a genome may be right: precision there is a lower bound.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from grubio.config import EvaluationSettings, Metric
from grubio.errors import GrubioError
from grubio.evaluation.genome.headline import MODEL, add_headline
from grubio.evaluation.genome.independence import independence
from grubio.evaluation.genome.kmer_baseline import (
    chosen_pwm,
    chosen_site_kmers,
    dense_kmers,
    site_log_odds,
)
from grubio.files import table_text
from grubio.metrics.bases import base_average_precision, dense_gain, dense_metrics
from grubio.metrics.bootstrap import Floats, bootstrap_weights
from grubio.metrics.candidates import (
    Candidates,
    LabelledStrand,
    PlacedStrands,
    SiteTruth,
    base_scores,
    find_candidates,
    site_truth,
    strand_outcomes,
    strands_of,
)
from grubio.metrics.site_matching import TOLERANCES
from grubio.metrics.sites import (
    HEADLINE_TOLERANCE,
    REGIONS,
    Scanned,
    curve,
    gain,
    prevalence_metrics,
    ranking_metrics,
    scanned,
    share_of,
)
from grubio.runs.files import SITE_CURVE_FILE, SITES_FILE
from grubio.runs.metrics import Counts, DenseClass, Metrics, Region, SiteClass, SiteMethod
from grubio.sequences.record import Record
from grubio.sequences.runs_and_peaks import site_scores
from grubio.sequences.scheme import LabelScheme

_Row = tuple[object, ...]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Study:
    """What the scores of all classes share."""

    test: list[LabelledStrand]
    train: list[LabelledStrand]
    valid: list[LabelledStrand]
    scheme: LabelScheme
    probabilities: list[npt.NDArray[np.float32]]
    weights: Floats
    seed: int


class GenomeEvaluation:
    """How both strands of blocks are scored; see :class:`grubio.evaluation.evaluate.Evaluation`.

    Raises
    ------
    GrubioError
        If an id of the test records is no locus.
    """

    units = "strands of blocks"
    # The scores of sites and bases come first, not those of all classes.
    headline: Metric = "accuracy"
    baseline_residues = 0

    def __init__(
        self,
        scheme: LabelScheme,
        sites: Mapping[str, int],
        test: Sequence[Record],
        settings: EvaluationSettings,
    ) -> None:
        self._scheme, self._sites, self._settings = scheme, sites, settings
        self._placed = strands_of(test, scheme)
        strands, order = self._placed
        blocks = dict(zip(order, (strand.block for strand in strands), strict=True))
        self.blocks: Sequence[int] | None = [blocks[index] for index in range(len(order))]

    def baselines(self, train: Sequence[Record]) -> dict[str, list[npt.NDArray[np.float32]]]:
        """Return none: the baselines of a genome are those of its sites and of its bases."""
        return {}

    def add_scores(
        self,
        metrics: Metrics,
        probabilities: Sequence[npt.NDArray[np.float32]],
        train: Sequence[Record],
        valid: Sequence[Record],
    ) -> dict[str, str]:
        """Add what :func:`score_genome` returns to the metrics; return the tables.

        Raises
        ------
        GrubioError
            As :func:`score_genome`.
        """
        found, tables = score_genome(
            self._placed, probabilities, train, valid, self._scheme, self._sites, self._settings
        )
        for name, scores in found.baselines.items():
            metrics.baselines.setdefault(name, {}).update(scores)
        metrics.counts.blocks = found.counts.blocks
        for name in ("sites", "dense", "headline", "independence"):
            setattr(metrics, name, getattr(found, name))
        metrics.add(found.scores)
        return tables


def score_genome(
    placed: PlacedStrands,
    probabilities: Sequence[npt.NDArray[np.float32]],
    train: Sequence[Record],
    valid: Sequence[Record],
    scheme: LabelScheme,
    sites: Mapping[str, int],
    settings: EvaluationSettings,
) -> tuple[Metrics, dict[str, str]]:
    """Return the metrics of a genome beside those of every dataset, and the text of two tables.

    Parameters
    ----------
    placed
        What :func:`grubio.metrics.candidates.strands_of` returns for the labelled records.
    probabilities
        Calibrated probabilities ``(base, class)`` of each record, in the order of the records.
    train, valid
        Records to fit the baselines to, and to choose what they need; both may be empty.
    scheme
        The classes.
    sites
        Width of each class of fixed width, by letter.
    settings
        Number of bootstrap samples of blocks and their seed.

    Returns
    -------
    tuple
        Metrics with ``sites``, ``dense``, ``headline``, the number of blocks, ``independence``,
        ``baselines`` and the headline scores; then ``sites.tsv`` and ``site_curve.tsv`` by name.

    Raises
    ------
    GrubioError
        If an id of ``train`` or ``valid`` is no locus, or a class of ``sites`` is not in the
        scheme.
    """
    if unknown := set(sites) - set(scheme.letters):
        raise GrubioError(f"the dataset has sites of '{unknown.pop()}', which is no class")
    test, order = placed
    blocks = 1 + max(strand.block for strand in test)
    study = _Study(
        test,
        strands_of(train, scheme)[0],
        strands_of(valid, scheme)[0],
        scheme,
        [probabilities[index] for index in order],
        bootstrap_weights(blocks, settings.bootstrap, settings.seed),
        settings.seed,
    )
    of_sites: dict[str, SiteClass] = {}
    of_bases: dict[str, DenseClass] = {}
    called: list[_Row] = []
    curves: list[_Row] = []
    for letter in scheme.letters:
        if letter in sites:
            found = _site_class(study, letter, sites[letter])
            of_sites[letter] = found.scores
            called += _called_sites(study, letter, found.candidates, sites[letter])
            curves += found.curves
    for letter in scheme.letters:
        if letter not in sites and letter != scheme.background:
            of_bases[letter] = _dense_class(study, letter)
    result = Metrics(
        sites=of_sites,
        dense=of_bases,
        counts=Counts(blocks=blocks),
        independence=independence(test, study.train, study.valid),
    )
    add_headline(result)
    return result, {
        SITES_FILE: table_text(
            ("contig", "start", "end", "strand", "class", "score", "known"), called
        ),
        SITE_CURVE_FILE: table_text(
            ("class", "method", "region", "score", "recall", "precision"), curves
        ),
    }


class _SiteScores(NamedTuple):
    scores: SiteClass
    candidates: Candidates
    curves: list[_Row]


def _site_class(study: _Study, letter: str, width: int) -> _SiteScores:
    scheme, strands = study.scheme, study.test
    index, size = scheme.letters.index(letter), scheme.size
    truth = site_truth(strands, index, width, size)
    over = {region: scanned(strands, truth, size, near=region != "genome") for region in REGIONS}
    of_bases = {MODEL: [p[:, index] for p in study.probabilities]}
    of_sites = {MODEL: [site_scores(rows, width) for rows in of_bases[MODEL]]}
    for name, values in _site_baselines(study, index, width).items():
        of_sites[name] = values
        of_bases[name] = [
            base_scores(one, width, len(strand.locus)).astype(np.float32)
            for one, strand in zip(values, strands, strict=True)
        ]
    found = {name: find_candidates(strands, values, truth) for name, values in of_sites.items()}

    def in_region(name: str, region: str) -> Region:
        near = region != "genome"
        return Region(
            base_average_precision=base_average_precision(
                strands, of_bases[name], index, size, study.weights, truth.near if near else None
            ),
            **{
                f"tolerance_{d}": ranking_metrics(
                    found[name], d, over[region], study.weights, near=near
                )
                for d in TOLERANCES
            },
        )

    methods = {
        name: SiteMethod(
            genome=in_region(name, "genome"),
            near_known=in_region(name, "near_known"),
            strand_consistency=share_of(
                strand_outcomes(strands, of_sites[name], truth),
                study.weights.shape[1],
                study.weights,
            ),
        )
        for name in found
    }
    methods["prevalence"] = _prevalence(study, index, truth, over)
    scores = SiteClass(
        name=scheme.class_names[index],
        width=width,
        count=int(over["genome"].sites.sum()),
        kilobases={region: round(float(over[region].kilobases.sum()), 3) for region in REGIONS},
        methods=methods,
        gain={
            name: gain(found[MODEL], theirs, HEADLINE_TOLERANCE, over["genome"], study.weights)
            for name, theirs in found.items()
            if name != MODEL
        },
    )
    curves: list[_Row] = [
        (letter, name, region, f"{score:.6g}", f"{recall:.5f}", f"{precision:.5f}")
        for name, candidates in found.items()
        for region in REGIONS
        for score, recall, precision in curve(
            candidates, HEADLINE_TOLERANCE, over[region], near=region != "genome"
        )
    ]
    return _SiteScores(scores, found[MODEL], curves)


def _site_baselines(study: _Study, index: int, width: int) -> dict[str, list[Floats]]:
    baselines: dict[str, list[Floats]] = {}
    name = study.scheme.class_names[index]
    pwm = chosen_pwm(study.train, study.valid, index, width)
    size, seed = study.scheme.size, study.seed
    kmers = chosen_site_kmers(study.train, study.valid, index, size, width, seed)
    if pwm is None or kmers is None:
        logger.info("there are no training sites of %s, so no baselines", name)
    if pwm is not None:
        baselines["pwm"] = [pwm.scores(strand.sequence) for strand in study.test]
    if kmers is not None:
        baselines["kmer_logistic"] = [
            site_log_odds(kmers, strand.sequence, width) for strand in study.test
        ]
    return baselines


def _prevalence(
    study: _Study, index: int, truth: SiteTruth, over: Mapping[str, Scanned]
) -> SiteMethod:
    constant = [np.zeros(len(strand.locus), dtype=np.float32) for strand in study.test]
    regions = {}
    for region in REGIONS:
        share = prevalence_metrics(over[region], study.weights)
        near = truth.near if region != "genome" else None
        regions[region] = Region(
            base_average_precision=base_average_precision(
                study.test, constant, index, study.scheme.size, study.weights, near
            ),
            **{f"tolerance_{d}": share for d in TOLERANCES},
        )
    return SiteMethod(genome=regions["genome"], near_known=regions["near_known"])


def _dense_class(study: _Study, letter: str) -> DenseClass:
    scheme, strands = study.scheme, study.test
    index = scheme.letters.index(letter)
    called = {MODEL: [p.argmax(axis=1) == index for p in study.probabilities]}
    scores = {MODEL: [p[:, index] for p in study.probabilities]}
    kmers = dense_kmers(study.train, index, scheme.size, study.seed)
    if kmers is not None:
        odds = [kmers.log_odds(strand.sequence) for strand in strands]
        called["kmer_logistic"] = [one > 0 for one in odds]
        scores["kmer_logistic"] = [one.astype(np.float32) for one in odds]
    share = _training_share(study, index)
    called["prevalence"] = [np.full(len(s.locus), share > 0.5) for s in strands]
    scores["prevalence"] = [np.zeros(len(s.locus), dtype=np.float32) for s in strands]
    size = scheme.size
    methods = {
        name: dense_metrics(strands, calls, index, size, study.weights)
        | {
            "average_precision": base_average_precision(
                strands, scores[name], index, size, study.weights
            )
        }
        for name, calls in called.items()
    }
    count = sum(int((strand.classes == index).sum()) for strand in strands)
    result = DenseClass(name=scheme.class_names[index], count=count, methods=methods)
    if "kmer_logistic" in called:
        result.gain = {
            "kmer_logistic": dense_gain(
                strands, called[MODEL], called["kmer_logistic"], index, size, study.weights
            )
        }
    return result


def _training_share(study: _Study, index: int) -> float:
    counted = sum(int((s.classes < study.scheme.size).sum()) for s in study.train)
    return sum(int((s.classes == index).sum()) for s in study.train) / max(counted, 1)


def _called_sites(study: _Study, letter: str, candidates: Candidates, width: int) -> list[_Row]:
    """Return rows of ``sites.tsv``: the best candidates, one per kilobase and known site."""
    most = sum(len(s.locus) for s in study.test) // 2000 + int(candidates.known.sum())
    best = np.argsort(-candidates.score, kind="stable")[:most]
    rows: list[_Row] = []
    for at in np.sort(best):
        first = int(candidates.start[at])
        site = study.test[candidates.strand[at]].locus.part(first, first + width)
        known = "yes" if candidates.known[at] else "no"
        score = f"{candidates.score[at]:.6g}"
        rows.append((site.contig, site.start, site.end, site.strand, letter, score, known))
    return rows
