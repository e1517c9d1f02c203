"""Windows around rare labels, offsets of calibration, and thresholds by false positives."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from grubio.config import ModelSettings, TrainingSettings
from grubio.datasets.parquet import DatasetHeader, write_dataset
from grubio.evaluation.scoring import calibration_errors, reliabilities
from grubio.inference.predictor import Prediction
from grubio.metrics.candidates import find_candidates, site_truth, strands_of
from grubio.model.architecture import Architecture
from grubio.model.batching import IGNORED, Example
from grubio.model.bundle import Bundle, Calibration, load_bundle
from grubio.model.calibration import calibration_error, fit_offsets
from grubio.sequences.alphabet import DNA
from grubio.sequences.locus import STRANDS, Locus, reverse_complement
from grubio.sequences.record import Record
from grubio.sequences.runs_and_peaks import peaks, runs, site_scores
from grubio.sequences.scheme import custom_scheme
from grubio.sequences.target import Target
from grubio.training.ensemble import combine_models
from grubio.training.examples import load_training_data
from grubio.training.site_thresholds import chosen_sites
from grubio.training.train import train_model
from grubio.training.window_sampling import (
    rare_regions,
    sampled_windows,
)

SCHEME = custom_scheme("motifs", "M.", ("motif", "background"), background=".")
MOTIF = "TTGATATAAT"


def example(labels: str, seed: int = 0) -> Example:
    codes = np.random.default_rng(seed).integers(0, 4, len(labels), dtype=np.uint8)
    found = SCHEME.encode(labels)
    return Example(codes, np.where(found < 2, found.astype(np.int64), IGNORED))


def planted_blocks(seed: int, split: str, blocks: int, length: int = 1500) -> list[Record]:
    """Return both strands of random blocks, each with three motifs on random strands."""
    generator = np.random.default_rng(seed)
    records = []
    for number in range(blocks):
        text = {"+": ["ACGT"[i] for i in generator.integers(0, 4, length)]}
        labels = {strand: ["."] * length for strand in STRANDS}
        for place in (200, 700, 1200):
            at = place + int(generator.integers(0, 100))
            strand = STRANDS[int(generator.integers(0, 2))]
            planted = MOTIF if strand == "+" else reverse_complement(MOTIF)
            text["+"][at : at + len(MOTIF)] = planted
            start = at if strand == "+" else length - at - len(MOTIF)
            labels[strand][start : start + len(MOTIF)] = "M" * len(MOTIF)
        for strand in STRANDS:
            locus = Locus(f"{split}{number}", 0, length, strand)
            sequence = "".join(text["+"])
            records.append(
                Record(
                    str(locus),
                    "",
                    sequence if strand == "+" else reverse_complement(sequence),
                    "".join(labels[strand]),
                    group=f"{split}{number}",
                    split=split,
                )
            )
    return records


def test_every_region_gets_a_window_that_holds_it() -> None:
    examples = [example("." * 300 + "MMMMMM" + "." * 400 + "MM" + "." * 92), example("." * 500)]
    windows = sampled_windows(examples, rare_regions(examples, [0], 100), 100, 2, seed=1, epoch=0)
    assert len(windows) == 2 + 4
    for first, last in ((300, 306), (706, 708)):
        assert any(n == 0 and s <= first and last <= e for n, s, e in windows)
    assert all(e - s == 100 for _, s, e in windows)


def test_windows_lie_anywhere_in_a_region_that_is_longer() -> None:
    examples = [example("." * 100 + "M" * 300 + "." * 100)]
    regions = rare_regions(examples, [0], 100)
    starts = [
        sampled_windows(examples, regions, 100, 0, seed=1, epoch=epoch)[0][1]
        for epoch in range(200)
    ]
    assert 100 <= min(starts) < 120 < 280 < max(starts) <= 300


def test_windows_move_from_pass_to_pass_and_follow_from_the_seed() -> None:
    examples = [example("." * 300 + "MMMMMM" + "." * 400)]
    first, again, later = (
        sampled_windows(examples, rare_regions(examples, [0], 100), 100, 3, seed=1, epoch=epoch)
        for epoch in (0, 0, 1)
    )
    assert first == again
    assert first != later


def test_windows_at_the_ends_and_in_short_records() -> None:
    examples = [example("MM" + "." * 300), example("." * 300 + "MM"), example(".MM.")]
    windows = sampled_windows(examples, rare_regions(examples, [0], 50), 50, 5, seed=2, epoch=0)
    for number, start, stop in windows:
        assert 0 <= start < stop <= len(examples[number])
    assert (2, 0, 4) in windows
    assert examples[1].part(290, 302).classes.tolist() == [1] * 10 + [0, 0]


def test_blocks_are_cut_as_the_settings_say(tmp_path: Path) -> None:
    dataset = tmp_path / "split.parquet"
    records = planted_blocks(1, "train", 2) + planted_blocks(2, "valid", 1, length=4500)
    write_dataset(dataset, DatasetHeader(DNA, SCHEME, sites={"M": len(MOTIF)}), records)
    data = load_training_data(dataset, ModelSettings(), TrainingSettings(max_length=500))
    assert [len(example) for example in data.train] == [500] * 12
    assert [len(example) for example in data.valid] == [1500] * 6
    sampled = TrainingSettings(max_length=500, background_ratio=1)
    data = load_training_data(dataset, ModelSettings(), sampled)
    assert [len(example) for example in data.train] == [1500] * 4


def test_masked_bases_are_in_no_region() -> None:
    masked = Example(np.zeros(4, dtype=np.uint8), np.array([IGNORED, 0, IGNORED, 1]))
    assert rare_regions([masked], [0], 1) == [(0, 1, 2)]


def test_regions_that_fit_into_a_third_of_a_window_are_joined_within_an_example() -> None:
    examples = [example(".M..M.....M"), example("M..........")]
    assert rare_regions(examples, [0], 12) == [(0, 1, 5), (0, 10, 11), (1, 0, 1)]


def test_offsets_bring_back_the_true_frequency() -> None:
    generator = np.random.default_rng(3)
    classes = (generator.random(60_000) > 0.01).astype(np.int64)
    evidence = generator.normal(np.where(classes == 0, 2.0, 0.0))
    # Right for equal frequencies, hence far off for 1 in 100, and twice too steep.
    logits = 2 * np.stack((evidence - 1, np.zeros_like(evidence)), axis=1) * 2
    temperature, offsets = fit_offsets(logits, classes)
    probabilities = softmax(logits / temperature + offsets, axis=1)
    assert temperature == pytest.approx(2, rel=0.1)
    assert offsets[0] - offsets[1] == pytest.approx(np.log(0.01 / 0.99), abs=0.2)
    assert probabilities[:, 0].mean() == pytest.approx((classes == 0).mean(), rel=0.01)
    assert calibration_error(probabilities, classes) < 0.005
    assert calibration_error(softmax(logits, axis=1), classes) > 0.05


def test_scores_before_calibration_are_those_without_the_offsets() -> None:
    generator = np.random.default_rng(5)
    logits = generator.normal(size=(400, 2)) * 3
    classes = generator.integers(0, 2, 400).astype(np.uint8)
    calibrated = softmax(logits / 1.7 + np.array([-2.0, 2.0]), axis=1)
    calibration = Calibration(1.7, (-2.0, 2.0))
    sums = reliabilities([classes], [calibrated.astype(np.float32)], [calibration])
    errors = calibration_errors(sums, np.ones((1, 1)))
    raw = errors["ece_uncalibrated"].value
    assert raw == pytest.approx(calibration_error(softmax(logits, axis=1), classes), abs=1e-4)
    assert raw != pytest.approx(errors["ece"].value, abs=0.01)


def test_offset_of_a_class_that_never_occurs_stays_finite() -> None:
    logits = np.random.default_rng(1).normal(size=(500, 3))
    _, offsets = fit_offsets(logits, np.arange(500) % 2)
    assert np.isfinite(log_softmax(logits + offsets, axis=1)).all()


class FromScores:
    """A predictor that says what each record's scores are."""

    bundle = Bundle(
        (Architecture("gru", 1, 1, 0.0),), (Target("labels", "classes", SCHEME),), {}, DNA
    )

    def __init__(self, scores: dict[str, np.ndarray]) -> None:
        self.scores = scores

    def predict(self, records: list[Record]) -> list[Prediction]:
        return [
            Prediction(
                r, np.stack((self.scores[r.id], 1 - self.scores[r.id]), 1).astype("f4"), SCHEME
            )
            for r in records
        ]


