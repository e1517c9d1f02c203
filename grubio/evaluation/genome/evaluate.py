"""Scores of a model of a genome's strands: sites of rare classes, dense classes, and baselines.

Sites are scored over all test blocks (``genome``) and within 300 bases of known sites
(``near_known``). A site that nobody has annotated is unknown, not negative, so what is called
wrong over a genome may be right: precision there is a lower bound.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grubio.config import EvaluationSettings
from grubio.errors import GrubioError
from grubio.evaluation.genome.headline import MODEL, Scores, dense_headline, site_headline
from grubio.evaluation.genome.independence import independence
from grubio.evaluation.genome.kmer_baseline import (
    chosen_pwm,
    chosen_site_kmers,
    dense_kmers,
    site_log_odds,
)
from grubio.metrics import classification as metrics
from grubio.metrics.bases import base_average_precision, dense_gain, dense_metrics
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
from grubio.metrics.classification import Floats, Metric
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
from grubio.sequences.record import Record
from grubio.sequences.runs_and_peaks import site_scores
from grubio.sequences.scheme import LabelScheme

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


def block_of_records(placed: PlacedStrands) -> list[int]:
    """Return the index of the block of each record, the same for both strands of a block.

    Takes what :func:`grubio.metrics.candidates.strands_of` returns for the records.
    """
    strands, order = placed
    blocks = dict(zip(order, (strand.block for strand in strands), strict=True))
    return [blocks[index] for index in range(len(order))]


def add_genome_scores(
    result: Scores,
    placed: PlacedStrands,
    probabilities: Sequence[npt.NDArray[np.float32]],
    train: Sequence[Record],
    valid: Sequence[Record],
    scheme: LabelScheme,
    sites: Mapping[str, int],
    settings: EvaluationSettings,
) -> None:
    """Add what :func:`score_genome` returns to the content of ``metrics.json``.

    Raises
    ------
    GrubioError
        As :func:`score_genome`.
    """
    found, tables = score_genome(placed, probabilities, train, valid, scheme, sites, settings)
    for name, scores in found.pop("baselines", {}).items():
        result["baselines"].setdefault(name, {}).update(scores)
    result["counts"]["blocks"] = found.pop("blocks")
    result["files"] |= tables
    result |= found


def score_genome(
    placed: PlacedStrands,
    probabilities: Sequence[npt.NDArray[np.float32]],
    train: Sequence[Record],
    valid: Sequence[Record],
    scheme: LabelScheme,
    sites: Mapping[str, int],
    settings: EvaluationSettings,
) -> tuple[Scores, dict[str, str]]:
    """Return what ``metrics.json`` has beside the usual scores, and the content of two tables.

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
        ``sites``, ``dense``, ``headline``, ``blocks``, ``independence`` and, for ``metrics.json``
        to merge, ``baselines`` and the headline scores; then ``sites.tsv`` and
        ``site_curve.tsv`` by name.

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
        metrics.bootstrap_weights(blocks, settings.bootstrap, settings.seed),
        settings.seed,
    )
    result: Scores = {
        "sites": {},
        "dense": {},
        "blocks": blocks,
        "independence": independence(test, study.train, study.valid),
    }
    called: list[str] = []
    curves = ["class\tmethod\tregion\tscore\trecall\tprecision"]
    for letter in (letter for letter in scheme.letters if letter in sites):
        scores, candidates, lines = _site_class(study, letter, sites[letter])
        result["sites"][letter] = scores
        called += _called_sites(study, letter, candidates, sites[letter])
        curves += lines
        if "headline" not in result and scores["count"]:
            result |= site_headline(letter, scores)
    for letter in scheme.letters:
        if letter not in sites and letter != scheme.background:
            result["dense"][letter] = _dense_class(study, letter)
            if "headline" not in result:
                result |= dense_headline(letter, result["dense"][letter])
    head = "contig\tstart\tend\tstrand\tclass\tscore\tknown"
    files = {
        SITES_FILE: "\n".join([head, *called]) + "\n",
        SITE_CURVE_FILE: "\n".join(curves) + "\n",
    }
    return result, files


