"""The position weight matrix and the k-mer regression against naive computations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from grubio.evaluation.genome.kmer_baseline import (
    KmerLogistic,
    chosen_site_kmers,
    dense_kmers,
    fit_kmers,
    site_log_odds,
)
from grubio.metrics.candidates import LabelledStrand, strands_of
from grubio.metrics.pwm import FLANKS, PWM, chosen_pwm, fit_pwm, precision_of
from grubio.sequences.record import Record
from synthetic_genome import MOTIF, SCHEME, genome_dataset


@pytest.fixture(scope="module")
def strands() -> list[LabelledStrand]:
    return strands_of(genome_dataset(10)[0], SCHEME)[0]


def naive_scan(log_odds: np.ndarray, before: int, width: int, sequence: str) -> list[float]:
    return [
        sum(
            float(row["ACGT".index(sequence[at])])
            for place, row in enumerate(log_odds)
            if 0 <= (at := start - before + place) < len(sequence) and sequence[at] in "ACGT"
        )
        for start in range(len(sequence) - width + 1)
    ]


@pytest.mark.parametrize("flank", [(0, 0), (4, 2)])
def test_a_scan_equals_a_naive_one(strands: list[LabelledStrand], flank: tuple[int, int]) -> None:
    pwm = fit_pwm(strands, 0, 6, flank)
    assert pwm is not None
    sequence = strands[0].sequence[:400] + "N" + strands[0].sequence[400:700] + "RN"
    expected = naive_scan(pwm.log_odds, flank[0], 6, sequence)
    assert pwm.scores(sequence) == pytest.approx(expected, abs=1e-3)
    assert pwm.scores(sequence.lower()) == pytest.approx(expected, abs=1e-3)
    assert len(pwm.scores("ACGTA")) == 0
    assert len(pwm.scores("ACGTAC")) == 1


def test_the_matrix_holds_the_log_odds_over_the_training_background() -> None:
    sequence = "GGGG" + "TATAAT" + "GGGGG" + "TACAAT" + "GGGNG"
    labels = "...." + "MMMMMM" + "....." + "MMMMMM" + "....."
    one, _ = strands_of([Record(f"c:0-{len(labels)}(+)", "", sequence, labels)], SCHEME)
    pwm = fit_pwm(one, 0, 6, (0, 0))
    assert pwm is not None
    counts = np.array([sequence.count(base) for base in "ACGT"]) + 1.0
    background = counts / counts.sum()
    third = (np.array([0, 1, 0, 1]) + 1) / 6
    assert pwm.log_odds[2] == pytest.approx(np.log2(third / background), abs=1e-5)
    # A site whose surroundings are not known is left out: here the second one.
    wide = fit_pwm(one, 0, 6, (0, 4))
    assert wide is not None
    assert wide.log_odds[2] == pytest.approx(np.log2(np.array([1, 1, 1, 2]) / 5 / background))
    assert fit_pwm(one, 0, 6, (5, 12)) is None


def test_the_planted_motif_is_learned(strands: list[LabelledStrand]) -> None:
    train = [one for one in strands if one.block < 7]
    pwm = chosen_pwm(train, [one for one in strands if one.block >= 7], 0, 6)
    assert pwm is not None
    assert pwm.before in {before for before, _ in FLANKS}
    site = pwm.log_odds[pwm.before : pwm.before + 6]
    assert (site.argmax(axis=1) == MOTIF.argmax(axis=1)).all()
    assert chosen_pwm([], strands, 0, 6) is None


def jittered(strands: list[LabelledStrand], most: int) -> list[LabelledStrand]:
    """The strands with each site annotated up to ``most`` bases beside where it is."""
    random = np.random.default_rng(3)
    moved = []
    for strand in strands:
        classes = np.ones_like(strand.classes)
        for start in np.flatnonzero(np.diff(np.append(1, strand.classes)) == -1).tolist():
            at = start + int(random.integers(-most, most + 1))
            classes[at : at + 6] = 0
        moved.append(replace(strand, classes=classes))
    return moved


def test_sites_annotated_some_bases_off_are_aligned(strands: list[LabelledStrand]) -> None:
    beside = jittered(strands, 2)
    train = [one for one in beside if one.block < 7]
    valid = [one for one in beside if one.block >= 7]
    blurred, sharp = (chosen_pwm(train, valid, 0, 6, room) for room in (0, 3))
    assert blurred is not None
    assert sharp is not None
    assert (blurred.room, sharp.room) == (0, 3)
    score = precision_of(PWM.scores, train, valid, 0, 6)
    assert score(sharp) > 2 * score(blurred)
    # Too many to be moved.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("grubio.metrics.pwm.MOST_ALIGNED", 5)
        many = chosen_pwm(train, valid, 0, 6, 3)
    assert many is not None
    assert many.room == 0


def naive_log_odds(model: KmerLogistic, sequence: str) -> list[float]:
    answers = []
    for at in range(len(sequence)):
        total = model.intercept
        for place, table in enumerate(model.weights):
            first = at - model.before + place
            kmer = sequence[first : first + 3] if first >= 0 else ""
            if len(kmer) == 3 and not set(kmer) - set("ACGT"):
                code = sum(4 ** (2 - i) * "ACGT".index(base) for i, base in enumerate(kmer))
                total += float(table[code])
        answers.append(total)
    return answers


def test_a_scan_of_kmers_equals_a_naive_one(strands: list[LabelledStrand]) -> None:
    generator = np.random.default_rng(1)
    weights = generator.normal(size=(12, 65)).astype(np.float32)
    weights[:, 64] = 0
    model = KmerLogistic(weights, -0.7, 5)
    sequence = strands[0].sequence[:80] + "NnR" + strands[0].sequence[80:100].lower()
    expected = naive_log_odds(model, sequence.upper())
    assert model.log_odds(sequence) == pytest.approx(expected, abs=1e-4)
    assert len(site_log_odds(model, "ACGTAC", 6)) == 1
    assert len(site_log_odds(model, "ACGT", 6)) == 0


def test_the_regression_equals_scikit_learn_on_the_same_bases(
    strands: list[LabelledStrand],
) -> None:
    from sklearn.linear_model import LogisticRegression

    part = strands[:2]
    model = fit_kmers(part, 0, 2, (4, 4), 0.03, 1)
    assert model is not None
    rows, target = [], []
    for one in part:
        for at in range(len(one.sequence)):
            row = np.zeros((7, 64))
            for place in range(7):
                kmer = one.sequence[at - 4 + place : at - 1 + place] if at - 4 + place >= 0 else ""
                if len(kmer) == 3:
                    row[place, sum(4 ** (2 - i) * "ACGT".index(b) for i, b in enumerate(kmer))] = 1
            rows.append(row.ravel())
            target.append(one.classes[at] == 0)
    naive = LogisticRegression(C=0.03, max_iter=200, tol=1e-6).fit(np.array(rows), target)
    mine = np.concatenate([model.log_odds(one.sequence) for one in part])
    assert mine == pytest.approx(naive.decision_function(np.array(rows)), abs=0.05)


def test_the_intercept_brings_back_the_prevalence(
    strands: list[LabelledStrand], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grubio.evaluation.genome.kmer_baseline.MAX_BACKGROUND", 10**6)
    whole = fit_kmers(strands, 0, 2, (4, 4), 0.03, 1)
    monkeypatch.setattr("grubio.evaluation.genome.kmer_baseline.MAX_BACKGROUND", 2000)
    part = fit_kmers(strands, 0, 2, (4, 4), 0.03, 1)
    assert whole is not None
    assert part is not None
    assert (part.weights != whole.weights).any()
    shares = []
    for model in (whole, part):
        odds = np.concatenate([model.log_odds(one.sequence) for one in strands])
        shares.append((1 / (1 + np.exp(-odds))).mean())
    truth = np.mean(np.concatenate([one.classes for one in strands]) == 0)
    assert shares[0] == pytest.approx(truth, rel=0.1)
    # Without the correction it would be near one in five.
    assert truth / 2 < shares[1] < 2 * truth


def test_the_regression_finds_planted_sites(strands: list[LabelledStrand]) -> None:
    train = [one for one in strands if one.block < 7]
    test = [one for one in strands if one.block >= 7]
    model = chosen_site_kmers(train, [], 0, 2, 6, seed=1)
    assert model is not None
    scores = np.concatenate([site_log_odds(model, one.sequence, 6) for one in test])
    at = np.concatenate([(one.classes[:-5] == 0) & (one.classes[5:] == 0) for one in test])
    assert np.median(scores[at]) > np.quantile(scores, 0.98)
    again = chosen_site_kmers(train, [], 0, 2, 6, seed=1)
    assert again is not None
    assert (again.weights == model.weights).all()


def test_there_is_no_regression_without_both_kinds(strands: list[LabelledStrand]) -> None:
    assert dense_kmers([], 0, 2, 1) is None
    one, _ = strands_of([Record("c:0-20(+)", "", "ACGT" * 5, "." * 20)], SCHEME)
    assert dense_kmers(one, 0, 2, 1) is None