def test_threshold_lets_the_allowed_number_of_wrong_calls_pass() -> None:
    records = planted_blocks(5, "valid", 4)
    generator = np.random.default_rng(7)
    scores = {r.id: generator.random(len(r)) for r in records}
    predictor = FromScores(scores)
    site = chosen_sites(predictor, records, {"M": 6}, 2.0)["M"]  # type: ignore[arg-type]
    wrong = 0
    for record in records:
        values = site_scores(scores[record.id].astype("f4"), 6)
        known = [a for a, _ in runs(SCHEME.encode(record.labels or "") == 0).tolist()]
        for at in peaks(values, 10):
            near = any(abs(k - at) <= 10 for k in known)
            wrong += values[at] >= site.threshold and not near
    # Six kilobases of genome, two wrong calls in each.
    assert wrong == 12


def test_thresholds_and_scores_agree_on_what_is_near_a_known_site() -> None:
    # A site that is cut off at the end, two that overlap, and bases that nobody labelled.
    labels = "MMM" + "." * 200 + "M" * 9 + "." * 300 + "?" * 60 + "." * 400 + "MMMMMM" + "." * 22
    generator = np.random.default_rng(11)
    records = [
        Record(f"c:0-{len(labels)}(+)", "", "A" * len(labels), labels),
        Record(f"c:0-{len(labels)}(-)", "", "T" * len(labels), labels[::-1]),
    ]
    values = {r.id: generator.random(len(labels)).astype("f4") for r in records}
    strands, order = strands_of(records, SCHEME)
    truth = site_truth(strands, 0, 6, SCHEME.size)
    scores = [site_scores(values[records[index].id], 6) for index in order]
    found = find_candidates(strands, scores, truth)
    wrong = np.sort(found.score[~found.known])[::-1]
    for allowed in (0, 3, 20):
        # The rate that lets so many pass; a half keeps it off the rounding.
        rate = (allowed + 0.5) * 1000 / (len(labels) - 60)
        site = chosen_sites(FromScores(values), records, {"M": 6}, rate)["M"]  # type: ignore[arg-type]
        assert (wrong >= site.threshold).sum() == allowed
        assert site.threshold == np.nextafter(wrong[allowed], 2.0)