def _site_class(study: _Study, letter: str, width: int) -> tuple[Scores, Candidates, list[str]]:
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
    methods: dict[str, Scores] = {}
    lines = []
    for name, candidates in found.items():
        scores: Scores = {}
        for region in REGIONS:
            near = region != "genome"
            scores[region] = {
                f"tolerance_{d}": _as_dicts(
                    ranking_metrics(candidates, d, over[region], study.weights, near=near)
                )
                for d in TOLERANCES
            }
            around = truth.near if near else None
            scores[region]["base_average_precision"] = base_average_precision(
                strands, of_bases[name], index, size, study.weights, around
            ).as_dict()
            points = curve(candidates, HEADLINE_TOLERANCE, over[region], near=near)
            lines += [
                f"{letter}\t{name}\t{region}\t{s:.6g}\t{r:.5f}\t{p:.5f}" for s, r, p in points
            ]
        outcomes = strand_outcomes(strands, of_sites[name], truth)
        blocks = study.weights.shape[1]
        scores["strand_consistency"] = share_of(outcomes, blocks, study.weights).as_dict()
        methods[name] = scores
    methods["prevalence"] = _prevalence(study, index, truth, over)
    result: Scores = {
        "name": scheme.class_names[index],
        "width": width,
        "count": int(over["genome"].sites.sum()),
        "kilobases": {region: round(float(over[region].kilobases.sum()), 3) for region in REGIONS},
        "methods": methods,
        "gain": {
            name: gain(
                found[MODEL], theirs, HEADLINE_TOLERANCE, over["genome"], study.weights
            ).as_dict()
            for name, theirs in found.items()
            if name != MODEL
        },
    }
    return result, found[MODEL], lines


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


def _prevalence(study: _Study, index: int, truth: SiteTruth, over: Mapping[str, Scanned]) -> Scores:
    constant = [np.zeros(len(strand.locus), dtype=np.float32) for strand in study.test]
    scores: Scores = {}
    for region in REGIONS:
        share = _as_dicts(prevalence_metrics(over[region], study.weights))
        scores[region] = {f"tolerance_{d}": share for d in TOLERANCES}
        near = truth.near if region != "genome" else None
        scores[region]["base_average_precision"] = base_average_precision(
            study.test, constant, index, study.scheme.size, study.weights, near
        ).as_dict()
    return scores


def _dense_class(study: _Study, letter: str) -> Scores:
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
        name: _as_dicts(dense_metrics(strands, calls, index, size, study.weights))
        | {
            "average_precision": base_average_precision(
                strands, scores[name], index, size, study.weights
            ).as_dict()
        }
        for name, calls in called.items()
    }
    count = sum(int((strand.classes == index).sum()) for strand in strands)
    result: Scores = {"name": scheme.class_names[index], "count": count, "methods": methods}
    if "kmer_logistic" in called:
        result["gain"] = {
            "kmer_logistic": dense_gain(
                strands, called[MODEL], called["kmer_logistic"], index, size, study.weights
            ).as_dict()
        }
    return result


def _training_share(study: _Study, index: int) -> float:
    counted = sum(int((s.classes < study.scheme.size).sum()) for s in study.train)
    return sum(int((s.classes == index).sum()) for s in study.train) / max(counted, 1)


def _called_sites(study: _Study, letter: str, candidates: Candidates, width: int) -> list[str]:
    """Return lines of ``sites.tsv``: the best candidates, one per kilobase and known site."""
    most = sum(len(s.locus) for s in study.test) // 2000 + int(candidates.known.sum())
    best = np.argsort(-candidates.score, kind="stable")[:most]
    lines = []
    for at in np.sort(best):
        first = int(candidates.start[at])
        site = study.test[candidates.strand[at]].locus.part(first, first + width)
        known = "yes" if candidates.known[at] else "no"
        lines.append(
            f"{site.contig}\t{site.start}\t{site.end}\t{site.strand}\t{letter}"
            f"\t{candidates.score[at]:.6g}\t{known}"
        )
    return lines


def _as_dicts(scores: Mapping[str, Metric]) -> dict[str, dict[str, float | None]]:
    return {name: score.as_dict() for name, score in scores.items()}
