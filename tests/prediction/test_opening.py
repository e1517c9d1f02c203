"""Which model is taken for an input, what is said about it, and what is refused."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from genome_model import dna
from grubio.config import PredictionSettings
from grubio.datasets.first_records import first_records
from grubio.errors import GrubioError
from grubio.model.zoo import find_model
from grubio.prediction.opening import opened
from grubio.sequences.record import Record

Runner = Callable[..., subprocess.CompletedProcess[str]]

PROTEIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"
PEPTIDE = "GATTACANGGTACCATNGATTACAGGNTAC"

KINDS = {
    "one R among bases": ([dna(300, 1) + "R" + dna(300, 2)], "dna"),
    "contigs of 49 bases": ([dna(49, seed) for seed in range(3)], "dna"),
    "RNA": (
        ["GCGGAUUUAGCUCAGUUGGGAGAGCGCCAGACUGAAGAUCUGGAGGUCCUGUGUUCGAUCCACAGAAUUCGCACCA"],
        "dna",
    ),
    "soft-masked": ([dna(200, 3).lower() + dna(200, 4)], "dna"),
    "masked by N": (["N" * 3000 + dna(200, 5)], "dna"),
    "masked by X": (["X" * 3000 + dna(200, 5)], "dna"),
    "every ambiguity code": ([dna(200, 6) + "RYSWKMBDHVN"], "dna"),
    "a primer": (["GTGYCAGCMGCCGCGGTAA"], "dna"),
    "a chromosome that begins with N": (["N" * 300_000 + dna(3000, 7)], "dna"),
    "proteins": ([PROTEIN], "protein"),
    "peptides of bases before a protein": ([PEPTIDE] * 7 + [PROTEIN * 20], "protein"),
    "a protein of the letters of ambiguity codes": (["ACGTNRYACGTTGCATGKM" * 8], "protein"),
    "masked protein": ([PROTEIN.lower() + "X" * 100], "protein"),
}


def opened_kind(sequences: list[str], tmp_path: Path, **settings: object) -> str:
    path = tmp_path / "in.fa"
    path.write_text("".join(f">r{i}\n{text}\n" for i, text in enumerate(sequences)))
    _, kind, records = opened(str(path), (), None, PredictionSettings(**settings))  # type: ignore[arg-type]
    assert [record.sequence for record in records] == sequences
    return str(kind.bundle.alphabet.name)


@pytest.mark.parametrize("case", KINDS)
def test_the_kind_is_told_by_all_letters_together(case: str, tmp_path: Path) -> None:
    sequences, expected = KINDS[case]
    assert opened_kind(sequences, tmp_path) == expected
    other = {"dna": "protein", "protein": "dna"}[expected]
    assert opened_kind(sequences, tmp_path, alphabet=other) == other


def test_the_model_is_said_with_and_without_a_choice(grubio: Runner, tmp_path: Path) -> None:
    (tmp_path / "a.fa").write_text(f">a\n{PROTEIN}\n")
    (tmp_path / "p.fa").write_text(f">a\n{PEPTIDE}\n")
    told = "model protein-ss-fast, trained on chains of the PDB"
    done = grubio("predict", "a.fa", "-m", "protein-ss-fast")
    assert [line for line in done.stderr.splitlines() if line.startswith(told)]
    assert "model" not in grubio("predict", "a.fa", "-q").stderr
    assert "; the input looks like protein\n" in grubio("predict", "a.fa").stderr
    done = grubio("predict", "p.fa")
    assert "model ecoli-promoters, trained on Escherichia coli K-12" in done.stderr
    assert "the input seems to be DNA; if it is not, use --alphabet protein" in done.stderr
    done = grubio("predict", "p.fa", "--alphabet", "protein", "-m", "protein-ss-fast")
    assert len(done.stdout.splitlines()) == 1 + len(PEPTIDE)
    assert told in grubio("plan", "a.fa", "-m", "protein-ss-fast").stderr
    assert (
        told
        in grubio(
            *("shards", "cut", "a.fa", "--shards", 1, "-o", "cut", "-m", "protein-ss-fast")
        ).stderr
    )
    done = grubio("predict", "a.fa", "-m", "protein-ss-fast", "--resume-folder", "kept")
    assert done.stderr.count(told) == 1


@pytest.mark.parametrize("on_invalid", ["error", "skip", "mask"])
@pytest.mark.parametrize(
    ("model", "text", "message", "hint"),
    [
        ("protein-ss-fast", dna(300, 1) + "R", "looks like DNA, but protein", "ecoli-promoters"),
        ("ecoli-promoters", PROTEIN * 3, "looks like protein, but DNA", "protein-ss"),
    ],
)
def test_a_model_refuses_the_other_kind(
    model: str, text: str, message: str, hint: str, on_invalid: str, grubio: Runner, tmp_path: Path
) -> None:
    (tmp_path / "a.fa").write_text(f">a\n{text}\n")
    done = grubio("predict", "a.fa", "-m", model, "--on-invalid", on_invalid, "-o", "o.tsv")
    assert done.returncode == 2
    assert f"error: a.fa: {message} was expected" in done.stderr
    assert f"such as {hint}; if it is" in done.stderr
    assert not (tmp_path / "o.tsv").exists()


def test_an_alphabet_that_is_not_the_models_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.fa").write_text(f">a\n{PROTEIN}\n")
    settings = PredictionSettings(alphabet="dna")
    with pytest.raises(GrubioError, match="model protein-ss-fast reads protein, not DNA"):
        opened(str(tmp_path / "a.fa"), (), find_model("protein-ss-fast"), settings)


def test_one_warning_says_that_an_input_is_unlike_training(grubio: Runner, tmp_path: Path) -> None:
    text = "".join(np.random.default_rng(1).choice(list("ACGT"), 9000, p=[0.34, 0.16, 0.16, 0.34]))
    (tmp_path / "a.fna").write_text(f">a\n{text}\n")
    for command in (["predict", "a.fna", "-o", "a.bed", "-q"], ["plan", "a.fna"]):
        done = grubio(*command)
        assert done.returncode == 0, done.stderr
        warned = [line for line in done.stderr.splitlines() if "unlike" in line]
        assert len(warned) == 1
        assert warned[0].startswith("a.fna: unlike what ecoli-promoters was trained on: its comp")


def test_outputs_with_a_header_name_the_model(grubio: Runner, tmp_path: Path) -> None:
    (tmp_path / "a.fa").write_text(f">a\n{PROTEIN}\n")
    outputs = [f"a.{ending}" for ending in ("json", "gff3", "html", "parquet")]
    told = "protein-ss-fast, trained on chains of the PDB"
    grubio("predict", "a.fa", "-m", "protein-ss-fast", *(x for o in outputs for x in ("-o", o)))
    assert json.loads((tmp_path / "a.json").read_text())["model"].startswith(told)
    assert (tmp_path / "a.gff3").read_text().splitlines()[1].startswith(f"# grubio model {told}")
    assert f'"model":"{told}' in (tmp_path / "a.html").read_text()
    about = pq.read_schema(tmp_path / "a.parquet").metadata
    assert about[b"grubio_model"].decode().startswith(told)
    (tmp_path / "a.fna").write_text(f">a\n{dna(400, 1)}\n")
    grubio("predict", "a.fna", *(x for o in ("g.gff3", "g.html", "g.parquet") for x in ("-o", o)))
    told = "ecoli-promoters, trained on Escherichia coli"
    assert f"\n# grubio model {told}" in (tmp_path / "g.gff3").read_text()
    assert f'"model":"{told}' in (tmp_path / "g.html").read_text()
    assert b"grubio_model" in pq.read_schema(tmp_path / "g.parquet").metadata


def test_the_first_records_are_bounded_and_let_go() -> None:
    read = 0

    def endless() -> object:
        nonlocal read
        while True:
            read += 1
            yield Record(str(read), "", "A")

    few, every = first_records(endless())  # type: ignore[arg-type]
    assert len(few) == read == 1000
    assert next(every).id == "1"
    assert len(few) == 999
    few, _ = first_records(Record(str(n), "", "A" * 60_000) for n in range(9))
    assert len(few) == 2