def test_rare_training_finds_the_motif_and_knows_how_rare_it_is(tmp_path: Path) -> None:
    dataset = tmp_path / "split.parquet"
    train, valid = planted_blocks(1, "train", 40), planted_blocks(2, "valid", 10)
    write_dataset(dataset, DatasetHeader(DNA, SCHEME, sites={"M": len(MOTIF)}), train + valid)
    folder = train_model(
        dataset,
        tmp_path / "run",
        ModelSettings(hidden_size=16, layers=1, stem_channels=32, stem_width=9, dropout=0),
        TrainingSettings(
            epochs=10,
            max_length=100,
            batch_residues=1000,
            learning_rate=0.01,
            background_ratio=1,
            focal_gamma=1,
            select_by="average_precision",
            false_positives_per_kb=0.5,
        ),
        device="cpu",
        threads=1,
    )
    bundle = load_bundle(folder)
    assert bundle.sites is not None
    assert bundle.sites["M"].width == len(MOTIF)
    assert 0 < bundle.sites["M"].threshold < 1
    threshold = bundle.sites["M"].threshold
    rare, background = bundle.calibration().offsets
    assert rare < background
    training = bundle.metadata["training"]
    assert training["score"] == "average_precision"
    assert training["valid_score"] > 0.8
    assert training["valid_ece"] < 0.01
    # Twice the same network has the same sites and frequencies.
    copy = shutil.copytree(folder, tmp_path / "copy")
    for mean in (False, True):
        again = combine_models(
            [folder, copy], dataset, tmp_path / f"{mean}", average_weights=mean, threads=1
        )
        both = load_bundle(again)
        assert both.kind == "genome"
        assert both.sites == {"M": replace(bundle.sites["M"], threshold=pytest.approx(threshold))}
        assert both.calibration().offsets == pytest.approx((rare, background), abs=1e-3)
