"""From a genome dataset and a model to scores, tables, report, summary and comparison."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from test_report import Page

from grubio.config import EvaluationSettings
from grubio.datasets.parquet import write_dataset
from grubio.errors import GrubioError
from grubio.evaluation.evaluate import evaluate_model
from grubio.evaluation.genome.evaluate import GenomeEvaluation
from grubio.evaluation.genome.headline import summary_rows
from grubio.metrics.candidates import strands_of
from grubio.model.bundle import Calibration, Site, save_bundle
from grubio.report.compare import compare_runs
from grubio.report.page import render_report
from grubio.report.summary import summary_lines
from grubio.report.verdict import checks
from grubio.runs.folder import read_run
from grubio.runs.metrics import Metrics
from grubio.sequences.record import Record
from grubio.sequences.scheme import LabelScheme, custom_scheme
from grubio.sequences.target import Target
from synthetic_genome import genome_dataset, noisy_probabilities

QUICK = EvaluationSettings(bootstrap=30)


def score_genome(
    test: list[Record],
    probabilities: list[np.ndarray],
    train: list[Record],
    valid: list[Record],
    scheme: LabelScheme,
    sites: dict[str, int],
) -> tuple[Metrics, dict[str, str]]:
    metrics = Metrics()
    evaluation = GenomeEvaluation(scheme, sites, test, QUICK)
    return metrics, evaluation.add_scores(metrics, probabilities, train, valid)


def by_split(records: list[Record]) -> dict[str, list[Record]]:
    return {s: [r for r in records if r.split == s] for s in ("train", "valid", "test")}


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of an untrained model on a small genome."""
    import torch

    from grubio.model.architecture import Architecture
    from grubio.model.labeller import bundle_of, new_labeller

    folder = tmp_path_factory.mktemp("genome") / "small"
    records, header = genome_dataset(10)
    write_dataset(folder / "split.parquet", header, records)
    torch.manual_seed(1)
    targets = [Target("labels", "classes", header.scheme)]
    table = header.alphabet.channel_table
    model = new_labeller(Architecture("gru", 4, 1, 0.0), targets, table)
    training = {
        "chains": 12,
        "residues": 24000,
        "dataset_sha256": "d" * 64,
        "dataset_sources": {},
        "settings": {"seed": 1},
        "valid_score": 0.5,
        "valid_chains": 4,
        "score_scheme": "motifs",
        "best_epoch": 1,
    }
    sites = {"M": Site(6, 0.5)}
    calibrations = {"labels": Calibration(1.0, (-3, 0))}
    save_bundle(folder / "model", bundle_of(model, header.alphabet, calibrations, sites), training)
    evaluate_model(folder / "model", folder / "split.parquet", folder, QUICK, threads=1)
    return folder


def test_everything_is_written(scored: Path) -> None:
    metrics = json.loads((scored / "metrics.json").read_text())
    site = metrics["sites"]["M"]
    assert (site["name"], site["width"], site["count"]) == ("minus10", 6, 16)
    assert site["kilobases"]["genome"] == 4
    assert set(site["methods"]) == {"model", "pwm", "kmer_logistic", "prevalence"}
    assert metrics["counts"]["blocks"] == 2
    assert metrics["counts"]["chains"] == 4
    assert metrics["headline"] == {"key": "site_average_precision", "class": "M", "name": "minus10"}
    model = site["methods"]["model"]["genome"]["tolerance_3"]["average_precision"]
    pwm = site["methods"]["pwm"]["genome"]["tolerance_3"]["average_precision"]
    assert metrics["site_average_precision"] == model
    assert metrics["baselines"]["pwm"]["site_average_precision"] == pwm
    assert metrics["gain_over_pwm"]["value"] == pytest.approx(model["value"] - pwm["value"])
    assert metrics["accuracy"]["value"] is not None
    assert metrics["baselines"]["majority"]["accuracy"]["value"] > 0.95
    assert "sov" not in (scored / "per_chain.tsv").read_text()
    assert pq.read_metadata(scored / "test_predictions.parquet").num_rows == 8000


