"""Every command, and Python, takes an accession, a URL or a list where it takes a file."""

from __future__ import annotations

from pathlib import Path

import pytest

import grubio
from grubio.cli import command_line
from grubio.datasets.parquet import read_header, read_records
from grubio.errors import GrubioError
from grubio.profiles.archive import Archive
from replayed_servers import GENOME, PROTEIN, Servers, text

WORD = "uniprot:P0CG48"
SHARDS = ("--shards", "2", "--model", "protein-ss-fast", "--output", "shards")
SEQUENCE = "".join(PROTEIN.splitlines()[1:])


def command(*arguments: str) -> None:
    command_line()([*arguments, "--quiet"], prog_name="grubio", standalone_mode=False)


def test_sequences_and_alignments(servers: Servers) -> None:
    servers.answers["own.a3m"] = text(f">sp|P0CG48|UBC_HUMAN\n{SEQUENCE}\n>x\n{SEQUENCE}\n")
    command("profile", WORD, "--alignments", f"{servers.address}/own.a3m", "--output", "own.npz")
    assert "sp|P0CG48|UBC_HUMAN" in Archive(Path("own.npz"))
    assert WORD in Path("grubio.lock").read_text()
    command("shards", "cut", WORD, *SHARDS)
    assert len(list(Path("shards").glob("*.records.parquet"))) == 2


def test_a_genome_and_its_annotation(servers: Servers) -> None:
    command(
        *("prepare", "ncbi:NC_000913.3", "--annotation", "ncbi:NC_000913.3/gff3"),
        *("--format", "genome", "--alphabet", "dna", "--output", "genome.parquet"),
        *("--classes", '{"coding": {"letter": "C", "feature": "CDS"}}'),
    )
    forward, backward = read_records("genome.parquet")
    assert forward.sequence == GENOME.splitlines()[1]
    assert read_header("genome.parquet").sources.keys() == {"NC_000913.3.fna", "NC_000913.3.gff3"}
    assert "C" in (forward.labels or "")
    assert "C" not in (backward.labels or "")


def test_a_target_of_a_url(servers: Servers) -> None:
    name = "sp|P0CG48|UBC_HUMAN"
    values = ",".join(["0.5"] * len(SEQUENCE))
    servers.answers["depth.tsv"] = text(f"id\tdepth\n{name}\t{values}\n")
    target = f"depth=0..1@{servers.address}/depth.tsv"
    command(
        *("prepare", WORD, "--format", "fasta", "--scheme", "none", "--target", target),
        *("--output", "depth.parquet"),
    )
    assert [target.name for target in read_header("depth.parquet").targets] == ["depth"]


def test_data_that_come_with_grubio(servers: Servers) -> None:
    command("shards", "cut", "example-proteins", *SHARDS)
    assert len(list(Path("shards").glob("*.records.parquet"))) == 2
    assert servers.asked == []


def test_python(servers: Servers) -> None:
    model = grubio.load("protein-ss-fast", device="cpu", threads=1)
    (found,) = model.predict(WORD)
    assert (found.id, len(found)) == ("sp|P0CG48|UBC_HUMAN", len(SEQUENCE))
    Path("list.txt").write_text(f"{WORD}\npdb:1UBQ\n")
    assert len(model.predict("@list.txt")) == 2
    with pytest.raises(GrubioError, match=r"unipr0t.*did you mean 'uniprot:P0CG48'"):
        model.predict("unipr0t:P0CG48")


def test_a_dry_run_fetches_nothing(servers: Servers, capsys: pytest.CaptureFixture[str]) -> None:
    command("profile", WORD, "--database", "@list.txt", "--output", "own.npz", "--dry-run")
    told = capsys.readouterr().out
    assert f"reads\t{WORD}\tfetched" in told
    assert "missing\t@list.txt\tno such list" in told
    assert servers.asked == []


def test_a_list_is_no_output(servers: Servers) -> None:
    Path("list.txt").write_text(f"{WORD}\n")
    with pytest.raises(GrubioError, match=r"list\.txt: is read as the input"):
        command("profile", "@list.txt", "--alignments", "x.a3m", "--output", "list.txt")


def test_a_study_of_a_template_keeps_the_word(servers: Servers) -> None:
    labels = f"{servers.address}/labels.fasta"
    servers.answers["labels.fasta"] = text(f">sp|P0CG48|UBC_HUMAN\n{'HHHHHEEECC' * 3}H\n")
    template = ("--template", "protein-labels", "--records", WORD, "--labels", labels)
    command("workflow", "init", "study", *template)
    assert not Path("grubio.lock").exists()
    written = Path("study/config/config.yaml").read_text()
    assert f'records: "{WORD}"' in written
    assert f'labels: "{labels}"' in written
