"""A genome as users bring it: genes of several exons, transcripts, peaks; to the very end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grubio.cli import command_line
from grubio.config import PrepareSettings
from grubio.datasets.parquet import read_header, read_records
from grubio.datasets.prepare_genome import prepare_genome
from spliced_genome import SITE, write_spliced_genome

SPLICE_SITES: dict[str, Any] = {
    "donor": {"feature": "exon", "boundary": "introns_start", "bases": 2},
    "acceptor": {"feature": "exon", "boundary": "introns_end", "bases": 2},
}


def labelled(folder: Path, annotation: str, classes: dict[str, Any]) -> dict[str, str]:
    """Return the labels of every record."""
    output = folder / "prepared.parquet"
    settings = PrepareSettings.model_validate(
        {"format": "genome", "classes": classes, "block_length": 2000}
    )
    prepare_genome([folder / "genome.fa"], [folder / annotation], output, settings)
    return {record.id: record.labels or "" for record in read_records(output)}


def bases_of(folder: Path, letter: str) -> list[str]:
    """Return the bases of every run of a label."""
    found = []
    for record in read_records(folder / "prepared.parquet"):
        marked = "".join(
            base if label == letter else " "
            for base, label in zip(record.sequence, record.labels or "", strict=True)
        )
        found += marked.split()
    return found


def test_gff3_gtf_and_bed12_tell_the_same_introns(tmp_path: Path) -> None:
    write_spliced_genome(tmp_path)
    of_gff = labelled(tmp_path, "genes.gff3", SPLICE_SITES)
    assert read_header(tmp_path / "prepared.parquet").sites == {"D": 2, "A": 2}
    donors, acceptors = bases_of(tmp_path, "D"), bases_of(tmp_path, "A")
    assert len(donors) == len(acceptors) > 80
    assert (set(donors), set(acceptors)) == ({"GT"}, {"AG"})
    assert labelled(tmp_path, "genes.gtf", SPLICE_SITES) == of_gff
    of_bed = {name: {**rule, "feature": "*"} for name, rule in SPLICE_SITES.items()}
    assert labelled(tmp_path, "genes.bed12", of_bed) == of_gff


def test_sites_of_one_width_and_the_middle_of_peaks(tmp_path: Path) -> None:
    write_spliced_genome(tmp_path)
    labelled(tmp_path, "sites.bed", {"ap1": {"feature": "AP1"}})
    assert bases_of(tmp_path, "A") == [SITE] * 48
    labelled(tmp_path, "peaks.narrowPeak", {"peak": {"feature": "*"}})
    assert read_header(tmp_path / "prepared.parquet").sites == {}
    middle = {"feature": "*", "boundary": "center", "bases": 11}
    labels = labelled(tmp_path, "peaks.narrowPeak", {"peak": middle})
    assert read_header(tmp_path / "prepared.parquet").sites == {"P": 11}
    # A peak has no strand: both are labelled.
    assert sum(text.count("P") for text in labels.values()) == 2 * 48 * 11


def test_splice_sites_go_from_annotation_to_a_logo_that_reads_gt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_spliced_genome(tmp_path, contigs=8, genes=10)
    classes = json.dumps(SPLICE_SITES)

    def run(*arguments: object) -> str:
        # In this process: each of its own would spend seconds on imports.
        command_line()([str(one) for one in arguments], standalone_mode=False)
        return capsys.readouterr().out

    said = run(
        *("prepare", "genome.fa", "--format", "genome", "--annotation", "genes.gtf"),
        *("--classes", classes, "--block-length", 2000, "--output", "prepared.parquet"),
    )
    assert "features of 2 bases each, called as sites" in said
    said = run(
        *("split", "prepared.parquet", "--output", "split.parquet", "--audit", "audit.tsv"),
        *("--gap", 100, "--valid-fraction", 0.15, "--test-fraction", 0.2),
    )
    assert "test bases (0.00 %) are repeated in training blocks" in said
    run(
        *("train", "split.parquet", "--output", "run", "--threads", 1, "--epochs", 6),
        *("--hidden-size", 16, "--layers", 1, "--stem-channels", 32, "--stem-width", 15),
        *("--background-ratio", 2, "--max-length", 60, "--batch-residues", 500),
        *("--learning-rate", 0.01, "--select-by", "average_precision", "--dropout", 0),
    )
    run(
        *("evaluate", "--model", "run/model", "--dataset", "split.parquet", "--threads", 1),
        *("--audit", "audit.tsv", "--output", "run", "--bootstrap", 20),
    )
    run(
        *("motifs", "--model", "run/model", "--dataset", "split.parquet", "--threads", 1),
        *("--output", "run/motifs", "--sites", 40, "--mutated-sites", 1),
    )
    learned = json.loads((tmp_path / "run/motifs/motifs.json").read_text())
    assert learned["donor"]["site_consensus"] == "GT"
    assert learned["acceptor"]["site_consensus"] == "AG"
    run("report", "run", "--output", "run/report.html")
    page = (tmp_path / "run/report.html").read_text()
    assert "near-exact copies of training sequence" in page
    run("predict", "genome.fa", "--model", "run/model", "--output", "called.bed", "--threads", 1)
    called = (tmp_path / "called.bed").read_text().splitlines()
    known = [line.split("\t") for line in called if line.startswith("chr")]
    assert {cells[3] for cells in known} == {"donor", "acceptor"}