def test_a_planted_motif_is_found_by_the_matrix_and_not_by_its_prevalence(scored: Path) -> None:
    methods = json.loads((scored / "metrics.json").read_text())["sites"]["M"]["methods"]
    found = {n: m["genome"]["tolerance_3"]["average_precision"] for n, m in methods.items()}
    assert found["pwm"]["value"] > 0.5
    assert found["prevalence"]["value"] == pytest.approx(16 / (4 * 1995), abs=1e-6)
    assert methods["pwm"]["strand_consistency"]["value"] > 0.8
    for one in found.values():
        assert one["low"] <= one["value"] <= one["high"]


def test_the_sites_that_are_written_lie_on_the_genome() -> None:
    records, header = genome_dataset(10)
    test = by_split(records)["test"]
    answers = noisy_probabilities(test, skill=2)
    sites = header.sites or {}
    _, tables = score_genome(test, answers, [], [], header.scheme, sites)
    by_id = {r.id: r for r in records}
    lines = [line.split("\t") for line in tables["sites.tsv"].splitlines()]
    assert lines[0] == ["contig", "start", "end", "strand", "class", "score", "known"]
    found = 0
    for contig, first, last, strand, letter, score, known in lines[1:]:
        assert (contig, letter, int(last) - int(first)) == ("chr1", "M", 6)
        assert 0 <= float(score) <= 1
        block = int(first) // 2000 * 2000
        record = by_id[f"chr1:{block}-{block + 2000}({strand})"]
        assert record.split == "test"
        offset = int(first) - block if strand == "+" else block + 2000 - int(last)
        near = {
            at
            for at in range(max(offset - 10, 0), offset + 11)
            if record.labels[at : at + 6] == "MMMMMM"
        }
        assert (known == "yes") == bool(near)
        found += known == "yes"
    assert 8 <= found < len(lines) - 1


def test_the_order_of_records_and_the_case_of_bases_do_not_matter() -> None:
    records, header = genome_dataset(10)
    splits = by_split(records)
    answers = noisy_probabilities(splits["test"], skill=3)

    def score(order: list[int], *, lower: bool) -> object:
        test = [splits["test"][at] for at in order]
        if lower:
            test = [replace(r, sequence=r.sequence.lower()) for r in test]
        return score_genome(
            test,
            [answers[at] for at in order],
            splits["train"],
            splits["valid"],
            header.scheme,
            header.sites or {},
        )

    assert score([0, 1, 2, 3], lower=False) == score([3, 0, 2, 1], lower=True)


def test_classes_of_varying_width_are_scored_by_base() -> None:
    scheme = custom_scheme("genes", "C.", ("CDS", "background"), background=".")
    generator = np.random.default_rng(4)
    records, _ = genome_dataset(10, sites_per_block=0)
    dense = []
    for record in records:
        # Coding bases are rich in G and C, which the k-mers can see.
        labels = np.array(list("." * 600 + "C" * 700 + "." * 700))
        coding = generator.choice(list("ACGT"), 700, p=[0.1, 0.4, 0.4, 0.1])
        rest = generator.choice(list("ACGT"), 2000, p=[0.3, 0.2, 0.2, 0.3])
        rest[600:1300] = coding
        text = "".join(rest)
        dense.append(replace(record, sequence=text, labels="".join(labels)))
    splits = by_split(dense)
    answers = [
        np.stack([p, 1 - p], axis=1).astype(np.float32)
        for p in (
            np.clip(
                (np.array(list(r.labels or "")) == "C") * 0.6 + 0.2 * generator.random(2000), 0, 1
            )
            for r in splits["test"]
        )
    ]
    metrics, _ = score_genome(splits["test"], answers, splits["train"], [], scheme, {})
    result = metrics.as_dict()
    methods = result["dense"]["C"]["methods"]
    assert result["sites"] == {}
    assert methods["model"]["mcc"]["value"] == 1
    assert methods["model"]["sensitivity"]["value"] == methods["model"]["f1"]["value"] == 1
    assert methods["kmer_logistic"]["mcc"]["value"] > 0.8
    assert methods["prevalence"]["average_precision"]["value"] == pytest.approx(0.35)
    assert methods["prevalence"]["sensitivity"]["value"] == 0
    assert result["headline"]["key"] == "base_mcc"
    gain = 1 - methods["kmer_logistic"]["mcc"]["value"]
    assert result["gain_over_kmer_logistic"]["value"] == pytest.approx(gain, abs=2e-6)
    assert [row[0] for row in summary_rows(metrics)].count("CDS") == 3


