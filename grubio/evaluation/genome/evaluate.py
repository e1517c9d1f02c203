"""Scores of a genome model: classes of fixed width (sites), classes of varying width, baselines.

Sites are scored over all test blocks (``genome``) and within 300 bases of known sites
(``near_known``). A site that nobody has annotated is unknown, not negative, so what counts as wrong
may be right: precision over a genome is a lower bound.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from grubio.config import EvaluationSettings, Metric
from grubio.errors import GrubioError
from grubio.evaluation.genome.headline import MODEL, add_headline
from grubio.evaluation.genome.independence import independence
from grubio.evaluation.genome.kmer_baseline import (
    chosen_site_kmers,
    dense_kmers,
    site_log_odds,
)
from grubio.files import table_text
from grubio.metrics.bases import base_average_precision, dense_metrics
from grubio.metrics.bootstrap import Estimate, Floats, bootstrap_weights, scores_of
from grubio.metrics.candidates import (
    Candidates,
    LabelledStrand,
    base_scores,
    find_candidates,
    site_truth,
    strand_outcomes,
    strands_of,
)
from grubio.metrics.pwm import chosen_pwm
from grubio.metrics.site_matching import TOLERANCES
from grubio.metrics.sites import (
    HEADLINE_TOLERANCE,
    REGIONS,
    curve,
    prevalence_metrics,
    ranking_metrics,
    scanned,
    share_of,
)
from grubio.runs.files import SITE_CURVE_FILE, SITES_FILE
from grubio.runs.metrics import DenseClass, Metrics, Region, SiteClass, SiteMethod
from grubio.sequences.best_path import best_classes
from grubio.sequences.record import Record
from grubio.sequences.runs_and_peaks import site_scores
from grubio.sequences.scheme import LabelScheme

Probabilities = npt.NDArray[np.float32]
_Row = tuple[object, ...]

logger = logging.getLogger(__name__)


class _Data(NamedTuple):
    """What the scores of all classes share; probabilities ``(base, class)`` of each test strand."""

    test: list[LabelledStrand]
    train: list[LabelledStrand]
    valid: list[LabelledStrand]
    probabilities: list[Probabilities]
    scheme: LabelScheme
    weights: Floats
    seed: int


class GenomeEvaluation:
    """How both strands of blocks are scored; see :class:`grubio.evaluation.evaluate.Evaluation`.

    Parameters
    ----------
    scheme
        The classes.
    sites
        Width of each class of fixed width, by letter.
    test
        Labelled records, whose ids are loci.
    settings
        Number of bootstrap samples of blocks, and their seed.
    radii
        Bases within which the model calls no second site of a class, by letter; by default those
        of any scan.

    Raises
    ------
    GrubioError
        If an id is no locus, or a class of ``sites`` is not in the scheme.
    """

    # The scores of sites and bases come before those of all classes together.
    headline: Metric = "accuracy"
    baseline_residues = 0

    def __init__(
        self,
        scheme: LabelScheme,
        sites: Mapping[str, int],
        test: Sequence[Record],
        settings: EvaluationSettings,
        radii: Mapping[str, int] | None = None,
    ) -> None:
        if unknown := set(sites) - set(scheme.letters):
            raise GrubioError(f"the dataset has sites of '{unknown.pop()}', which is no class")
        self._scheme, self._sites, self._settings = scheme, sites, settings
        self._radii = radii or {}
        self._strands, self._order = strands_of(test, scheme)
        blocks = dict(zip(self._order, (s.block for s in self._strands), strict=True))
        self.blocks: Sequence[int] | None = [blocks[index] for index in range(len(test))]

    def baselines(self, train: Sequence[Record]) -> dict[str, list[Probabilities]]:
        """Return none: a genome has baselines for its sites and its bases."""
        return {}

    def add_scores(
        self,
        metrics: Metrics,
        probabilities: Sequence[Probabilities],
        train: Sequence[Record],
        valid: Sequence[Record],
    ) -> dict[str, str]:
        """Add the scores of sites and bases; return the text of two tables by file name.

        Parameters
        ----------
        metrics
            Gains ``sites``, ``dense``, ``independence``, the number of blocks, and the headline
            with its baselines.
        probabilities
            Calibrated probabilities ``(base, class)`` of each test record.
        train, valid
            Records that the baselines are fitted to and chosen with; both may be empty.

        Raises
        ------
        GrubioError
            If an id of ``train`` or ``valid`` is no locus.
        """
        scheme, settings = self._scheme, self._settings
        metrics.counts.blocks = 1 + max(strand.block for strand in self._strands)
        data = _Data(
            self._strands,
            strands_of(train, scheme)[0],
            strands_of(valid, scheme)[0],
            [probabilities[index] for index in self._order],
            scheme,
            bootstrap_weights(metrics.counts.blocks, settings.bootstrap, settings.seed),
            settings.seed,
        )
        metrics.sites, metrics.dense = {}, {}
        called: list[_Row] = []
        curves: list[_Row] = []
        for letter in scheme.letters:
            if width := self._sites.get(letter):
                radius = self._radii.get(letter)
                metrics.sites[letter], found, points = _site_class(data, letter, width, radius)
                called += _called_sites(data.test, letter, found, width)
                curves += points
            elif letter != scheme.background:
                metrics.dense[letter] = _dense_class(data, letter)
        metrics.independence = independence(data.test, data.train, data.valid)
        add_headline(metrics)
        site_columns = ("contig", "start", "end", "strand", "class", "score", "known")
        curve_columns = ("class", "method", "region", "score", "recall", "precision")
        return {
            SITES_FILE: table_text(site_columns, called),
            SITE_CURVE_FILE: table_text(curve_columns, curves),
        }


def _site_class(
    data: _Data, letter: str, width: int, radius: int | None
) -> tuple[SiteClass, Candidates, list[_Row]]:
    # The scores, the candidates of the model, and the rows of the precision-recall curves.
    scheme, strands, weights = data.scheme, data.test, data.weights
    index = scheme.letters.index(letter)
    truth = site_truth(strands, index, width, scheme.size)
    over = {r: scanned(strands, truth, scheme.size, near=r != "genome") for r in REGIONS}
    of_bases = {MODEL: [p[:, index] for p in data.probabilities]}
    of_sites = {MODEL: [site_scores(rows, width) for rows in of_bases[MODEL]]}
    for name, values in _site_baselines(data, index, width).items():
        of_sites[name] = values
        of_bases[name] = [
            base_scores(one, width, len(strand.locus)).astype(np.float32)
            for one, strand in zip(values, strands, strict=True)
        ]
    constant = [np.zeros(len(strand.locus), dtype=np.float32) for strand in strands]
    found = {
        name: find_candidates(strands, values, truth, radius if name == MODEL else None)
        for name, values in of_sites.items()
    }

    def ranked(name: str, region: str, tolerance: int) -> dict[str, Estimate]:
        near = region != "genome"
        return ranking_metrics(found[name], tolerance, over[region], weights, near=near)

    def in_region(name: str, region: str) -> Region:
        near = truth.near if region != "genome" else None
        scores = of_bases.get(name, constant)
        content: dict[str, Any] = {
            f"tolerance_{tolerance}": scores_of(ranked(name, region, tolerance))
            if name in found
            else prevalence_metrics(over[region], weights)
            for tolerance in TOLERANCES
        }
        content["base_average_precision"] = base_average_precision(
            strands, scores, index, scheme.size, weights, near
        )
        return Region.model_validate(content)

    methods = {
        name: SiteMethod.model_validate({r: in_region(name, r) for r in REGIONS})
        for name in (*found, "prevalence")
    }
    for name, values in of_sites.items():
        outcomes = strand_outcomes(strands, values, truth)
        methods[name].strand_consistency = share_of(outcomes, weights.shape[1], weights)
    precision = {
        name: ranked(name, "genome", HEADLINE_TOLERANCE)["average_precision"] for name in found
    }
    own = precision.pop(MODEL)
    scores = SiteClass(
        name=scheme.class_names[index],
        width=width,
        count=int(over["genome"].sites.sum()),
        kilobases={region: round(float(over[region].kilobases.sum()), 3) for region in REGIONS},
        methods=methods,
        gain=scores_of({name: own - theirs for name, theirs in precision.items()}),
    )
    curves: list[_Row] = [
        (letter, name, region, f"{score:.6g}", f"{recall:.5f}", f"{precision:.5f}")
        for name, candidates in found.items()
        for region in REGIONS
        for score, recall, precision in curve(
            candidates, HEADLINE_TOLERANCE, over[region], near=region != "genome"
        )
    ]
    return scores, found[MODEL], curves


def _site_baselines(data: _Data, index: int, width: int) -> dict[str, list[Floats]]:
    baselines: dict[str, list[Floats]] = {}
    pwm = chosen_pwm(data.train, data.valid, index, width)
    size = data.scheme.size
    kmers = chosen_site_kmers(data.train, data.valid, index, size, width, data.seed)
    if pwm is None or kmers is None:
        name = data.scheme.class_names[index]
        logger.info("there are no training sites of %s, so no baselines", name)
    if pwm is not None:
        baselines["pwm"] = [pwm.scores(s.sequence) for s in data.test]
    if kmers is not None:
        baselines["kmer_logistic"] = [site_log_odds(kmers, s.sequence, width) for s in data.test]
    return baselines


def _dense_class(data: _Data, letter: str) -> DenseClass:
    scheme, strands, weights = data.scheme, data.test, data.weights
    index, size = scheme.letters.index(letter), scheme.size
    called = {MODEL: [c == index for c in best_classes(data.probabilities, scheme)]}
    scores = {MODEL: [p[:, index] for p in data.probabilities]}
    kmers = dense_kmers(data.train, index, size, data.seed)
    if kmers is not None:
        odds = [kmers.log_odds(strand.sequence) for strand in strands]
        called["kmer_logistic"] = [one > 0 for one in odds]
        scores["kmer_logistic"] = [one.astype(np.float32) for one in odds]
    observed = np.concatenate([s.classes for s in data.train] or [np.zeros(0, np.uint8)])
    frequent = (observed == index).sum() > (observed < size).sum() / 2
    called["prevalence"] = [np.full(len(s.locus), frequent) for s in strands]
    scores["prevalence"] = [np.zeros(len(s.locus), dtype=np.float32) for s in strands]
    found = {name: dense_metrics(strands, c, index, size, weights) for name, c in called.items()}
    methods = {name: scores_of(estimates) for name, estimates in found.items()}
    for name, values in scores.items():
        methods[name]["average_precision"] = base_average_precision(
            strands, values, index, size, weights
        )
    count = sum(int((strand.classes == index).sum()) for strand in strands)
    result = DenseClass(name=scheme.class_names[index], count=count, methods=methods)
    if kmers is not None:
        own, theirs = found[MODEL]["mcc"], found["kmer_logistic"]["mcc"]
        result.gain = {"kmer_logistic": (own - theirs).score}
    return result


def _called_sites(
    strands: Sequence[LabelledStrand], letter: str, candidates: Candidates, width: int
) -> list[_Row]:
    # The best candidates: one for each kilobase and each known site.
    most = sum(len(s.locus) for s in strands) // 2000 + int(candidates.known.sum())
    best = np.argsort(-candidates.score, kind="stable")[:most]
    rows: list[_Row] = []
    for at in np.sort(best):
        first = int(candidates.start[at])
        site = strands[candidates.strand[at]].locus.part(first, first + width)
        known = "yes" if candidates.known[at] else "no"
        score = f"{candidates.score[at]:.6g}"
        rows.append((site.contig, site.start, site.end, site.strand, letter, score, known))
    return rows