def test_without_training_blocks_there_are_no_baselines() -> None:
    records, header = genome_dataset(5)
    test = by_split(records)["test"]
    answers = noisy_probabilities(test)
    metrics, _ = score_genome(test, answers, [], [], header.scheme, header.sites or {})
    result = metrics.as_dict()
    assert set(result["sites"]["M"]["methods"]) == {"model", "prevalence"}
    assert result["independence"] == {
        "shared_bases": 0,
        "nearest": None,
        "bases": 2000,
        "repeated_bases": None,
    }


def test_overlap_with_training_is_told() -> None:
    records, header = genome_dataset(5)
    test = by_split(records)["test"]
    answers = noisy_probabilities(test)
    sites = header.sites or {}
    metrics, _ = score_genome(test, answers, test, [], header.scheme, sites)
    result = metrics.as_dict()
    assert result["independence"] == {
        "shared_bases": 2000,
        "nearest": 0,
        "bases": 2000,
        "repeated_bases": 2000,
    }


def test_ids_must_be_loci() -> None:
    records, header = genome_dataset(5)
    test = by_split(records)["test"]
    bad = [replace(test[0], id="chrom"), test[1]]
    with pytest.raises(GrubioError, match="no locus"):
        strands_of(bad, header.scheme)


def test_the_verdict_claims_no_more_of_independence_than_was_measured(
    scored: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "small"
    shutil.copytree(scored, folder)
    path = folder / "metrics.json"
    metrics = json.loads(path.read_text())
    outcomes = []
    for repeated in (None, 0, 100, 3900):
        metrics["independence"]["repeated_bases"] = repeated
        path.write_text(json.dumps(metrics))
        outcomes.append(checks(read_run(folder))[0])
    assert [check.outcome for check in outcomes] == ["unknown", "good", "caution", "caution"]
    assert "were not looked for" in outcomes[0].finding
    assert "Of 4,000 test bases, 100 (2.5" in outcomes[2].finding


def test_the_report_speaks_of_sites_blocks_and_bases(scored: Path, tmp_path: Path) -> None:
    text = render_report(read_run(scored))
    (tmp_path / "page.html").write_text(text)
    page = Page(tmp_path / "page.html")
    assert not page.unlabelled
    assert not page.captionless
    assert len(set(page.ids)) == len(page.ids)
    assert "sites" in page.ids
    assert "groups" not in page.ids
    assert "unknown, not negative" in page.text
    assert "lower bound" in page.text
    assert "the run has no motifs folder" in page.text
    assert "lie in near-exact copies of training sequence" in page.text
    assert "Average precision of minus10 on the test set" in page.text
    assert "over a position weight matrix" in page.text
    assert "2 blocks" in page.text
    before = page.text.split("How it was made")[0]
    assert "residue" not in before
    assert "chain" not in before
    metrics = json.loads((scored / "metrics.json").read_text())
    value = 100 * metrics["site_average_precision"]["value"]
    assert f"{value:.1f} %" in page.text
    assert text == render_report(read_run(scored))


def test_an_untrained_model_does_not_look_good(scored: Path) -> None:
    found = {check.name: check for check in checks(read_run(scored))}
    assert found["Gain over the baseline"].outcome == "caution"
    assert found["Independence of the test set"].outcome == "good"
    assert "0 bases away" in found["Independence of the test set"].finding


def test_summary_and_comparison_tell_the_headline(scored: Path, tmp_path: Path) -> None:
    lines = summary_lines(scored)
    assert lines[1].startswith("  average precision of minus10 ")
    assert lines[1].endswith("on 2 test blocks")
    assert any("over a position weight matrix" in line for line in lines)
    table = tmp_path / "comparison.tsv"
    compare_runs([scored], table, figure=tmp_path / "a.svg", page=tmp_path / "a.html")
    header, row = (line.split("\t") for line in table.read_text().splitlines()[:2])
    value = json.loads((scored / "metrics.json").read_text())["site_average_precision"]["value"]
    assert dict(zip(header, row, strict=True))["site_average_precision"] == f"{value:.4f}"
